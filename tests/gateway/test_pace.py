"""Whose allowance is whose, where nothing but an address tells a tag from a stranger."""

from __future__ import annotations

import pytest

from ringfence.gateway.pace import (
    AT_ONCE,
    PER_S,
    RESERVED,
    RESERVED_PER_S,
    USUAL_S,
    Load,
    Pace,
)

ONE = Load(1)
TAG = 7


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def granted(pace: Pace, peer: str) -> int:
    """As many as this address gets now."""
    count = 0
    while not pace.wait_s(TAG, ONE, peer):
        count += 1
    return count


def test_a_stranger_who_floods_does_not_slow_the_tag_at_its_usual_address(
    pace: Pace, clock: Clock
) -> None:
    assert pace.wait_s(TAG, ONE, "tag") == 0
    for second in range(3600):
        clock.now_s += 1
        granted(pace, "stranger")
        if second % 15 == 0:
            assert pace.wait_s(TAG, ONE, "tag") == 0, f"after {second} s"


def test_both_together_store_no_more_than_one_would(pace: Pace, clock: Clock) -> None:
    count = granted(pace, "tag") + granted(pace, "stranger")
    assert count == AT_ONCE
    for _ in range(1000):
        clock.now_s += 1
        count += granted(pace, "stranger") + granted(pace, "tag")
    assert count <= AT_ONCE + 1000 * PER_S


def test_a_tag_alone_has_all_of_it(pace: Pace, clock: Clock) -> None:
    assert granted(pace, "tag") == AT_ONCE
    clock.now_s += 100
    assert granted(pace, "tag") == 100 * PER_S


def test_a_stranger_gets_nothing_of_the_reserve(pace: Pace) -> None:
    pace.wait_s(TAG, ONE, "tag")
    assert granted(pace, "stranger") == AT_ONCE - RESERVED - 1
    assert granted(pace, "tag") == RESERVED


def test_who_waits_is_told_how_long(pace: Pace, clock: Clock) -> None:
    pace.wait_s(TAG, ONE, "tag")
    for peer in ("stranger", "tag"):
        granted(pace, peer)
        wait_s = pace.wait_s(TAG, ONE, peer)
        assert wait_s > 0
        clock.now_s += wait_s + 0.001
        assert pace.wait_s(TAG, ONE, peer) == 0


def test_another_address_becomes_the_usual_one_when_the_old_is_silent(
    pace: Pace, clock: Clock
) -> None:
    granted(pace, "old")
    clock.now_s += USUAL_S
    assert pace.wait_s(TAG, ONE, "new") == 0
    granted(pace, "new")
    clock.now_s += 10
    assert granted(pace, "old") == 10 * (PER_S - RESERVED_PER_S)
    assert granted(pace, "new") == 10 * RESERVED_PER_S
