"""State through the database, and what a wearer stands like."""

from __future__ import annotations

import tracemalloc
from datetime import time
from pathlib import Path

import pytest

from ringfence.engine import (
    CAUTIOUS,
    NAIVE,
    STANDARD,
    Batch,
    Source,
    StateError,
    Weekly,
    compile_plan,
    evaluate,
    initial_state,
    judge_all,
    memory,
    standings,
    violations,
)
from tests.engine.build import NOON, after, condition, disc, fixes, judged, ms, stay

HORIZON = {"start_at": after(-9999), "end_at": after(9999)}


def plan(*rules, profile=STANDARD):
    return compile_plan(rules, profile, **HORIZON, wearers=["W1"])


def inside(*rules, profile=STANDARD):
    """A state in which W1 is inside the middle square for ten minutes."""
    p = plan(*rules, profile=profile)
    return p, judge_all(p, fixes(stay(0, 10, 0))).result.state


def test_a_gone_rule_ends_its_violation_at_the_wearers_clock() -> None:
    old, state = inside(condition())
    new = plan(condition(id="other", geometry=disc(5000), radius_m=50.0))
    (gone,) = initial_state(new).load(new, "W1", state.to_bytes(old, "W1"))
    assert (gone.condition, gone.state) == ("c1", "confirmed")
    assert (gone.end_at, gone.ended_by) == (after(9), "condition_ended")


def test_a_new_rule_starts_from_the_last_known_place() -> None:
    old, state = inside()
    new = plan(condition(from_at=after(15)))
    taken = initial_state(new)
    assert taken.load(new, "W1", state.to_bytes(old, "W1")) == []
    result = evaluate(new, taken, fixes([]), ms(after(15)))
    (visit,) = violations(new, result.events, result.state)
    assert (visit.how, visit.begin_at) == ("present_at_start", after(15))


def test_state_of_another_profile_or_format_is_refused_with_what_to_do() -> None:
    p, state = inside(condition())
    other = plan(condition(), profile=CAUTIOUS)
    with pytest.raises(StateError, match=r"by standard/1: .* judge the wearer again"):
        initial_state(other).load(other, "W1", state.to_bytes(p, "W1"))
    with pytest.raises(StateError, match="can't be read"):
        initial_state(p).load(p, "W1", b"\x00garbage")
    with pytest.raises(StateError, match="doesn't hold that wearer"):
        state.to_bytes(p, "W9")


def test_evaluate_leaves_the_state_it_was_given_alone() -> None:
    p, state = inside(condition())
    before = state.wearers.tobytes(), state.slots.tobytes()
    judge_all(p, fixes(stay(20, 30, 900)))
    evaluate(p, state, fixes(stay(20, 30, 900)))
    assert (state.wearers.tobytes(), state.slots.tobytes()) == before


def test_memory_is_bounded_and_small() -> None:
    p, state = inside(*(condition(id=f"c{i}", buffer_m=50.0) for i in range(8)))
    assert len(state.to_bytes(p, "W1")) < 7_000


def test_until_after_the_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match="compile the plan with a later end_at"):
        judge_all(plan(condition()), fixes([]), ms(after(99_999)))


def test_wake_is_the_next_instant_at_which_time_alone_matters() -> None:
    rule = condition(
        "curfew", geometry=disc(), radius_m=90.0, when=(Weekly(("mon",), time(19), time(23)),)
    )
    naive = judged(rule, fixes(stay(0, 10, 0)), profile=NAIVE).result
    assert naive.wake_at_ms.tolist() == [ms(NOON.replace(hour=19))]
    standard = judged(rule, fixes(stay(0, 10, 0))).result
    assert standard.wake_at_ms.tolist() == [ms(after(9 + STANDARD.quiet_s / 60))]


def standing(*batches, until=None, **more):
    p = plan(condition(**more))
    result = judge_all(p, Batch.concat(list(batches)), until and ms(until)).result
    (s,) = standings(p, result.state, "W1")
    return s


