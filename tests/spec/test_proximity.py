"""Trap 8: how near a wearer is to a consenting victim's device."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ringfence.engine import (
    NAIVE,
    STANDARD,
    Absence,
    Batch,
    Condition,
    Source,
    Standing,
    Violation,
    compile_plan,
    evaluate,
    judge_all,
    standings,
    victim_number,
    violations,
    with_victims,
)
from tests.engine.build import (
    after,
    condition,
    disc,
    fixes,
    found,
    hers,
    judged,
    ms,
    place,
    square,
    stay,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Path = list[tuple[float, float, float]]


def rule(**more) -> Condition:
    return condition("proximity", **{"victim": "V1", "distance_m": 500.0, **more})


def at_home(first: int = 0, last: int = 60) -> Path:
    """She is at home; her phone says so on the half minute."""
    return [(m + 0.4, m % 2, 0.0) for m in range(first, last)]


def walk_in(speed: float = 84.0, start_m: float = 3000.0, minutes: int = 36) -> Path:
    """He walks towards her home from the east, `speed` metres a minute."""
    return [(float(m), start_m - speed * m, 0.0) for m in range(minutes)]


def near(said: list[Violation]) -> list[Violation]:
    return [v for v in said if v.part == "" and v.state == "confirmed"]


def warned(said: list[Violation]) -> list[Violation]:
    return [v for v in said if v.how == "approached" and v.state == "confirmed"]


both = pytest.mark.parametrize("profile", [NAIVE, STANDARD], ids=lambda p: p.name)


@both
def test_an_approach_gives_a_pre_alert_at_twice_the_distance_then_a_violation(profile) -> None:
    said = found(rule(), fixes(walk_in()), hers(at_home()), profile=profile)
    assert [(v.kind, v.how, v.state) for v in said] == [
        ("proximity", "approached", "confirmed"),
        ("proximity", "entered", "confirmed"),
    ]
    pre, violation = said
    assert after(23) < pre.confirmed_at <= after(26)
    assert after(29) < violation.confirmed_at <= after(32)
    assert (pre.end_at, violation.end_at) == (None, None)
    assert pre.wearer == violation.wearer == "W1"


def test_the_why_says_distance_circles_age_and_closing_speed_with_numbers() -> None:
    (violation,) = near(found(rule(), fixes(walk_in()), hers(at_home(0, 36))))
    text = " ".join(violation.why)
    assert "ordered distance is 500 m" in text
    assert re.search(r"circles 12 m \(wearer\) and 12 m, the older place (24|36) s old", text)
    assert "closing in at 1.4 m/s" in text
    assert "fixes of the two devices show it" in text
    assert violation.depth_m == pytest.approx(440, abs=10)


def test_no_text_says_where_she_is() -> None:
    """A wearer's page may show these words: they hold a distance, no place and no direction."""
    plan = compile_plan([rule()], start_at=after(-60), end_at=after(600))
    batch = with_victims(plan, Batch.concat([fixes(walk_in()), hers(at_home())]))
    replay = judge_all(plan, batch)
    lines = [w for v in replay.violations for w in (*v.why, *v.doubts)]
    lines += [s.why for s in standings(plan, replay.result.state, "W1")]
    lon, lat = place(0, 0)
    for line in lines:
        assert f"{lat:.2f}" not in line
        assert f"{lon:.2f}" not in line
        assert not any(word in line for word in ("north", "south", "east", "west", "V1"))


def test_a_victim_who_walks_towards_a_still_wearer_counts_and_his_stillness_is_said() -> None:
    still = fixes(stay(0, 40, 0))
    she = hers([(x + 0.4, e, n) for x, e, n in walk_in()])
    (violation,) = near(found(rule(), still, she))
    assert after(29) < violation.confirmed_at <= after(33)
    assert "at rest when the two were nearest" in " ".join(violation.doubts)
    (his,) = near(found(rule(), fixes(walk_in()), hers(at_home())))
    assert "at rest when" not in " ".join(his.doubts)


