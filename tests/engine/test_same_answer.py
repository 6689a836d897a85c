"""Promise 2: the same input, the same answer, to the byte."""

from __future__ import annotations

from datetime import time, timedelta

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.engine import (
    CAUTIOUS,
    NAIVE,
    STANDARD,
    Absence,
    Batch,
    Plan,
    Weekly,
    compile_plan,
    evaluate,
    initial_state,
    judge_all,
    latest_before,
    rejudge,
    violations,
)
from ringfence.engine.conditions import DAYS
from ringfence.engine.order import canonical_rows
from tests.engine.build import (
    NOON,
    after,
    condition,
    disc,
    ms,
    random_walk,
    square,
    walk_of_pairs,
)

PEOPLE = 3
EXAMPLES = 5 if numba.config.DISABLE_JIT else 25
"""Plain Python is a hundred times as slow; `test_thousands_of_trails` makes up for both."""


def plan_of(profile=STANDARD, days: float = 40) -> Plan:
    conditions = []
    for person in ("W0", "W1"):
        conditions += [
            condition(id=f"{person}e", wearer=person, buffer_m=120.0),
            condition(
                "curfew",
                id=f"{person}c",
                wearer=person,
                geometry=disc(300, 0),
                radius_m=90.0,
                when=(Weekly(DAYS, time(12, 20), time(13, 5)), Weekly(("mon",), time(14), time(1))),
            ),
            condition(
                "attendance",
                id=f"{person}a",
                wearer=person,
                geometry=square(100, -300, 0),
                when=(Weekly(DAYS, time(12, 40), time(12, 55)),),
            ),
            condition(
                "inclusion",
                id=f"{person}i",
                wearer=person,
                geometry=square(700),
                absences=(Absence(after(25), after(50)),),
                to_at=after(200),
            ),
            *(
                condition(
                    "proximity",
                    id=f"{person}{victim}",
                    wearer=person,
                    victim=victim,
                    distance_m=250.0,
                    when=() if victim == "V1" else (Weekly(DAYS, time(12, 10), time(12, 50)),),
                    except_places=({**disc(200, 200), "radius_m": 80.0},),
                )
                for victim in ("V1", "V2")
            ),
        ]
    return compile_plan(
        conditions,
        profile,
        start_at=NOON - timedelta(days=days),
        end_at=NOON + timedelta(days=days),
        wearers=["W2"],
    )


PLANS = {p.name: plan_of(p) for p in (NAIVE, STANDARD, CAUTIOUS)}
WIDE = {p.name: plan_of(p, days=300) for p in (NAIVE, STANDARD, CAUTIOUS)}
UNTIL = ms(after(400))
profiles = st.sampled_from(sorted(PLANS))
trails = st.one_of(
    st.builds(random_walk, st.integers(0, 2**32), st.integers(1, 60), people=st.just(PEOPLE)),
    st.builds(walk_of_pairs, st.integers(0, 2**32), st.integers(1, 30)),
)

RANDOMS = st.randoms(use_true_random=False)
SECONDS = st.lists(st.integers(0, 70 * 60), max_size=6)
CUTS = st.integers(0, 60)


def answer(plan: Plan, batch: Batch) -> tuple[object, ...]:
    result = evaluate(plan, initial_state(plan), batch, UNTIL)
    return outcome(plan, result.events, result.state, result.wake_at_ms)


def outcome(plan, events, state, wake):
    order = np.lexsort((np.arange(len(events)), events.wearer))
    return (
        violations(plan, events, state),
        events[order].tobytes(),
        state.wearers.tobytes(),
        state.slots.tobytes(),
        state.pairs.tobytes(),
        wake.tobytes(),
    )


def test_walks_do_find_something() -> None:
    for plan in PLANS.values():
        hows = {
            v.how
            for s in range(EXAMPLES)
            for v in violations(plan, *_parts(plan, random_walk(s, 60, people=3)))
        }
        assert len(hows) >= 9, hows


def test_walks_of_pairs_do_find_something() -> None:
    for plan in PLANS.values():
        said = [
            v
            for s in range(24)
            for v in violations(plan, *_parts(plan, walk_of_pairs(s, 60)))
            if v.kind == "proximity"
        ]
        assert {"entered", "approached", "present_at_start"} <= {v.how for v in said}
        assert {v.wearer for v in said} == {"W0", "W1"}


def _parts(plan, batch):
    result = evaluate(plan, initial_state(plan), batch, UNTIL)
    return result.events, result.state


