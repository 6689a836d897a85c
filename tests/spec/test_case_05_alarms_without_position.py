"""Case 5: alarms without a position, two in one frame, older than the newest fix."""

from __future__ import annotations

from ringfence.engine import Signal
from tests.engine.build import after, fixes, signal, stay
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=5,
    title="Alarms without a position, two in one frame, and one that is old",
    elsewhere="In one well-known decoder a low battery hid the strap alarm of the same frame; "
    "others dropped an alarm that had no position, or was older than the newest fix [S].",
    shows="Reports from one place. In the middle one report without a position says that the "
    "battery is low and the strap is cut; it arrived after later fixes.",
    items=(fixes(stay(0, 40, 900)), signal(20.5, Signal.BATTERY_LOW | Signal.STRAP_CUT)),
    decides="Every signal of a report speaks for itself, at once and with its own time; none "
    "needs a position.",
    held_by=(
        "tests/spec/test_tags.py::test_an_alarm_without_a_position_alerts_at_once",
        "tests/spec/test_tags.py::test_two_alarms_in_one_frame_are_two_violations",
        (
            "tests/spec/test_tags.py::test_a_strap_alarm_older_than_the_newest_fix_alerts_"
            "with_its_own_time"
        ),
    ),
)


def test_both_alarms_are_raised_at_their_own_time() -> None:
    assert [(v.kind, v.begin_at, v.confirmed_at) for v in CASE.violations] == [
        ("battery", after(20.5), after(20.5)),
        ("tamper", after(20.5), after(20.5)),
    ]