def test_geometry_is_symmetric() -> None:
    """Who walks and who stays changes neither when it begins nor how near they come."""
    a = found(rule(), fixes(walk_in()), hers(at_home()), profile=NAIVE)
    b = found(
        rule(),
        fixes(at_home()),
        hers(walk_in()),
        profile=NAIVE,
    )
    assert [(v.how, v.begin_at, v.depth_m, v.fixes) for v in a] == [
        (v.how, v.begin_at, v.depth_m, v.fixes) for v in b
    ]


def test_a_victim_whose_place_is_20_minutes_old_is_unknown_never_safe() -> None:
    stopped = hers(at_home(0, 10))
    assert near(found(rule(), fixes(walk_in()), stopped)) == []
    assert state_of(fixes(walk_in()), stopped) == "no_data"
    assert state_of(fixes(stay(0, 40, 5000)), stopped) == "no_data"
    assert state_of(fixes(stay(0, 60, 5000)), hers(at_home())) == "clear"


def test_a_wearer_whose_place_is_old_is_unknown_never_safe() -> None:
    assert state_of(fixes(stay(0, 10, 5000)), hers(at_home())) == "no_data"


def test_nothing_ever_heard_of_either_side_is_unknown() -> None:
    assert state_of(fixes(stay(0, 40, 5000))) == "no_data"
    assert state_of(hers(at_home())) == "no_data"


def state_of(*batches: Batch) -> str:
    return standing_of(*batches).state


def standing_of(*batches: Batch) -> Standing:
    plan = compile_plan([rule()], start_at=after(-60), end_at=after(600))
    replay = judge_all(plan, with_victims(plan, Batch.concat(list(batches))), ms(after(60)))
    (standing,) = standings(plan, replay.result.state, "W1")
    return standing


def test_a_standing_tells_no_distance_beyond_twice_the_ordered_one() -> None:
    """Told often enough from places that he knows, it would tell him where she is."""
    far = standing_of(fixes(stay(0, 60, 5000)), hers(at_home()))
    assert far.distance_m == -500.0
    assert far.why.startswith(
        "The two devices were at least 1,000 m apart (the ordered distance is"
    )
    close = standing_of(fixes(stay(0, 60, 300)), hers(at_home()))
    assert close.distance_m == pytest.approx(200, abs=3)
    assert "were 300 m apart" in close.why or "were 299 m apart" in close.why
    gone = standing_of(fixes(stay(0, 10, 300)), hers(at_home(0, 10)))
    assert "confirmed at" in gone.why
    vague = standing_of(fixes(stay(0, 10, 5000)), hers(at_home(0, 10)))
    assert "to tell where the two are now" in vague.why
    alone = standing_of(fixes(stay(0, 60, 300)))
    assert alone.why.startswith("No position of one of the two devices was ever received")


def test_silence_of_either_side_ends_nothing_that_is_confirmed() -> None:
    (violation,) = near(found(rule(), fixes(walk_in()), hers(at_home(0, 33)), until=after(120)))
    assert violation.end_at is None
    assert "without fixes of one of the devices" in " ".join(violation.doubts)


def test_one_fix_alone_of_either_side_confirms_nothing() -> None:
    home, far = at_home(), fixes(stay(0, 60, 3000))
    astray = hers([(30.7, 2900.0, 0.0)], accuracy_m=1.7)
    assert near(found(rule(), far, hers(home), astray)) == []
    his = fixes([(30.7, 100.0, 0.0)], accuracy_m=1.7)
    assert near(found(rule(), far, his, hers(home))) == []


def test_her_one_wrong_fix_is_not_borne_out_by_how_often_he_is_seen() -> None:
    """He reports every 15 s beside the place that one fix of hers claims."""
    quick = fixes([(m / 4, 2900.0 + m % 2, 0.0) for m in range(240)])
    astray = hers([(30.7, 2900.0, 0.0)], accuracy_m=1.7)
    assert near(found(rule(), quick, hers(at_home()), astray)) == []