@given(profiles, trails, RANDOMS)
@settings(deadline=None, max_examples=EXAMPLES)
def test_order_and_repeats_mean_nothing(profile, batch, random) -> None:
    rows = [*range(len(batch)), *random.choices(range(len(batch)), k=len(batch) // 2)]
    random.shuffle(rows)
    assert answer(PLANS[profile], batch.take(np.array(rows))) == answer(PLANS[profile], batch)


@given(profiles, trails, SECONDS)
@settings(deadline=None, max_examples=EXAMPLES)
def test_chopping_and_ticking_mean_nothing(profile, batch, seconds) -> None:
    """Chopped at any instants, the clock advanced to each, the state stored and read between."""
    plan = PLANS[profile]
    state, said = initial_state(plan), []
    begin_ms = 0
    for end_ms in [*sorted(ms(NOON) + 1000 * s for s in seconds), UNTIL]:
        rows = np.flatnonzero((batch.time_ms >= begin_ms) & (batch.time_ms < end_ms))
        if end_ms == UNTIL:
            rows = np.flatnonzero(batch.time_ms >= begin_ms)
        tick_ms = end_ms if end_ms == UNTIL else end_ms - 1
        result = evaluate(plan, state, batch.take(rows), tick_ms)
        assert not result.late.any()
        said.append(result.events)
        state = stored(plan, result.state)
        begin_ms = end_ms
    whole = np.concatenate(said).view(np.recarray)
    assert outcome(plan, whole, state, result.wake_at_ms) == answer(plan, batch)


def stored(plan, state):
    """Each wearer's state through bytes and back."""
    fresh = initial_state(plan)
    for wearer in plan.wearers:
        assert fresh.load(plan, wearer, state.to_bytes(plan, wearer)) == []
    return fresh


@given(profiles, trails, CUTS)
@settings(deadline=None, max_examples=EXAMPLES)
def test_a_batch_cut_between_items_of_one_instant_changes_nothing(profile, batch, cut) -> None:
    plan = PLANS[profile]
    batch.time_ms[:] -= batch.time_ms % 60_000
    first = evaluate(plan, initial_state(plan), batch, None)
    rows = _canonical(batch)
    low, high = batch.take(rows[:cut]), batch.take(rows[max(0, cut - 1) :])
    a = evaluate(plan, initial_state(plan), low)
    b = evaluate(plan, a.state, high)
    assert not b.late.any()
    assert b.state.slots.tobytes() == first.state.slots.tobytes()


def _canonical(batch):
    rows = canonical_rows(batch)
    return np.arange(len(batch)) if rows is None else rows


@given(profiles, trails)
@settings(deadline=None, max_examples=EXAMPLES)
def test_a_wider_horizon_changes_nothing(profile, batch) -> None:
    plan = PLANS[profile]
    assert answer(WIDE[profile], batch)[:2] == answer(plan, batch)[:2]


@given(profiles, trails)
@settings(deadline=None, max_examples=EXAMPLES)
def test_other_people_change_nothing(profile, batch) -> None:
    plan = PLANS[profile]
    alone = batch.take(batch.wearer == 1)
    theirs = [v for v in answer(plan, batch)[0] if v.wearer == "W1"]
    assert [v for v in answer(plan, alone)[0] if v.wearer == "W1"] == theirs


@given(profiles, trails, st.data())
@settings(deadline=None, max_examples=EXAMPLES)
def test_a_late_item_leads_to_the_answer_it_would_have_led_to_on_time(profile, batch, data) -> None:
    plan = PLANS[profile]
    whole = judge_all(plan, batch, UNTIL)
    late = data.draw(st.integers(0, len(batch) - 1))
    on_time = np.delete(np.arange(len(batch)), late)
    live = judge_all(plan, batch.take(on_time), UNTIL, checkpoint_ms=600_000)
    again = evaluate(plan, live.result.state, batch.take(np.array([late])), UNTIL)
    heard = (batch.wearer[on_time] == batch.wearer[late]).any()
    assert again.late.all() == heard, "it is late where a clock runs, and only there"
    checkpoint = latest_before(live.checkpoints, int(batch.time_ms[late]))
    state, since_ms = (
        (checkpoint.state, checkpoint.clock_ms) if checkpoint else (initial_state(plan), 0)
    )
    replayed = rejudge(plan, state, batch.take(batch.time_ms > since_ms), UNTIL)
    assert replayed.result.state.slots.tobytes() == whole.result.state.slots.tobytes()
    ended = {(v.key, v.end_at) for v in whole.violations if v.end_at and ms(v.end_at) > since_ms}
    assert {(v.key, v.end_at) for v in replayed.violations if v.end_at} == ended


def test_items_older_than_the_checkpoint_are_refused() -> None:
    plan = PLANS["standard/1"]
    state = judge_all(plan, random_walk(1, 5), UNTIL).result.state
    with pytest.raises(ValueError, match="take an earlier"):
        rejudge(plan, state, random_walk(2, 5), UNTIL)


THOUSANDS = [
    (test_order_and_repeats_mean_nothing, RANDOMS),
    (test_chopping_and_ticking_mean_nothing, SECONDS),
    (test_a_batch_cut_between_items_of_one_instant_changes_nothing, CUTS),
    (test_a_late_item_leads_to_the_answer_it_would_have_led_to_on_time, st.data()),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("promise", "drawn"), THOUSANDS, ids=lambda t: getattr(t, "__name__", ""))
def test_thousands_of_trails(promise, drawn) -> None:
    @given(profiles, trails, drawn)
    @settings(deadline=None, max_examples=1500)
    def holds(profile, batch, more) -> None:
        promise.hypothesis.inner_test(profile, batch, more)

    holds()
