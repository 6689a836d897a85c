"""Case 2: a condition starts, changes or ends while the wearer is inside."""

from __future__ import annotations

from tests.engine.build import after, condition, disc, fixes, stay
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=2,
    title="A condition starts, changes and ends while the wearer is inside",
    elsewhere="Systems that look for crossings of an edge say nothing when a zone or a curfew "
    "begins over somebody who is already on the wrong side [S].",
    shows="A wearer stays at one place. A square exclusion zone round it comes into force, is "
    "replaced by a larger disc, and ends; he never moves.",
    rules=(
        condition(from_at=after(10.5), to_at=after(30)),
        condition(version=2, from_at=after(30), to_at=after(50), geometry=disc(), radius_m=300.0),
    ),
    items=(fixes(stay(0, 60, 20)),),
    decides="It is raised at that instant, once, by deadline, without waiting for a fix. A "
    "new version ends the old version’s violation with that reason and begins its own.",
    held_by=(
        "tests/spec/test_times.py::test_already_inside_when_the_condition_starts",
        (
            "tests/spec/test_times.py::test_already_out_when_the_curfew_starts_by_deadline"
            "_without_a_fix"
        ),
        (
            "tests/spec/test_times.py::test_a_zone_that_ends_or_is_edited_while_he_is_insi"
            "de_closes_with_that_reason"
        ),
    ),
)


def test_each_version_raises_it_at_its_own_start_and_ends_it_with_the_reason() -> None:
    first, second = CASE.violations
    assert (first.version, first.how, first.begin_at) == (1, "present_at_start", after(10.5))
    assert (first.confirmed_at, first.ended_by) == (after(10.5), "condition_ended")
    assert (second.version, second.how, second.begin_at) == (2, "present_at_start", after(30))
    assert (second.end_at, second.ended_by) == (after(50), "condition_ended")


def test_the_words_say_that_no_fix_was_waited_for() -> None:
    assert "when it came into force, by the last place known then" in " ".join(
        CASE.violations[0].why
    )
