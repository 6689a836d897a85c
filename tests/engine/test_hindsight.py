"""A doubted fix is looked at again when its neighbours are there; nothing is left out."""

from __future__ import annotations

import numpy as np

from ringfence.engine import Batch, compile_plan, evaluate, initial_state
from ringfence.engine.hindsight import in_hindsight
from ringfence.engine.words import Doubt
from tests.engine.build import after, fixes, stay


def seen(trail: Batch):
    trail.wearer[:] = 0
    plan = compile_plan([], start_at=after(-60), end_at=after(6000), wearers=["W1"])
    doubts = evaluate(plan, initial_state(plan), trail).doubts
    return doubts, *in_hindsight(trail, doubts)


def test_a_jump_and_return_is_marked_once_the_next_fix_shows_it() -> None:
    jump = [*stay(0, 5, 900), (5, 900 + 600, 0.0), *stay(6, 9, 900)]
    doubts, borne_out, returned = seen(fixes(jump))
    assert np.flatnonzero(returned).tolist() == [5]
    assert not borne_out.any()
    assert not doubts[5] & int(Doubt.JUMP)  # at its own instant it could have been a car
    _, _, returned = seen(fixes(jump[:6]))
    assert not returned.any()


def test_an_errand_on_foot_and_a_drive_are_no_return() -> None:
    errand = [*stay(0, 5, 900), (5, 900 + 120, 0.0), *stay(6, 9, 900)]
    assert not seen(fixes(errand))[2].any()
    drive = [(m, 900.0 * m, 0.0) for m in range(9)]
    assert not seen(fixes(drive))[2].any()


def test_a_jump_of_160_m_is_one_unless_the_tag_says_that_it_went_so_fast() -> None:
    trail = fixes([*stay(0, 5, 900), (5, 900 + 160, 0.0), *stay(6, 9, 900)])
    trail.speed_mps[:] = 0.1
    assert np.flatnonzero(seen(trail)[2]).tolist() == [5]
    trail.speed_mps[5] = 2.5
    assert not seen(trail)[2].any()


def test_an_impossible_speed_is_taken_back_when_the_next_fix_bears_the_place_out() -> None:
    far = 900.0 + 20_000
    moved = [*stay(0, 5, 900), *[(m, e + far - 900, n) for m, e, n in stay(5, 9, 900)]]
    doubts, borne_out, returned = seen(fixes(moved))
    assert doubts[5] & int(Doubt.IMPOSSIBLE_SPEED)
    assert np.flatnonzero(borne_out).tolist() == [5]
    assert not returned.any()


def test_an_impossible_speed_that_returned_is_a_jump_and_stays_doubted() -> None:
    jump = [*stay(0, 5, 900), (5, 20_900, 0.0), *stay(6, 9, 900)]
    doubts, borne_out, returned = seen(fixes(jump))
    assert doubts[5] & int(Doubt.IMPOSSIBLE_SPEED)
    assert np.flatnonzero(returned).tolist() == [5]
    assert not borne_out.any()


def test_cell_fixes_and_reports_without_a_place_are_no_neighbours() -> None:
    nothing = Batch.empty()
    assert not in_hindsight(nothing, np.zeros(0, np.int32)).returned.any()
    alone = fixes([(0, 0, 0)])
    assert not in_hindsight(alone, np.zeros(1, np.int32)).returned.any()
