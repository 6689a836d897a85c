"""Each kind of condition, in the words that orders use."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from ringfence.engine import NAIVE, STANDARD, Absence, Batch, Weekly, compile_plan, judge_all
from ringfence.engine.conditions import DAYS
from tests.engine.build import NOON, after, condition, disc, fixes, found, judged, square, stay

both = pytest.mark.parametrize("profile", [NAIVE, STANDARD], ids=lambda p: p.name)
HOME = {"geometry": disc(), "radius_m": 80.0}


@both
@pytest.mark.parametrize("kind", ["inclusion", "restriction"])
def test_to_stay_within_is_broken_outside_and_mended_by_coming_back(kind, profile) -> None:
    area = condition(kind, geometry=square(3000 if kind == "restriction" else 300))
    edge = 3000 if kind == "restriction" else 300
    out = [(20.0 + m, edge - 400 + 80.0 * m, 0.0) for m in range(16)]
    back = [(36.0 + m, edge + 800 - 80.0 * m, 0.0) for m in range(16)]
    (left,) = found(area, fixes(stay(0, 20, edge - 400)), fixes(out + back), profile=profile)
    assert (left.kind, left.how, left.state, left.ended_by) == (
        kind,
        "left",
        "confirmed",
        "returned",
    )
    assert after(25) <= left.begin_at <= after(27)
    assert after(46) <= left.end_at <= after(50)


@both
def test_a_weekly_exclusion_binds_in_its_hours_only(profile) -> None:
    school = condition(when=(Weekly(("mon",), time(14), time(15)),))
    before, during = fixes(stay(0, 60, 0)), fixes(stay(90, 200, 0))
    assert found(school, before, profile=profile) == []
    (visit,) = found(school, before, during, profile=profile)
    assert (visit.how, visit.begin_at) == ("present_at_start", after(120))
    assert (visit.end_at, visit.ended_by) == (after(180), "condition_ended")


@both
def test_authorised_passage_through_a_zone_is_no_violation_and_staying_on_is(profile) -> None:
    passage = condition(absences=(Absence(after(-1), after(30), "a court date"),))
    assert found(passage, fixes(stay(0, 20, 0)), fixes(stay(20, 60, 900)), profile=profile) == []
    (stays,) = found(passage, fixes(stay(0, 60, 0)), profile=profile)
    assert (stays.how, stays.begin_at) == ("present_at_start", after(30))


@both
def test_a_zone_that_ends_while_he_is_outside_says_nothing(profile) -> None:
    ends = condition(to_at=after(20))
    assert found(ends, fixes(stay(0, 40, 900)), profile=profile) == []
    assert found(ends, fixes(stay(25, 40, 0)), profile=profile) == []


@both
def test_a_zone_that_shrinks_away_from_him_closes_and_begins_nothing(profile) -> None:
    wide = condition(to_at=after(20), geometry=disc(), radius_m=900.0)
    narrow = condition(from_at=after(20), version=2, geometry=disc(), radius_m=100.0)
    (visit,) = found([wide, narrow], fixes(stay(0, 40, 600)), profile=profile)
    assert (visit.version, visit.end_at, visit.ended_by) == (1, after(20), "condition_ended")


@both
def test_a_curfew_on_the_night_when_clocks_go_back_binds_both_half_past_ones(profile) -> None:
    evening = datetime(2026, 10, 24, 18, tzinfo=UTC)  # 19:00 in London
    nights = condition("curfew", when=(Weekly(DAYS, time(19), time(7)),), **HOME)
    day = timedelta(days=1)
    plan = compile_plan([nights], profile, start_at=evening - day, end_at=evening + day)
    at_home = fixes(stay(-5, 700, 0), start=evening)
    for hours, hows in ((6.5, ["left"]), (7.5, ["left"]), (12.9, ["left"]), (13.0, [])):
        out = fixes(stay(0, 4, 700), start=evening + timedelta(hours=hours))
        home = at_home.take(at_home.time_ms < out.time_ms[0])
        said = judge_all(plan, Batch.concat([home, out])).violations
        assert [v.how for v in said if v.condition] == hows, hours


@both
def test_a_hospital_night_out_of_a_curfew_is_authorised(profile) -> None:
    nine = NOON.replace(hour=19)
    night = condition(
        "curfew",
        when=(Weekly(DAYS, time(19), time(7)),),
        absences=(Absence(nine, nine + timedelta(hours=12), "hospital"),),
        **HOME,
    )
    assert found(night, fixes(stay(-30, 700, 700), start=nine), profile=profile) == []


@both
def test_attendance_is_judged_in_its_time_only_and_once_present_nothing_is_said(profile) -> None:
    course = condition("attendance", when=(Weekly(("mon",), time(12), time(13)),), **HOME)
    assert found(course, fixes(stay(-60, -1, 700)), profile=profile) == []
    there = [fixes(stay(-5, 65, 0)), fixes(stay(66, 90, 700))]
    assert found(course, *there, profile=profile) == []


@both
def test_a_trail_condition_is_data_only(profile) -> None:
    trail = condition("trail")
    assert judged(trail, fixes(stay(0, 60, 0)), profile=profile).violations == ()


@both
def test_a_buffer_belongs_to_an_exclusion_and_means_nothing_to_others(profile) -> None:
    curfew = condition("curfew", buffer_m=300.0, **HOME)
    near_home = fixes(stay(0, 30, 200))
    said = found(curfew, near_home, profile=profile)
    assert [(v.how, v.part) for v in said] == [("left", "")]
    (ring,) = found(condition(buffer_m=300.0), fixes(stay(0, 30, 350)), profile=profile)
    assert (ring.how, ring.part) == ("approached", "ring")
