"""The words tell how a decision was reached, with its numbers; good enough for a court."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ringfence.engine import CAUTIOUS, NAIVE, STANDARD, Batch, Source, Violation
from tests.engine.build import after, condition, fixes, found, hers, judged, random_walk, stay

WALK_IN = [(m, 500 - 80 * m, 0.0) for m in range(12)]


def why(violation: Violation) -> str:
    return " ".join(violation.why)


def test_a_fix_on_the_way_is_said_to_count_for_two_and_where_the_way_leads() -> None:
    (visit,) = found(condition(), fixes(stay(-10, 0, 500) + WALK_IN[:4] + [(4, 150, 0)]))
    assert visit.fixes == 1
    assert "the fix of that instant carries on the way that the fixes before it show" in why(visit)
    assert re.search(r"puts the tag \d+ m past the edge, give or take \d+ m \(95 %\)", why(visit))
    assert "counts for two" in why(visit)
    assert any("carried on the way of those before it" in d for d in visit.doubts)


def test_a_fix_within_reach_of_a_way_that_turned_is_said_to_be_that() -> None:
    by_car = [(m, 550, 400 * m - 4_000.0) for m in range(11)]
    (visit,) = found(condition(), fixes([*by_car, (11, 130, 0)], speed_mps=7.0))
    assert (visit.state, visit.fixes) == ("confirmed", 1)
    assert "the fix of that instant lies within reach at their pace" in why(visit)
    assert any("lay within reach at the pace of those before it" in d for d in visit.doubts)


def test_fixes_in_a_row_are_counted_as_they_lay() -> None:
    (visit,) = found(condition(), fixes(stay(0, 20, 0)))
    count = int(re.search(r"(\d+) fixes in a row lay past the edge", why(visit)).group(1))
    minutes = (visit.confirmed_at - visit.begin_at).total_seconds() / 60
    assert count == minutes + 1 >= STANDARD.agreeing
    assert "carries on the way" not in why(visit)
    assert "confirming takes 93 %" in why(visit)


def test_what_only_geometry_decides_is_said_to_weigh_no_error() -> None:
    (visit,) = found(condition(), fixes(WALK_IN), profile=NAIVE)
    assert "by geometry alone" in why(visit)
    assert "%" not in why(visit)


def test_a_rule_that_comes_into_force_says_that_no_fix_was_waited_for() -> None:
    (visit,) = found(condition(from_at=after(10.5)), fixes(stay(0, 11, 0)), until=after(12))
    assert "when it came into force, by the last place known then" in why(visit)


@pytest.mark.parametrize("profile", [STANDARD, CAUTIOUS], ids=lambda p: p.name)
def test_many_fixes_at_one_place_are_said_to_share_one_error(profile) -> None:
    (lying,) = found(condition(), fixes(stay(0, 60, 185), accuracy_m=30.0), profile=profile)
    assert lying.state == "possible"
    assert "they share one error" in why(lying)
    takes = f"Confirming takes {100 * profile.confirm_above:g} % and {profile.agreeing} fixes"
    assert takes in why(lying)
    assert why(lying).startswith("May have been inside the zone")


def test_what_is_possible_only_claims_nothing() -> None:
    jump = fixes([(30, 0, 0)], accuracy_m=1.7)
    (said,) = found(condition(), fixes(stay(0, 30, 400)), jump, fixes(stay(31, 40, 400)))
    assert said.why[0].startswith("May have entered the zone at")
    assert "Later fixes" in said.why[-1]


def test_a_way_between_two_fixes_is_never_said_to_be_a_fix_inside() -> None:
    drive = fixes([(-5, 5000, 0), (0, 1700, 0), (5, -1640, 0)], speed_mps=11)
    (crossing,) = found(condition(), drive)
    assert crossing.why[0].startswith("May have gone through the zone at about")
    assert "No fix shows it" in why(crossing)
    assert "deepest is" not in why(crossing)


def test_fixes_by_cell_in_the_run_before_are_counted_as_such() -> None:
    cells = fixes([(m, 0, m) for m in range(0, 12, 2)], source=Source.CELL, accuracy_m=250)
    satellites = fixes([(12.5, 0, 3), (13.5, 1, 4), (14.5, 2, 2), (15.5, 0, 3)])
    (visit,) = found(condition(), fixes(stay(-20, 0, 400)), cells, satellites)
    assert (visit.state, visit.fixes) == ("confirmed", 10)
    assert "10 fixes lie past the edge, 6 of them by cell" in why(visit)


def test_words_about_a_pair_say_no_metres_of_a_place() -> None:
    path = [(float(m), 3000 - 84 * m, 0.0) for m in range(36)]
    rule = condition("proximity", victim="V1", distance_m=500.0)
    said = found(rule, fixes(path), hers([(m + 0.4, m % 2, 0.0) for m in range(36)]))
    assert said
    assert all("puts the tag" not in why(v) for v in said)


def test_the_words_of_random_trails_agree_with_their_numbers() -> None:
    """Whatever is decided: the reasons name the instants and counts that the violation has."""
    seen = set()
    for seed in range(30):
        walk = random_walk(seed, 80)
        for profile in (STANDARD, CAUTIOUS):
            for v in judged(condition(buffer_m=150.0), _one(walk), profile=profile).violations:
                if v.condition is None:
                    continue
                text = why(v)
                seen |= {w for w in ("in a row lay", "carries on", "May have") if w in text}
                assert (v.state == "confirmed") == ("Confirmed at" in text)
                assert (v.state == "possible") == ("Possible only" in text)
                assert text.startswith("May have") == (v.state == "possible")
                row = re.search(r"(\d+)( or more)? fixes in a row lay", text)
                if row and "counts for two" not in text:
                    assert int(row.group(1)) >= profile.agreeing
                told = re.search(r"probability reached ([\d.]+) %", text).group(1)
                assert float(told) == pytest.approx(100 * v.probability, abs=0.06)
    assert seen == {"in a row lay", "carries on", "May have"}


def _one(batch: Batch) -> Batch:
    batch.wearer[:] = np.int32(0)
    return batch


def test_the_probability_that_is_told_is_the_highest_that_was_reached() -> None:
    points = [*stay(0, 20, 500), (20, 100, 0), (21, 100, 30), (22, 500, 0)]
    reached = []
    for count in range(21, len(points)):
        (visit,) = found(condition(), fixes(points[:count]), until=after(points[count - 1][0]))
        reached.append(visit.probability)
    (ended,) = found(condition(), fixes(points))
    assert reached == sorted(reached)
    assert reached[0] < reached[-1] == ended.probability < STANDARD.confirm_above
    assert f"reached {100 * ended.probability:.1f} %" in why(ended)
