"""Traps 1, 6 and 7: places are uncertain."""

from __future__ import annotations

import pytest

from ringfence.engine import (
    NAIVE,
    STANDARD,
    Source,
    compile_plan,
    find_profile,
    judge_all,
    standings,
)
from tests.engine.build import after, condition, disc, fixes, found, stay

EXCLUSION = condition("exclusion")  # 400 m square about the middle


def test_one_fix_alone_never_confirms_however_sure_it_claims_to_be() -> None:
    jump = fixes([(30, 0, 0)], accuracy_m=1.7)
    said = found(EXCLUSION, fixes(stay(0, 30, 400)), jump, fixes(stay(31, 60, 400)))
    assert [v.state for v in said] == ["possible"]
    assert said[0].ended_by == "cleared"
    assert said[0].confirmed_at is None


@pytest.mark.parametrize("drift_m", [120, 175, 229])
def test_indoor_drift_by_cell_confirms_nothing_and_is_explained(drift_m) -> None:
    at_desk = [(5.0 * i, 215.0 - (drift_m if i % 4 else 0), 0.0) for i in range(100)]
    said = found(
        EXCLUSION,
        fixes(stay(-30, 0, 215)),
        fixes(at_desk, accuracy_m=20, source=Source.CELL),
    )
    assert all(v.state == "possible" for v in said)


def test_cell_fixes_do_not_end_what_satellite_fixes_decided() -> None:
    inside = fixes(stay(0, 10, 0))
    by_cell = fixes([(10 + 5 * i, 900, 0) for i in range(6)], source=Source.CELL, accuracy_m=300)
    (visit,) = found(EXCLUSION, fixes(stay(-10, 0, 500)), inside, by_cell)
    assert visit.state == "confirmed"
    assert visit.end_at is None


def test_a_clean_entry_is_confirmed_by_the_second_or_third_fix() -> None:
    walk = [(m, 500 - 80 * m, 0.0) for m in range(7)]
    (visit,) = found(EXCLUSION, fixes(stay(-30, 0, 500)), fixes(walk), fixes(stay(7, 20, 20)))
    assert visit.how == "entered"
    assert visit.begin_at == after(4)
    assert after(4) <= visit.confirmed_at <= after(6)
    assert visit.probability > 0.95


def test_standing_still_inside_confirms_too() -> None:
    (visit,) = found(EXCLUSION, fixes(stay(0, 20, 0)))
    assert visit.state == "confirmed"
    assert visit.confirmed_at <= after(3)


def test_floating_points_across_a_pond_are_doubted() -> None:
    """A hundred yards in two seconds, and back: a man was jailed for it."""
    still = fixes(stay(0, 20, 250), speed_mps=0.0)
    leap = fixes([(19.05, 160, 0), (19.0833, 159, 1), (19.15, 251, 0)], speed_mps=0.2)
    said = found(EXCLUSION, still, leap, fixes(stay(20, 40, 250), speed_mps=0.0))
    assert [v for v in said if v.state == "confirmed"] == []


def test_a_real_move_that_looked_impossible_is_believed_once_borne_out() -> None:
    """Out of a tunnel, or off a fast train: the next fix agrees with the doubted one."""
    before = fixes([(-m, 30_000, 0) for m in range(1, 5)])
    (visit,) = found(EXCLUSION, before, fixes(stay(0, 10, 0)))
    assert visit.state == "confirmed"
    assert visit.begin_at <= after(2)


@pytest.mark.parametrize(("accuracy_m", "east_m"), [(12, 170), (30, 150), (60, 130)])
def test_a_doubted_fix_that_is_borne_out_counts_as_if_it_had_not_been_doubted(
    accuracy_m, east_m
) -> None:
    """Three fixes of such a depth confirm; that the first was doubted costs none."""
    there = fixes(stay(0, 10, east_m), accuracy_m=accuracy_m)
    far_off = fixes([(-m, 30_000, 0) for m in range(20, 1, -1)])
    beside = fixes([(-m, 400, 0) for m in range(20, 1, -1)])
    (jumped,) = found(EXCLUSION, far_off, there)
    assert jumped.confirmed_at == after(2)
    assert "the next one bore it out" in " ".join(jumped.doubts)
    (walked,) = found(EXCLUSION, beside, there)
    assert jumped.confirmed_at <= walked.confirmed_at
    alone = fixes([(0, east_m, 0), *[(m, 30_000, 0) for m in range(1, 5)]], accuracy_m=accuracy_m)
    assert [v for v in found(EXCLUSION, far_off, alone) if v.state == "confirmed"] == []


def test_leaving_by_a_doubted_fix_that_is_borne_out_takes_no_longer_than_without_the_doubt() -> (
    None
):
    inside = [fixes(stay(-20, -1, 600)), fixes(stay(0, 10, 0))]
    (doubted,) = found(EXCLUSION, *inside, fixes([(10 + m, 30_000, 0) for m in range(5)]))
    (walked,) = found(EXCLUSION, *inside, fixes([(10 + m, 600, 0) for m in range(5)]))
    assert doubted.end_at == walked.end_at == after(12)


@pytest.mark.parametrize("accuracy_m", [float("nan"), 0.0, -1.0])
def test_accuracy_0_or_absent_is_unknown_never_perfect(accuracy_m) -> None:
    at_edge = fixes(stay(0, 8, 197), accuracy_m=accuracy_m)  # 3 m inside
    said = found(EXCLUSION, at_edge)
    assert not [v for v in said if v.state == "confirmed"]
    deep = found(EXCLUSION, fixes(stay(0, 10, 0), accuracy_m=accuracy_m))
    assert "usual circle" in " ".join(deep[0].doubts)


