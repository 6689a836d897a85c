"""Weekly times, exceptions and clock changes, as UTC intervals."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.engine import Absence, Weekly
from ringfence.engine.conditions import DAYS
from ringfence.engine.schedule import FOREVER_MS, in_force, in_force_spans
from tests.engine.build import NOON, condition, ms

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
weeklies = st.builds(
    Weekly, st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(tuple), times, times
)
instants = st.integers(0, 275 * 86_400).map(
    lambda s: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=s)
)


def in_force_by_the_wall_clock(rule, at) -> bool:
    """The obvious reading: look at the clock on the wall."""
    if not rule.from_at <= at or (rule.to_at and at >= rule.to_at):
        return False
    if any(a.from_at <= at < a.to_at for a in rule.absences):
        return False
    wall = at.astimezone(ZoneInfo(rule.timezone))
    today, yesterday = DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
    clock = wall.time().replace(tzinfo=None, fold=0)
    for w in rule.when:
        over = w.end <= w.start
        if today in w.days and w.start <= clock and (over or clock < w.end):
            return True
        if over and yesterday in w.days and clock < w.end:
            return True
    return not rule.when


@given(st.lists(weeklies, min_size=1, max_size=3), instants, st.booleans())
@settings(deadline=None, max_examples=120)
def test_it_binds_when_the_clock_on_the_wall_says_so(when, at, absent) -> None:
    changes = [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
    if any(abs(at - c) < timedelta(days=1, hours=2) for c in changes):
        return  # wall clocks are ambiguous there: tests/spec/test_times.py says what holds
    absences = (Absence(at - timedelta(hours=1), at + timedelta(seconds=1)),) if absent else ()
    rule = condition(when=tuple(when), absences=absences, from_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert in_force(rule, at) == in_force_by_the_wall_clock(rule, at)


def test_always_is_one_span_without_an_end() -> None:
    rule = condition()
    assert in_force_spans(rule, NOON, NOON) == [(ms(rule.from_at), FOREVER_MS, False)]


def test_every_day_all_day_is_no_pause_at_midnight() -> None:
    rule = condition(when=(Weekly(DAYS, time(0), time(0)),), from_at=NOON - timedelta(days=400))
    (span,) = in_force_spans(rule, NOON, NOON + timedelta(days=3))
    assert span.start_ms == ms(rule.from_at), "in force since it began, not since the horizon did"


@pytest.mark.parametrize("days", [1, 30, 500])
def test_spans_are_whole_whatever_the_horizon(days) -> None:
    rule = condition(
        when=(Weekly(("mon", "tue"), time(19), time(7)),), from_at=NOON - timedelta(days=900)
    )
    tonight = ms(NOON.replace(hour=19))
    spans = in_force_spans(rule, NOON - timedelta(days=days), NOON + timedelta(days=days))
    assert [s.end_ms for s in spans if s.start_ms == tonight] == [tonight + 12 * 3_600_000]


def test_overlapping_times_and_absences_are_merged() -> None:
    rule = condition(
        when=(Weekly(("mon",), time(8), time(13)), Weekly(("mon",), time(12), time(15))),
        absences=(
            Absence(NOON, NOON + timedelta(minutes=20)),
            Absence(NOON + timedelta(minutes=10), NOON + timedelta(minutes=30)),
        ),
    )
    spans = [s for s in in_force_spans(rule, NOON, NOON) if s.end_ms >= ms(NOON)]
    first, second = in_force_spans(rule, NOON, NOON + timedelta(hours=1))
    assert (first.end_ms, first.authorised) == (ms(NOON), True)
    assert second.start_ms == ms(NOON + timedelta(minutes=30))
    assert spans[0] == first