def test_both_errors_count() -> None:
    """450 m apart of 500: sure with good circles, and not with vague ones on either side."""
    for his_m, her_m, sure in ((8, 8, True), (300, 8, False), (8, 300, False)):
        he = fixes(stay(0, 6, 450), accuracy_m=his_m, source=Source.WIFI)
        she = hers(at_home(0, 6), accuracy_m=her_m, source=Source.WIFI)
        assert bool(near(found(rule(), he, she))) == sure, (his_m, her_m)


def test_an_old_place_is_a_vague_one() -> None:
    """He stands 420 m from where she was on her way 5 minutes ago: she may be anywhere near."""
    on_her_way = hers([(m, 80.0 * m, 0.0) for m in range(-10, 1)])
    he = fixes([(m, 420.0 + m % 2, 0.0) for m in range(5, 13)])
    assert near(found(rule(), he, on_her_way)) == []
    goes_on = hers([(m, 80.0 * m, 0.0) for m in range(-10, 6)])
    assert near(found(rule(), he, goes_on))


def test_cell_fixes_of_either_side_confirm_nothing() -> None:
    by_cell = {"source": Source.CELL, "accuracy_m": 300}
    assert near(found(rule(), fixes(stay(0, 30, 10), **by_cell), hers(at_home()))) == []
    assert near(found(rule(), fixes(stay(0, 30, 10)), hers(at_home(), **by_cell))) == []


def test_one_encounter_is_one_violation() -> None:
    there = [(float(m), 3000 - 84.0 * m, 0.0) for m in range(36)]
    back = [(36.0 + m, 60 + 84.0 * m, 0.0) for m in range(30)]
    said = found(rule(), fixes(there + back), hers(at_home(0, 70)))
    pre, violation = said
    assert (pre.ended_by, violation.ended_by) == ("left", "left")
    assert after(41) < violation.end_at < after(44)
    assert after(47) < pre.end_at < after(50)


COURT = {**disc(0, 0), "radius_m": 150.0}


@both
def test_in_a_derogated_place_nearness_is_not_judged(profile) -> None:
    in_court = fixes(stay(0, 60, 20))
    assert found(rule(), in_court, hers(at_home()), profile=profile)
    excepted = rule(except_places=(COURT,))
    assert found(excepted, in_court, hers(at_home()), profile=profile) == []
    shapes = rule(except_places=(square(50, 900), square(150)))
    assert found(shapes, in_court, hers(at_home()), profile=profile) == []


def test_outside_the_derogated_place_nearness_is_judged_though_she_is_in_it() -> None:
    outside = fixes(stay(0, 60, 300))
    (violation,) = near(found(rule(except_places=(COURT,)), outside, hers(at_home())))
    assert violation.depth_m == pytest.approx(200, abs=5)


def test_a_step_out_of_court_is_judged_as_soon_as_it_is_sure() -> None:
    leaving = fixes(stay(0, 30, 20) + [(30.0 + m, 20 + 60.0 * m, 0.0) for m in range(6)])
    (violation,) = near(found(rule(except_places=(COURT,)), leaving, hers(at_home())))
    assert after(32) < violation.confirmed_at <= after(35)


def test_present_at_start_needs_no_fix() -> None:
    starts = rule(from_at=after(30.2))
    said = near(found(starts, fixes(stay(0, 60, 100)), hers(at_home())))
    assert [(v.how, v.begin_at) for v in said] == [("present_at_start", after(30.2))]
    assert said[0].confirmed_at == after(30.2)


def test_when_it_stops_what_is_open_ends_with_it() -> None:
    ends = rule(to_at=after(45))
    (violation,) = near(found(ends, fixes(stay(0, 60, 100)), hers(at_home())))
    assert (violation.ended_by, violation.end_at) == ("condition_ended", after(45))


def test_a_straight_way_past_her_between_two_fixes_is_a_possible_violation() -> None:
    drive = fixes([(-8, 6000, 100), (-4, 3500, 100), (0, 1500, 100), (4, -1500, 100), (8, -6e3, 9)])
    (passing,) = [v for v in found(rule(), drive, hers(at_home(-10, 10))) if v.part == ""]
    assert passing.state == "possible"
    assert after(1) < passing.begin_at < after(3)
    assert passing.depth_m == pytest.approx(400, abs=10)
    assert "straight way between two fixes" in " ".join(passing.doubts)


