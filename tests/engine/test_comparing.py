"""What differs between two judgements, and why, in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.engine import CAUTIOUS, NAIVE, STANDARD, Law, differences, rules_of
from tests.engine.build import after, condition, disc, fixes, found, random_walk, stay

RULE = condition(buffer_m=100.0)
WALK = fixes([(m, 500 - 80 * m, 0.0) for m in range(20)])


def law(*rules, profile=STANDARD) -> Law:
    return Law(rules_of(rules), profile.name)


def test_the_same_judgement_differs_in_nothing() -> None:
    for seed in range(10):
        walk = random_walk(seed, 120)
        walk.wearer[:] = 0
        said = found(RULE, walk)
        assert differences(said, said[::-1], was=law(RULE), now=law(RULE)) == []


def test_another_profile_confirms_later_and_the_reason_names_its_thresholds() -> None:
    old, new = found(condition(), WALK), found(condition(), WALK, profile=CAUTIOUS)
    (one,) = differences(old, new, was=None, now=law(condition(), profile=CAUTIOUS))
    assert one.what == "changed"
    assert "confirmed_at" in one.changed
    assert one.alerts
    assert "Judged by cautious/1, not standard/1" in one.why
    assert "confirm_above 0.93 → 0.99" in one.why
    assert "agreeing 2 → 3" in one.why


def test_what_only_one_side_finds_is_said_with_its_state() -> None:
    jump = fixes([(30, 0, 0)], accuracy_m=1.7)
    trail = (fixes(stay(0, 30, 900)), jump, fixes(stay(31, 60, 900)))
    old, new = found(condition(), *trail, profile=NAIVE), []
    (gone,) = differences(old, new, was=None, now=law(condition()))
    assert (gone.what, gone.new) == ("only_old", None)
    assert gone.why.startswith("Not found any more: it was confirmed")
    assert "naive/1 is geometry alone" in gone.why
    (found_now,) = differences(new, old, was=law(condition()), now=law(condition(), profile=NAIVE))
    assert (found_now.what, found_now.old) == ("only_new", None)


def test_a_condition_that_is_gone_or_says_something_else_is_the_reason() -> None:
    small = replace(condition(), geometry=disc(), radius_m=60.0)
    old, new = found(condition(), WALK), found(small, WALK)
    (moved,) = differences(old, new, was=law(condition()), now=law(small))
    assert "Condition c1 says something else now: geometry, radius." in moved.why
    (gone,) = differences(old, [], was=law(condition()), now=law())
    assert "Condition c1 is not among those" in gone.why
    renewed = replace(condition(), version=2)
    (gone,) = differences(old, [], was=law(condition()), now=law(renewed))
    assert "Version 1 of condition c1 is not in force any more" in gone.why


def test_what_has_no_cause_in_law_says_so() -> None:
    old, new = found(condition(), WALK), found(condition(), WALK, fixes(stay(20, 40, 0)))
    found_now = differences(old, new, was=None, now=law(condition()))
    assert found_now
    assert all("reports came" in d.why for d in found_now)


def test_what_a_file_does_not_say_does_not_differ() -> None:
    (one,) = found(condition(), WALK)
    read = replace(one, version=0, ended_by=None)
    assert differences([read], [one], was=None, now=law(condition())) == []


def test_a_ring_and_its_zone_are_two_matters() -> None:
    said = found(RULE, WALK, profile=NAIVE)
    assert {v.how for v in said} == {"approached", "entered"}
    without = [v for v in said if v.how == "entered"]
    lost = differences(said, without, was=None, now=law(RULE, profile=NAIVE))
    assert {d.old.how for d in lost} == {"approached"}


@pytest.mark.parametrize("earlier", [0, 3])
def test_a_begin_that_moved_is_a_change_and_no_pair_of_strangers(earlier: int) -> None:
    (one,) = found(condition(), WALK)
    moved = replace(one, begin_at=one.begin_at.replace(second=earlier))
    changed = differences([one], [moved], was=None, now=law(condition()))
    assert [d.changed for d in changed] == ([] if not earlier else [("begin_at",)])
    assert one.begin_at == after(4)
