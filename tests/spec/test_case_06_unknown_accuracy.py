"""Case 6: accuracy 0 or absent, and circles of kilometres."""

from __future__ import annotations

from ringfence.engine import Source
from tests.engine.build import condition, fixes, stay
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=6,
    title="Accuracy 0 or absent, and a circle of 3 km",
    elsewhere="Accuracy 0 was read as perfect, and a 3 km circle at a boundary as a place [S].",
    shows="Fixes a few metres inside an exclusion zone’s edge give no accuracy; after them "
    "come cell fixes with circles of 3 km that cover everything.",
    rules=(condition(),),
    items=(
        fixes(stay(-20, 0, 320)),
        fixes(stay(0, 5, 185), accuracy_m=0.0),
        fixes(stay(5, 10, 185), accuracy_m=float("nan")),
        fixes(stay(10, 16, 320)),
        fixes([(m, 190, 0) for m in range(20, 60, 5)], accuracy_m=3000, source=Source.CELL),
    ),
    decides="Unknown is never perfect: the usual circle of that source is taken, and the "
    "violation says so. A circle wider than the zone decides nothing.",
    held_by=(
        ("tests/spec/test_uncertain_places.py::test_accuracy_0_or_absent_is_unknown_never_perfect"),
        (
            "tests/spec/test_uncertain_places.py::test_a_three_kilometre_circle_at_a_bound"
            "ary_decides_nothing"
        ),
    ),
)


def test_a_few_metres_inside_by_unknown_circles_confirms_nothing() -> None:
    assert all(v.state == "possible" for v in CASE.violations)
    assert any("usual circle" in d for v in CASE.violations for d in v.doubts)


def test_the_wide_circles_open_nothing() -> None:
    assert not [v for v in CASE.violations if v.begin_at.minute >= 20]