def test_a_frozen_phone_hides_no_approach_and_clears_nobody() -> None:
    frozen = hers([(m / 2, 0.0, 0.0) for m in range(-200, 120)])
    (violation,) = near(found(rule(), fixes(walk_in()), frozen))
    assert violation.confirmed_at <= after(33)
    assert "to the last digit" in " ".join(violation.doubts)
    assert state_of(fixes(stay(0, 60, 5000)), frozen) == "no_data"


def test_her_fixes_alone_break_no_rule_about_his_tag() -> None:
    """Her phone goes on for hours after his tag fell silent: that is his silence."""
    replay = judged(rule(), fixes(stay(0, 10, 5000)), hers(at_home(0, 200)))
    (silence,) = replay.violations
    assert (silence.kind, silence.begin_at) == ("silence", after(9 + STANDARD.silence_s / 60))


def test_each_wearer_is_judged_apart_and_each_victim_too() -> None:
    rules = [
        rule(),
        rule(id="c2", wearer="W2"),
        rule(id="c3", victim="V2"),
    ]
    he, other = fixes(stay(0, 30, 100)), fixes(stay(0, 30, 5000), wearer=1)
    said = near(found(rules, he, other, hers(at_home()), hers(at_home(), "V2")))
    assert sorted(v.condition for v in said) == ["c1", "c3"]


def test_a_stranger_victim_means_nothing_to_a_wearer() -> None:
    alone = judged(rule(), fixes(walk_in()), until=after(60))
    beside = judged(rule(), fixes(walk_in()), hers(at_home(), "V9"), until=after(60))
    assert alone.violations == beside.violations
    assert alone.result.state.wearers.tobytes() == beside.result.state.wearers.tobytes()


def test_a_rule_new_to_the_pair_starts_from_both_last_places() -> None:
    old = compile_plan([rule()], start_at=after(-60), end_at=after(600))
    batch = Batch.concat([fixes(stay(0, 30, 100)), hers(at_home(0, 30))])
    state = judge_all(old, with_victims(old, batch)).result.state
    wider = rule(id="c9", distance_m=800.0, from_at=after(30.5))
    new = compile_plan([rule(), wider], start_at=after(-60), end_at=after(600))
    fresh = judge_all(new, Batch.empty()).result.state
    assert fresh.load(new, "W1", state.to_bytes(old, "W1")) == []
    result = evaluate(new, fresh, Batch.empty(), ms(after(31)))
    said = violations(new, result.events, result.state)
    (begun,) = [v for v in said if v.condition == "c9" and v.part == ""]
    assert (begun.how, begun.begin_at, begun.state) == ("present_at_start", after(30.5), "possible")


def by_hand(he: Path, she: Path, distance_m: float) -> list[tuple[float, bool]]:
    """What geometry alone says at each fix of either side: slow, obvious, written apart."""
    items = sorted([(m, 0, e, n) for m, e, n in he] + [(m, 1, e, n) for m, e, n in she])
    last: dict[int, tuple[float, float]] = {}
    said = []
    for minute, side, east, north in items:
        last[side] = (east, north)
        if len(last) == 2:
            (a, b), (c, d) = last.values()
            said.append((minute, float(np.hypot(a - c, b - d)) <= distance_m))
    return said


@pytest.mark.parametrize("seed", range(20))
def test_naive_says_what_geometry_says(seed) -> None:
    rng = np.random.default_rng(seed)

    def path(offset: float) -> Path:
        steps = np.cumsum(rng.normal(0, 150, (60, 2)), axis=0)
        return [(m + offset, round(e, 1), round(n, 1)) for m, (e, n) in enumerate(steps)]

    he, she = path(0.0), path(0.4)
    said = found(rule(), fixes(he), hers(she), profile=NAIVE, until=after(60))
    spans = [(v.begin_at, v.end_at) for v in said if v.part == ""]
    wanted, open_at = [], None
    for minute, is_near in by_hand(he, she, 500.0):
        if is_near and open_at is None:
            open_at = after(minute)
        if not is_near and open_at is not None:
            wanted.append((open_at, after(minute)))
            open_at = None
    assert spans == wanted + ([(open_at, None)] if open_at else [])