def test_standings_of_every_state() -> None:
    assert standing(fixes(stay(0, 5, 900))).state == "clear"
    assert standing(fixes(stay(0, 9, 0))).state == "confirmed"
    assert standing(fixes(stay(0, 9, 900)), fixes([(9, 0, 0)])).state == "possible"
    assert standing(fixes(stay(0, 9, 900)), until=after(60)).state == "no_data"
    assert standing(fixes(stay(0, 9, 0)), to_at=after(-5)).state == "not_in_force"


def test_standings_say_why_with_numbers() -> None:
    cell = fixes([(9, 165, 0)], accuracy_m=180, source=Source.CELL)
    by_cell = standing(fixes(stay(0, 9, 2000)), cell)
    assert "Last fix 35 m inside the edge, circle 250 m, cell, at " in by_cell.why
    one = standing(fixes(stay(0, 9, 900)), fixes([(9, 0, 0)]))
    assert one.why == (
        "Last fix 200 m inside the edge, circle 12 m, satellite, "
        f"at {after(9):%d/%m/%Y %H:%M:%S}: "
        f"possible ({100 * one.probability:.1f} %), but one fix alone never confirms."
    )


def test_standings_of_the_unheard_and_the_unknown() -> None:
    p = plan(condition())
    (unheard,) = standings(p, initial_state(p), "W1")
    assert unheard.probability is None
    assert "nothing is known" in unheard.why
    assert standings(p, initial_state(p), "W9") == []


def test_the_fix_that_decided_is_named() -> None:
    entry = fixes([(0, 900, 0), (9, 0, 0), (10, 0, 0), (11, 0, 0)])
    (visit,) = judged(condition(), entry).violations
    assert visit.confirming_fix_at == visit.confirmed_at
    assert visit.first_fix_at == visit.begin_at == after(9)
    assert visit.deepest_fix_at in (after(9), after(10), after(11))


def test_a_first_fix_inside_shows_no_entry() -> None:
    (visit,) = judged(condition(), fixes(stay(0, 5, 0))).violations
    assert visit.why[0].startswith("Was inside the zone at 02/03/2026 12:00:00, by the first fix")
    assert any("may have begun earlier" in doubt for doubt in visit.doubts)
    (seen,) = judged(condition(), fixes(stay(0, 5, 900)), fixes(stay(6, 9, 0))).violations
    assert seen.why[0].startswith("Entered the zone at")
    assert not any("may have begun earlier" in doubt for doubt in seen.doubts)


@pytest.mark.parametrize("row", [memory.WEARER_ROW, memory.SLOT_ROW, memory.EVENT_ROW])
def test_rows_have_no_padding_so_that_equal_states_are_equal_bytes(row) -> None:
    assert sum(row[name].itemsize for name in row.names) == row.itemsize


def test_the_manual_states_the_size_of_memory_as_it_is() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "engine.md").read_text()
    sizes = (
        f"State is {memory.WEARER_ROW.itemsize} bytes a wearer, as much for each victim's device, "
        f"and {memory.SLOT_ROW.itemsize} a rule"
    )
    assert sizes in " ".join(manual.split())


def test_memory_is_what_the_manual_states() -> None:
    """Measured, not added up: nothing else is kept of a wearer."""
    people = [f"W{n}" for n in range(1_000)]
    p = compile_plan([condition(wearer=name) for name in people], **HORIZON, wearers=people)
    initial_state(p)
    tracemalloc.start()
    state = initial_state(p)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stated = 304 * len(people) + 208 * len(state.slots)
    assert stated <= taken <= 1.01 * stated + 4_096


def test_memory_does_not_grow_with_what_is_judged() -> None:
    p = plan(condition(buffer_m=200.0))
    state = initial_state(p)
    before, stored = held(state), len(state.to_bytes(p, "W1"))
    restless = [(minute, -400 * (minute % 20 < 10), 0) for minute in range(9_000)]
    said = evaluate(p, state, fixes(restless), in_place=True)
    assert len(said.events) > 1_000
    assert held(said.state) == before
    assert len(said.state.to_bytes(p, "W1")) == stored


def held(state) -> int:
    """Bytes of the arrays that are a state, their owners counted."""
    rows = (state.wearers, state.slots, state.pairs)
    return sum((column.base if column.base is not None else column).nbytes for column in rows)
