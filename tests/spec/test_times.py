"""Traps 2, 3, 4 and 9: times, schedules, order of arrival."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from ringfence.engine import (
    NAIVE,
    STANDARD,
    Absence,
    Batch,
    Weekly,
    compile_plan,
    evaluate,
    initial_state,
    plausible_span,
    violations,
)
from ringfence.engine.conditions import DAYS
from ringfence.engine.schedule import in_force_spans
from tests.engine.build import NOON, after, condition, disc, fixes, found, judged, ms, stay

NIGHT = Weekly(DAYS, time(19), time(7))
HOME = {"geometry": disc(), "radius_m": 80.0}
both = pytest.mark.parametrize("profile", [NAIVE, STANDARD], ids=lambda p: p.name)


@both
def test_already_inside_when_the_condition_starts(profile) -> None:
    rule = condition(from_at=after(10.5))
    (visit,) = found(rule, fixes(stay(0, 10, 0)), profile=profile, until=after(10.5))
    assert (visit.how, visit.begin_at, visit.confirmed_at) == (
        "present_at_start",
        after(10.5),
        after(10.5),
    )
    assert visit.fixes == 0
    assert "rests on the last fix before" in " ".join(visit.doubts)


@both
def test_already_out_when_the_curfew_starts_by_deadline_without_a_fix(profile) -> None:
    evening = NOON + timedelta(hours=6, minutes=55)
    rule = condition("curfew", when=(NIGHT,), **HOME)
    out = fixes(stay(-10, 4, 700), start=evening)
    assert found(rule, out, profile=profile, until=NOON.replace(hour=18, minute=59)) == []
    (absent,) = found(rule, out, profile=profile, until=NOON.replace(hour=19))
    assert (absent.how, absent.begin_at) == ("absent_at_start", NOON.replace(hour=19))
    assert absent.confirmed_at == absent.begin_at


@both
def test_it_is_raised_once_and_ends_when_he_comes_home(profile) -> None:
    evening = NOON.replace(hour=19)
    rule = condition("curfew", when=(NIGHT,), **HOME)
    out, home = fixes(stay(-10, 20, 700), start=evening), fixes(stay(30, 50, 0), start=evening)
    (absent,) = found(rule, out, home, profile=profile)
    assert absent.ended_by == "returned"
    assert after(30, evening) <= absent.end_at <= after(33, evening)


@both
def test_a_zone_that_ends_or_is_edited_while_he_is_inside_closes_with_that_reason(profile) -> None:
    old = condition(to_at=after(20))
    new = condition(from_at=after(20), version=2, radius_m=300.0, geometry=disc())
    first, second = found([old, new], fixes(stay(0, 40, 0)), profile=profile)
    assert (first.version, first.end_at, first.ended_by) == (1, after(20), "condition_ended")
    assert (second.version, second.how, second.begin_at) == (2, "present_at_start", after(20))
    assert second.end_at is None


@both
def test_an_authorised_absence_ends_a_violation_and_its_end_begins_another(profile) -> None:
    rule = condition("inclusion", absences=(Absence(after(20.5), after(40.5), "court"),))
    first, second = found(rule, fixes(stay(0, 60, 900)), profile=profile)
    assert (first.end_at, first.ended_by) == (after(20.5), "authorised")
    assert (second.begin_at, second.how) == (after(40.5), "absent_at_start")


@both
def test_attendance_late_left_early_and_absent(profile) -> None:
    rule = condition("attendance", when=(Weekly(("mon",), time(12), time(13)),), **HOME)
    away = fixes(stay(-20, 10, 600))
    (late,) = found(rule, away, fixes(stay(20, 65, 0)), profile=profile)
    assert (late.how, late.begin_at, late.ended_by) == ("late", NOON, "returned")
    (absent,) = found(rule, away, fixes(stay(10, 70, 600)), profile=profile)
    assert (absent.how, absent.begin_at, absent.end_at) == ("absent", NOON, after(60))
    (left,) = found(rule, fixes(stay(-5, 30, 0)), fixes(stay(35, 65, 600)), profile=profile)
    assert left.how == "left"
    assert after(34) <= left.begin_at <= after(36)


def test_no_data_is_neither_compliance_nor_a_violation() -> None:
    rule = condition("curfew", when=(NIGHT,), **HOME)
    gone = fixes(stay(0, 60, 700))  # last heard six hours before the curfew starts
    assert found(rule, gone, until=NOON.replace(hour=23)) == []


def test_a_first_fix_outside_in_mid_curfew_does_not_claim_the_start() -> None:
    rule = condition("curfew", when=(NIGHT,), **HOME)
    night = NOON.replace(hour=22)
    (left,) = found(rule, fixes(stay(0, 10, 700), start=night))
    assert (left.how, left.begin_at) == ("left", night)


@both
def test_buffered_uploads_newest_first_twice_over_two_transports(profile) -> None:
    whole = fixes([(m, 500 - 40 * m, 0) for m in range(25)])
    newest_first = whole.take(np.arange(24, -1, -1))
    twice = judged(condition(), newest_first, whole.take(slice(5, 15)), profile=profile)
    once = judged(condition(), whole, profile=profile)
    assert twice.violations == once.violations != ()


def test_a_fix_dated_2032_or_1024_weeks_ago_is_kept_and_not_judged() -> None:
    good = fixes(stay(0, 30, 0))
    odd = fixes([(0, 900, 0), (1, 900, 0)])
    odd.time_ms[:] = [ms(datetime(2032, 1, 1, tzinfo=UTC)), ms(NOON - timedelta(weeks=1024))]
    replay = judged(condition(), odd, good)
    assert replay.violations == judged(condition(), good).violations
    assert replay.result.outside.tolist() == [True, True] + [False] * 30
    times = np.concatenate([odd.time_ms, good.time_ms])
    assert plausible_span(times) == (ms(NOON), ms(after(29)))


CHANGES = [  # the Saturday evening before, hours of that night, 01:30 local on the Sunday
    (datetime(2026, 10, 24, 18, tzinfo=UTC), 13, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    (datetime(2026, 3, 28, 19, tzinfo=UTC), 11, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    (datetime(2026, 6, 6, 18, tzinfo=UTC), 12, datetime(2026, 6, 7, 0, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize(("begins", "hours", "half_past_one"), CHANGES)
def test_a_curfew_over_a_clock_change_night_has_11_12_or_13_hours(
    begins, hours, half_past_one
) -> None:
    rule = condition("curfew", when=(NIGHT,), from_at=begins - timedelta(days=9), **HOME)
    plan = compile_plan(
        [rule], NAIVE, start_at=begins - timedelta(days=3), end_at=begins + timedelta(days=3)
    )
    out = fixes([(-5, 700, 0)], start=begins)
    result = evaluate(plan, initial_state(plan), out, ms(begins + timedelta(hours=20)))
    night = next(v for v in violations(plan, result.events, result.state) if v.begin_at == begins)
    assert night.end_at - night.begin_at == timedelta(hours=hours)


@pytest.mark.parametrize(("begins", "hours", "half_past_one"), CHANGES)
def test_half_past_one_is_the_first_of_two_or_moves_on_with_the_clock(
    begins, hours, half_past_one
) -> None:
    rule = condition(
        "curfew", when=(Weekly(("sun",), time(1, 30), time(5)),), from_at=begins, **HOME
    )
    (span,) = in_force_spans(rule, begins, begins + timedelta(hours=20))
    assert span.start_ms == ms(half_past_one)


def test_nothing_heard_ever_is_nothing_said() -> None:
    assert judged(condition("inclusion"), Batch.empty(), until=after(999)).violations == ()
