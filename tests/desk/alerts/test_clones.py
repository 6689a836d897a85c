"""Two devices that report as one tag, and what only looks like it."""

from __future__ import annotations

import pytest

from ringfence.desk.alerts.clones import MOST_PEERS, TURNS, WINDOW_S, Clones, Sighting

LONDON, LEEDS = (515_000_000, -1_000_000), (538_000_000, -15_500_000)
"""270 km apart."""
NEAR = (515_005_000, -1_000_000)
"""55 m from the first."""


def play(*steps: tuple[str, tuple[int, int]], every_s: float = 30, accuracy: float | None = 8):
    clones = Clones()
    for n, (peer, (lat, lon)) in enumerate(steps):
        ms = int(1000 * every_s * n)
        clones.see(Sighting(7, peer, ms, ms, lat, lon, accuracy))
    return clones.suspected(int(1000 * every_s * (len(steps) - 1)))


BY_TURNS = [("a", LONDON), ("b", LEEDS)] * 3


def test_two_by_turns_and_far_apart_are_suspected():
    assert play(*BY_TURNS) == [7]


def test_one_turn_fewer_is_not_told_yet():
    # The first word of each is no turn: three turns take five words.
    assert play(*BY_TURNS[: TURNS + 1]) == []
    assert play(*BY_TURNS[: TURNS + 2]) == [7]


def test_two_connections_at_one_place_are_one_tag():
    assert play(*[("a", LONDON), ("b", NEAR)] * 10) == []


def test_a_tag_that_changes_networks_comes_from_each_address_once():
    assert play(*[(f"address {n}", LONDON if n % 2 else LEEDS) for n in range(30)]) == []


def test_jumps_over_one_connection_are_the_engines_to_judge():
    assert play(*[("a", LONDON), ("a", LEEDS)] * 10) == []


def test_who_had_time_to_travel_is_no_clone():
    assert play(*BY_TURNS, every_s=3 * 3600) == []


def test_circles_that_wide_prove_nothing():
    assert play(*BY_TURNS, accuracy=200_000) == []


def test_what_was_long_ago_is_forgotten():
    clones = Clones()
    for n, (peer, (lat, lon)) in enumerate(BY_TURNS):
        clones.see(Sighting(7, peer, n * 1000, n * 1000, lat, lon, 8))
    assert clones.suspected(6000) == [7]
    assert clones.suspected(6000 + int(WINDOW_S * 1000)) == []
    assert clones.suspected(6000) == []


def test_other_tags_are_not_mixed_in():
    clones = Clones()
    for n, (peer, (lat, lon)) in enumerate(BY_TURNS * 3):
        clones.see(Sighting(n % 2, peer, n * 1000, n * 1000, lat, lon, 8))
    assert clones.suspected(9000) == []


@pytest.mark.parametrize("peers", [MOST_PEERS + 1, 100])
def test_memory_is_bounded(peers: int):
    clones = Clones()
    for n in range(3 * peers):
        clones.see(Sighting(7, f"p{n % peers}", n, n, *LONDON, 8))
    assert len(clones._seen[7].by_peer) == MOST_PEERS


def test_the_date_line_is_no_distance():
    east, west = (0, 1_799_999_000), (0, -1_799_999_000)
    assert play(*[("a", east), ("b", west)] * 5) == []