def test_victims_rows_are_copied_to_all_who_must_keep_away_and_to_nobody_else() -> None:
    rules = [rule(), rule(id="c2", wearer="W2"), rule(id="c3", wearer="W2", victim="V2")]
    plan = compile_plan(rules, start_at=after(-60), end_at=after(600), wearers=["W3"])
    batch = Batch.concat([fixes([(0, 0, 0)], wearer=2), hers([(1, 0, 0)]), hers([(2, 0, 0)], "V2")])
    copied = with_victims(plan, batch)
    assert sorted(zip(copied.wearer.tolist(), copied.victim.tolist(), strict=True)) == sorted(
        [(0, victim_number("V1")), (1, victim_number("V1")), (1, victim_number("V2")), (2, 0)]
    )


def test_rows_of_a_victim_that_nobody_was_handed_are_refused_with_what_to_do() -> None:
    plan = compile_plan([rule()], start_at=after(-60), end_at=after(600))
    with pytest.raises(ValueError, match=r"call with_victims\(plan, batch\) first"):
        judge_all(plan, Batch.concat([fixes(walk_in()), hers(at_home())]))
    judge_all(plan, Batch.concat([fixes(walk_in()), hers(at_home(), "V9")]))


def test_without_a_proximity_a_victims_rows_mean_nothing() -> None:
    beside = judged(condition(), fixes(stay(0, 20, 0)), hers(at_home()))
    assert beside.violations == judged(condition(), fixes(stay(0, 20, 0))).violations != ()


def test_two_distances_from_one_victim_are_two_rules() -> None:
    wide = rule(id="c2", distance_m=1000.0)
    said = near(found([rule(), wide], fixes(walk_in()), hers(at_home(0, 36))))
    assert [v.condition for v in said] == ["c2", "c1"]


def test_a_changed_distance_closes_the_old_version_and_begins_the_new_one() -> None:
    old, new = rule(to_at=after(40)), rule(from_at=after(40), version=2, distance_m=300.0)
    first, second = near(found([old, new], fixes(stay(0, 60, 100)), hers(at_home())))
    assert (first.version, first.end_at, first.ended_by) == (1, after(40), "condition_ended")
    assert (second.version, second.how, second.begin_at) == (2, "present_at_start", after(40))


def test_an_authorised_meeting_is_not_judged() -> None:
    meeting = rule(absences=(Absence(after(20), after(40), "mediation"),))
    first, second = near(found(meeting, fixes(stay(0, 60, 100)), hers(at_home())))
    assert (first.end_at, first.ended_by) == (after(20), "authorised")
    assert (second.begin_at, second.how) == (after(40), "present_at_start")


@pytest.mark.parametrize("apart_m", [460.0, 495.0, 505.0])
def test_hours_at_the_very_distance_do_not_flutter(apart_m) -> None:
    rng = np.random.default_rng(5)
    he, she = rng.normal(0, 4, (2, 600, 2))
    said = found(
        rule(),
        fixes([(m, apart_m + e, n) for m, (e, n) in enumerate(he)], accuracy_m=10),
        hers([(m + 0.4, e, n) for m, (e, n) in enumerate(she)], accuracy_m=10),
    )
    assert len([v for v in said if v.part == ""]) <= 1
    assert len(near(said)) == (apart_m < 490)


ORDERS: list[Callable[[list[Batch]], list[Batch]]] = [list, lambda parts: parts[::-1]]


@pytest.mark.parametrize(("order", "doubled"), [*itertools.product(ORDERS, (False, True))])
def test_buffered_uploads_of_either_side_change_nothing(order, doubled) -> None:
    parts = [fixes(walk_in()), hers(at_home())]
    late = [part.take(np.arange(len(part))[::-1]) for part in order(parts)]
    late = late + late if doubled else late
    assert judged(rule(), *late).violations == judged(rule(), *parts).violations != ()