def test_a_three_kilometre_circle_at_a_boundary_decides_nothing() -> None:
    vague = fixes([(m, 190, 0) for m in range(0, 120, 5)], accuracy_m=3000, source=Source.CELL)
    assert found(EXCLUSION, vague) == []
    assert found(condition("inclusion"), vague) == []


def test_two_fixes_either_side_at_40_kmh_are_a_possible_crossing() -> None:
    east = fixes([(-10, 3700, 0), (-5, 2700, 0), (0, 1700, 0)], speed_mps=11)
    west = fixes([(5, -1640, 0), (10, -4900, 0)], speed_mps=11)
    (crossing,) = found(EXCLUSION, east, west)
    assert crossing.state == "possible"
    assert after(2) < crossing.begin_at < after(3)
    assert crossing.end_at == after(5)
    assert crossing.depth_m == pytest.approx(200, abs=15)
    assert "straight way between two fixes" in " ".join(crossing.doubts)
    assert found(EXCLUSION, east, west, profile=NAIVE) == []


def test_a_way_past_the_zone_or_after_a_long_gap_is_no_crossing() -> None:
    past = fixes([(0, 1700, 300), (5, -1640, 300)], speed_mps=11)
    gap = fixes([(0, 1700, 0), (40, -1640, 0)], speed_mps=11)
    assert found(EXCLUSION, past) == []
    assert found(EXCLUSION, gap) == []


def test_cautious_is_never_surer_than_standard() -> None:
    walk = fixes([(m, 500 - 80 * m, 0.0) for m in range(7)] + stay(7, 20, 20))
    (standard,) = found(EXCLUSION, walk, profile=STANDARD)
    (cautious,) = found(EXCLUSION, walk, profile=find_profile("cautious"))
    assert cautious.confirmed_at > standard.confirmed_at


def test_frozen_positions_decide_nothing_more() -> None:
    """A position repeated to the last digit for hours is a doubt, not a stay."""
    frozen = fixes([(m, 0.0, 0.0) for m in range(60)])
    (visit,) = found(EXCLUSION, frozen)
    assert "to the last digit" in " ".join(visit.doubts)


def test_null_island_is_not_a_place() -> None:
    nowhere = fixes([(m, 0, 0) for m in range(5)])
    nowhere.lat_e7[:] = nowhere.lon_e7[:] = 0
    assert found(condition("inclusion"), nowhere) == []


def test_a_disc_is_round() -> None:
    round_zone = condition(geometry=disc(), radius_m=100.0)
    corner = fixes(stay(0, 5, 75, 75))  # inside the disc's box, outside the disc
    assert found(round_zone, corner, profile=NAIVE) == []
    assert len(found(round_zone, fixes(stay(0, 5, 65, 65)), profile=NAIVE)) == 1


def test_the_ring_warns_on_the_way_in_and_on_the_way_out() -> None:
    ringed = condition(buffer_m=300.0)
    through = fixes([(m, 800 - 50 * m, 0) for m in range(33)])
    said = found(ringed, through, profile=NAIVE)
    assert [(v.how, v.begin_at, v.end_at, v.ended_by) for v in said] == [
        ("approached", after(6), after(12), "entered"),
        ("entered", after(12), after(21), "left"),
        ("approached", after(21), after(27), "left"),
    ]
    assert said[0].depth_m == pytest.approx(250, abs=3), "past the ring's outer edge"
    assert len({v.key for v in said}) == 3
    standard = found(ringed, through)
    assert [v.how for v in standard] == ["approached", "entered", "approached"]


# A tag that holds its last digit at rest is a doubt, not an alibi: it must never hide a violation.

FAR = [(m, 1_100.0, 0.0) for m in range(300)]


@pytest.mark.parametrize("jitter_m", [0.0, 2.0])
def test_a_frozen_position_away_from_home_does_not_hide_a_curfew_breach(jitter_m: float) -> None:
    curfew = condition("curfew", from_at=after(60))
    held = fixes([(m, e + jitter_m * (m % 2), n) for m, e, n in FAR])
    (breach,) = found(curfew, held)
    assert (breach.how, breach.begin_at) == ("absent_at_start", after(60))
    assert breach.confirmed_at is not None
    assert breach.confirmed_at <= after(61)
    assert any("to the last digit" in d for d in breach.doubts) == (jitter_m == 0.0)


def test_a_zone_that_starts_over_a_frozen_position_is_confirmed() -> None:
    late = condition(from_at=after(90))
    (stay_inside,) = found(late, fixes([(m, 0.0, 0.0) for m in range(200)]))
    assert (stay_inside.how, stay_inside.begin_at) == ("present_at_start", after(90))
    assert stay_inside.confirmed_at is not None
    assert stay_inside.confirmed_at <= after(91)


def test_a_frozen_position_at_home_is_not_compliance_for_ever() -> None:
    curfew = condition("curfew", from_at=after(60))
    at_home = fixes([(m, 0.0, 0.0) for m in range(300)])
    assert found(curfew, at_home) == []
    plan = compile_plan([curfew], start_at=after(-60), end_at=after(600))
    (standing,) = standings(plan, judge_all(plan, at_home).result.state, "W1")
    assert standing.state == "no_data"
