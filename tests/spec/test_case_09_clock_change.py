"""Case 9: the nights on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from ringfence.engine import Weekly
from ringfence.engine.conditions import DAYS
from tests.engine.build import condition, disc, fixes
from tests.spec.scenario import Scenario

DUSK = datetime(2026, 10, 24, 17, 30, tzinfo=UTC)
AWAY = [(10.0 * n, 600.0 + n % 2, 0.0) for n in range(88)]

CASE = Scenario(
    number=9,
    title="A curfew over the night on which clocks go back",
    elsewhere="01:30 happened twice, a curfew 19:00–07:00 was an hour short or long, and a "
    "wearer was said to have broken it [S].",
    shows="A wearer stays 600 m from his curfew address all night, from before 19:00 until "
    "after 07:00 by the clock.",
    rules=(
        condition(
            "curfew",
            from_at=DUSK - timedelta(days=9),
            geometry=disc(),
            radius_m=80.0,
            when=(Weekly(DAYS, time(19), time(7)),),
        ),
    ),
    items=(fixes(AWAY, start=DUSK),),
    decides="Weekly times are wall-clock times made UTC intervals by RFC 5545: this curfew "
    "has 13 hours, the one in March 11. Of a time that comes twice the first counts.",
    held_by=(
        ("tests/spec/test_times.py::test_a_curfew_over_a_clock_change_night_has_11_12_or_13_hours"),
        (
            "tests/spec/test_times.py::test_half_past_one_is_the_first_of_two_or_moves_on_"
            "with_the_clock"
        ),
        "tests/engine/test_schedule.py",
    ),
)


def test_the_absence_lasts_thirteen_hours() -> None:
    (absence,) = CASE.violations
    assert absence.how == "absent_at_start"
    assert absence.begin_at == datetime(2026, 10, 24, 18, tzinfo=UTC)
    assert absence.end_at - absence.begin_at == timedelta(hours=13)
    assert absence.ended_by == "condition_ended"
