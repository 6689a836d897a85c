"""Case 1: indoor drift looks like an entry."""

from __future__ import annotations

from ringfence.engine import Source
from tests.engine.build import condition, fixes, stay
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=1,
    title="Indoor drift, one over-sure fix, and floating points",
    elsewhere="A tag on a desk was placed 175–230 m off by cell fixes that claimed 20 m; a "
    "satellite fix 200 m off claimed 1.7 m; and a man was jailed for points that crossed a "
    "pond at 100 yards in 2 seconds [S].",
    shows="A tag lies 60 m outside an exclusion zone. Cell fixes jump to 175 m inside it and "
    "back, one satellite fix with a tiny circle lies in its middle, and two more leap 90 m "
    "within seconds.",
    rules=(condition(),),
    items=(
        fixes(stay(-20, 0, 260)),
        fixes(
            [(4.0 * i + 0.5, 260.0 - (0, 175, 215, 229)[i % 4], 9.0 * (i % 3)) for i in range(12)],
            accuracy_m=20,
            source=Source.CELL,
        ),
        fixes([(50, 0, 0)], accuracy_m=1.7),
        fixes(stay(51, 60, 260)),
        fixes([(60.05, 169, 0), (60.0833, 168, 1), (60.15, 261, 0)], speed_mps=0.2),
        fixes(stay(61, 75, 260)),
    ),
    decides="One fix alone never confirms, whatever circle it claims; cell fixes confirm "
    "nothing; a fix that moved faster than anyone can is kept, named as doubted, and decides "
    "nothing.",
    held_by=(
        (
            "tests/spec/test_uncertain_places.py::test_one_fix_alone_never_confirms_howeve"
            "r_sure_it_claims_to_be"
        ),
        ("tests/spec/test_uncertain_places.py::test_floating_points_across_a_pond_are_doubted"),
        "tests/engine/test_quality.py",
    ),
)


def test_nothing_of_it_is_confirmed() -> None:
    assert CASE.violations
    assert {v.state for v in CASE.violations} == {"possible"}
    assert all(v.end_at is not None for v in CASE.violations)


def test_the_leap_is_named_as_doubted() -> None:
    doubted = [s for s in CASE.seen if s.doubted]
    assert doubted
    assert all(s.state != "confirmed" for s in CASE.seen)
