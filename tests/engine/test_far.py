"""Judging without measuring gives the digits that measuring gives."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ringfence.engine import (
    CAUTIOUS,
    STANDARD,
    Batch,
    Plan,
    State,
    Violation,
    belief,
    compile_plan,
    evaluate,
    far,
    initial_state,
    memory,
    violations,
)
from ringfence.engine.fix import Source
from ringfence.engine.track import SIGMAS_IN_CIRCLE
from ringfence.engine.trust import OFF_WAY, Look
from ringfence.engine.words import Doubt
from tests.engine.build import (
    NOON,
    after,
    condition,
    disc,
    fixes,
    place,
    random_walk,
    square,
    stay,
)

CONDITIONS = [
    condition(id="zone", geometry=square(300, 2_500)),
    condition(id="ring", geometry=square(300, -1_500, 900), buffer_m=250.0),
    condition("curfew", id="home", geometry=disc(), radius_m=600.0),
    condition("restriction", id="town", geometry=square(5_000)),
    condition("attendance", id="office", geometry=square(200, 8_000)),
]


def plain(function):
    """The function as Python runs it; those that it calls are compiled."""
    return getattr(function, "py_func", function)


def look_of(source: Source, radius_m: float, doubts: int, moving: bool) -> Look:
    place = {"lat": 51.5, "lon": -0.1, "speed_mps": np.nan, "east": 0.62}
    return Look(
        time_ms=0,
        radius_m=radius_m,
        source=int(source),
        doubts=doubts,
        weight=0.37,
        keep=0.8,
        moving=moving,
        way=OFF_WAY._replace(under_way=moving),
        **place,
    )


@pytest.mark.parametrize("profile", [STANDARD, CAUTIOUS], ids=lambda p: p.name)
@pytest.mark.parametrize("past", [False, True])
def test_it_believes_far_from_an_edge_what_it_would_by_the_distance(profile, past) -> None:
    limits, sure = profile.thresholds(), np.zeros((2, 5))
    far.prepare_sure(limits, sure)
    doubts = (0, int(Doubt.JUMP), int(Doubt.FROZEN))
    for source, radius_m, doubt, moving in product(Source, (12.0, 80.0), doubts, (False, True)):
        look = look_of(source, radius_m, doubt, moving)
        sigma_m = radius_m / SIGMAS_IN_CIRCLE
        wide_m = sigma_m + (limits.tail_m if moving or past else 0.0)
        depth_m = far.SURE_SIGMAS * wide_m * (1.0 if past else -1.0)
        for log_odds in np.linspace(limits.floor, limits.ceiling, 7):
            left = plain(belief.before)(limits, log_odds, look)
            told = plain(belief.after)(limits, left, look, depth_m, past)
            assert plain(far.after_sure)(limits, sure, log_odds, look, past) == told


@pytest.mark.parametrize("profile", [STANDARD, CAUTIOUS], ids=lambda p: p.name)
def test_it_believes_of_a_way_far_from_an_edge_what_it_would_by_the_distance(profile) -> None:
    limits, sure = profile.thresholds(), np.zeros((2, 5))
    far.prepare_sure(limits, sure)
    for side, depth_m in enumerate((-far.SURE_SIGMAS, far.SURE_SIGMAS)):
        share = belief.share_past(depth_m, 1.0)
        for column, strayed in ((3, False), (4, True)):
            assert belief.odds_on_way(limits, share, strayed) == sure[side, column]


REMEMBERED = ["far_lon", "far_lat", "away_m", "most_m", "past", "inside", "block", "due"]
PUT_OFF = ["last_depth_m", "ahead_m"]
"""What waits for being asked for, where a row is `due`."""
HORIZON = {"start_at": NOON, "end_at": after(10_000)}


def walk_of(seed: int) -> Batch:
    walk = random_walk(seed, 250, span_m=(60.0, 900.0, 6_000.0)[seed % 3])
    return walk.take(np.unique(walk.time_ms, return_index=True)[1])


def one_by_one(plan: Plan, walk: Batch, between) -> tuple[np.ndarray, State]:
    """Judge one item a call; `between` may do something to the state before each."""
    state, said = initial_state(plan), []
    for row in range(len(walk)):
        between(state)
        result = evaluate(plan, state, walk.take(slice(row, row + 1)), in_place=True)
        said.append(result.events)
    return np.concatenate(said), state


def forget(state: State) -> None:
    for row in state.slots:
        memory.forget_far(row)


@pytest.mark.parametrize("seed", range(12))
def test_it_answers_as_if_every_fix_were_measured(seed) -> None:
    """Who forgets how far the zones were must measure each fix."""
    plan, walk = compile_plan(CONDITIONS, STANDARD, **HORIZON), walk_of(seed)
    whole = evaluate(plan, initial_state(plan), walk)
    said, state = one_by_one(plan, walk, forget)
    assert said.tobytes() == whole.events.tobytes()
    assert state.wearers.tobytes() == whole.state.wearers.tobytes()
    here, there = memory.plain(state.slots), memory.plain(whole.state.slots)
    for name in set(memory.SLOT_ROW.names) - {*REMEMBERED, *PUT_OFF}:
        assert here[name].tobytes() == there[name].tobytes(), name
    measured = (here["due"] == 0) & (there["due"] == 0)
    for name in PUT_OFF:
        assert here[name][measured].tobytes() == there[name][measured].tobytes(), name


@pytest.mark.parametrize("seed", range(6))
def test_it_remembers_the_same_however_a_trail_is_chopped(seed) -> None:
    plan, walk = compile_plan(CONDITIONS, STANDARD, **HORIZON), walk_of(seed)
    whole = evaluate(plan, initial_state(plan), walk)
    said, state = one_by_one(plan, walk, lambda state: None)
    assert said.tobytes() == whole.events.tobytes()
    assert state.slots.tobytes() == whole.state.slots.tobytes()


def test_it_measures_a_far_zone_once_and_remembers_it_from_call_to_call() -> None:
    plan = compile_plan(
        [condition("restriction", geometry=square(5_000))],
        STANDARD,
        start_at=NOON,
        end_at=after(10_000),
    )
    said, state = one_by_one(plan, fixes(stay(0, 60, 300)), lambda state: None)
    assert len(said) == 0
    slot, (lon, _) = memory.plain(state.slots)[0], place(300, 0)
    assert slot["far_lon"] == pytest.approx(lon, abs=1e-7), "the place of the first fix"
    assert slot["away_m"] == pytest.approx(4_700, rel=0.01)
    assert slot["due"] == 1


@pytest.mark.parametrize("drawn", ["the same zone", "another zone of the same name"])
def test_it_remembers_of_the_zone_that_it_measured_only(drawn) -> None:
    """A zone redrawn without a new version is a mistake; it must not blind us to it."""
    far_off, here = square(300, 4_000), square(300, 0)
    old = compile_plan([condition(geometry=far_off)], STANDARD, **HORIZON)
    state = evaluate(old, initial_state(old), fixes(stay(0, 10, 0))).state
    redrawn = far_off if drawn == "the same zone" else here
    new = compile_plan([condition(geometry=redrawn)], STANDARD, **HORIZON)
    taken = initial_state(new)
    assert taken.load_each(new, [("W1", state.to_bytes(old, "W1"))]) == []
    assert (taken.slots[0].away_m > 0) == (drawn == "the same zone")
    visits = judged_on(new, taken, fixes(stay(10, 20, 0)))
    assert [v.how for v in visits] == ([] if drawn == "the same zone" else ["entered"])


def judged_on(plan: Plan, state: State, batch: Batch) -> list[Violation]:
    result = evaluate(plan, state, batch)
    return violations(plan, result.events, result.state)
