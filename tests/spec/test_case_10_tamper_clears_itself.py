"""Case 10: a strap that was cut and taped."""

from __future__ import annotations

from ringfence.engine import Signal
from tests.engine.build import after, fixes, signal, stay
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=10,
    title="A tamper that clears itself",
    elsewhere="Tampers that cleared themselves were ignored; the man had cut the strap and "
    "taped it [S].",
    shows="Reports from one place. The strap is cut, three minutes later the tag says that it "
    "is well, and half an hour later a person inspects it.",
    items=(
        fixes(stay(0, 60, 900)),
        signal(10.5, Signal.STRAP_CUT),
        signal(13.5, Signal.STRAP_OK),
        signal(45.5, Signal.TAMPER_INSPECTED),
    ),
    decides="A tag never clears its own tamper. That the strap is reported well is noted as a "
    "doubt; only a person’s inspection, with a note, ends it, and a later cut is a new one.",
    held_by=(
        "tests/spec/test_tags.py::test_a_tamper_is_never_cleared_by_the_tag",
        "tests/spec/test_tags.py::test_a_tag_cannot_say_that_a_person_inspected_it",
        "tests/desk/test_tamper_story.py",
    ),
)


def test_only_the_person_ends_it() -> None:
    (tamper,) = CASE.violations
    assert (tamper.begin_at, tamper.end_at, tamper.ended_by) == (
        after(10.5),
        after(45.5),
        "inspected",
    )
    assert "cut and taped" in " ".join(tamper.doubts)
