"""Case 7: two fixes either side of a zone."""

from __future__ import annotations

from tests.engine.build import after, condition, fixes
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=7,
    title="Two fixes either side of a zone, five minutes apart",
    elsewhere="A drive through a zone between two fixes was seen by nobody; other systems "
    "drew a straight line and called it an entry [S].",
    shows="Fixes east and west of an exclusion zone, at 40 km/h, none of them in it.",
    rules=(condition(),),
    items=(
        fixes(
            [(-10, 8300, 0), (-5, 5000, 0), (0, 1700, 0), (5, -1640, 0), (10, -4900, 0)],
            speed_mps=11,
        ),
    ),
    decides="Reachability decides: people go round what they must not enter, so a straight way is "
    "possible at most, the more so the deeper and straighter it leads; it is said once, and its "
    "doubt says that no fix was inside.",
    held_by=(
        (
            "tests/spec/test_uncertain_places.py::test_two_fixes_either_side_at_40_kmh_are"
            "_a_possible_crossing"
        ),
        (
            "tests/spec/test_uncertain_places.py::test_a_way_past_the_zone_or_after_a_long"
            "_gap_is_no_crossing"
        ),
    ),
)


def test_it_is_a_possible_crossing_and_says_what_would_make_it_wrong() -> None:
    (crossing,) = CASE.violations
    assert crossing.state == "possible"
    assert crossing.confirmed_at is None
    assert after(2) < crossing.begin_at < after(3)
    assert "straight way between two fixes" in " ".join(crossing.doubts)
