"""Judging without measuring gives the digits that measuring gives."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ringfence.engine import (
    CAUTIOUS,
    STANDARD,
    belief,
    compile_plan,
    evaluate,
    far,
    initial_state,
)
from ringfence.engine.fix import Source
from ringfence.engine.track import SIGMAS_IN_CIRCLE
from ringfence.engine.trust import Look
from ringfence.engine.words import Doubt
from tests.engine.build import NOON, after, condition, disc, random_walk, square

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
        on_way=False,
        turned=False,
        strayed=False,
        under_way=moving,
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


@pytest.mark.parametrize("seed", range(12))
def test_it_answers_as_if_every_fix_were_measured(seed) -> None:
    """What is known of distances lasts for one call: one item a call measures each."""
    start_at, end_at = NOON, after(10_000)
    plan = compile_plan(CONDITIONS, STANDARD, start_at=start_at, end_at=end_at)
    walk = random_walk(seed, 250, span_m=(60.0, 900.0, 6_000.0)[seed % 3])
    walk = walk.take(np.unique(walk.time_ms, return_index=True)[1])
    whole = evaluate(plan, initial_state(plan), walk)
    state, said = initial_state(plan), []
    for row in range(len(walk)):
        result = evaluate(plan, state, walk.take(slice(row, row + 1)), in_place=True)
        said.append(result.events)
    assert np.concatenate(said).tobytes() == whole.events.tobytes()
    assert state.slots.tobytes() == whole.state.slots.tobytes()
    assert state.wearers.tobytes() == whole.state.wearers.tobytes()
