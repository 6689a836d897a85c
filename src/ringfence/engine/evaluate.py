"""The one public door: state and items in, state and events out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from ringfence.engine import kernel, memory
from ringfence.engine.events import Violation, to_violation
from ringfence.engine.items import Items
from ringfence.engine.order import canonical_rows
from ringfence.engine.plan import rule_name
from ringfence.engine.saying import Law
from ringfence.engine.states import Act
from ringfence.engine.streams import is_of_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.engine.fix import Batch
    from ringfence.engine.plan import Plan, RuleName
    from ringfence.engine.state import State

NEVER_WAKES = np.iinfo(np.int64).max
"""In `Result.wake_at_ms`: no deadline can change anything."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of judging a batch."""

    state: State
    events: np.recarray
    """`memory.EVENT_ROW`s by wearer, each wearer's in the order in which they were said."""
    wake_at_ms: NDArray[np.int64]
    """(wearers,): the next instant at which time alone can change anything, for those with items or
    with a clock given by `until_ms`; else `NEVER_WAKES`."""
    late: NDArray[np.bool_]
    """(rows of the batch,): older than the wearer's clock, so not read: rewind, see `replay`."""
    outside: NDArray[np.bool_]
    """(rows of the batch,): not within the plan's horizon, so not read."""
    doubts: NDArray[np.int32]
    """(rows of the batch,): `words.Doubt` bits of every position that was read: for people."""


def evaluate(
    plan: Plan,
    state: State,
    batch: Batch,
    until_ms: int | NDArray[np.int64] | None = None,
    *,
    in_place: bool = False,
) -> Result:
    """Judge a batch from a state; then advance the clocks.

    Each item's deadlines fire first, each at its own instant; then the item is read. So neither
    the order of the batch, nor how it is chopped, nor how often the clock ticks means anything.

    Args:
        plan: who is judged by what.
        state: as the last call left it, or `initial_state`; not changed unless `in_place`.
        batch: any order, any repeats; `wearer` −1 is nobody's.
        until_ms: where to advance the clocks: one instant, one a wearer, or None for the items'.
        in_place: change `state` itself, which saves the copy.

    Raises:
        ValueError: `until_ms` is after the plan's horizon; or a victim's rows are nobody's yet.
    """
    state = state if in_place else state.copy()
    until = _until(plan, until_ms)
    outside = (batch.time_ms < plan.start_ms) | (batch.time_ms > plan.end_ms)
    rows, items = _items(plan, batch, outside, until)
    law = _law(plan, state, max(256, len(items.time_ms) // 32))
    stands_at = np.zeros(2, np.int64)
    told: list[np.recarray] = []
    while not kernel.run(law, items, stands_at):
        told.append(_said(law))
        room = max(2 * len(law.events), _most_at_once(plan))
        law = law._replace(events=memory.new_events(room), said=np.zeros(1, np.int64))
    told.append(_said(law))
    events = told[0] if len(told) == 1 else np.concatenate(told).view(np.recarray)
    late = np.zeros(len(batch), np.bool_)
    late[rows] = items.late
    doubts = np.zeros(len(batch), np.int32)
    doubts[rows] = items.doubts
    return Result(state, events, law.wake_ms, late, outside, doubts)


def violations(plan: Plan, events: np.recarray, state: State) -> list[Violation]:
    """Every violation that ended in `events`, and every one still open in `state`.

    In order of begin, wearer, condition, kind. Give the events of one call for what it brought, or
    those of a whole trail for the contract's output.
    """
    about = cache(partial(_about, plan))
    # Plain rows: each look at a field of a record would take a microsecond, and there are many.
    ended = np.asarray(events[events.act == Act.END]).view(memory.EVENT_ROW)
    found = [
        to_violation(row, *about(number), plan.profile, end_ms=end_ms)
        for row, number, end_ms in zip(
            ended, ended["slot"].tolist(), ended["at_ms"].tolist(), strict=True
        )
    ]
    found += [
        to_violation(state.slots[number], *about(number), plan.profile, end_ms=None)
        for number in np.flatnonzero(state.slots.open).tolist()
    ]
    return sorted(found, key=_order)


def _order(violation: Violation) -> tuple[object, ...]:
    return (violation.begin_at, *violation.key, violation.end_at is None, violation.end_at)


def _about(plan: Plan, number: int) -> tuple[RuleName, str]:
    return rule_name(plan, number), plan.wearers[int(plan.rules.rows[number].wearer)]


def _until(plan: Plan, until_ms: int | NDArray[np.int64] | None) -> NDArray[np.int64]:
    until = np.full(len(plan.wearers), memory.NEVER, np.int64)
    if until_ms is not None:
        until[:] = until_ms
    if len(until) and until.max() > plan.end_ms:
        raise ValueError("until is after the plan's horizon: compile the plan with a later end_at")
    return until


def _items(
    plan: Plan, batch: Batch, outside: NDArray[np.bool_], until: NDArray[np.int64]
) -> tuple[NDArray[np.intp] | slice, Items]:
    """The batch in canonical order, and which of its rows those are."""
    skipped = outside | (batch.wearer < 0)
    if batch.victim.any():
        _refuse_unhanded(plan, batch)
        skipped |= ~is_of_pair(plan, batch)
    kept: NDArray[np.intp] | slice = np.flatnonzero(~skipped) if skipped.any() else slice(None)
    batch = batch if isinstance(kept, slice) else batch.take(kept)
    order = canonical_rows(batch)
    if order is not None:
        batch = batch.take(order)
        kept = order if isinstance(kept, slice) else kept[order]
    return kept, Items(
        rows_from=np.searchsorted(batch.wearer, np.arange(len(plan.wearers) + 1)),
        time_ms=batch.time_ms,
        lat_e7=batch.lat_e7,
        lon_e7=batch.lon_e7,
        accuracy_m=batch.accuracy_m,
        accuracy_bits=batch.accuracy_m.view(np.int32),
        source=batch.source,
        speed_mps=batch.speed_mps,
        speed_bits=batch.speed_mps.view(np.int32),
        course_bits=batch.course_deg.view(np.int32),
        signals=batch.signals,
        victim=batch.victim,
        until_ms=until,
        late=np.zeros(len(batch), np.bool_),
        doubts=np.zeros(len(batch.time_ms), np.int32),
    )


def _refuse_unhanded(plan: Plan, batch: Batch) -> None:
    """Refuse a victim's rows that somebody here must hear of, and that were handed to nobody."""
    if np.isin(batch.victim[batch.wearer < 0], plan.rules.pair_victim).any():
        raise ValueError(
            "a victim's rows are not in any wearer's stream: call with_victims(plan, batch) first"
        )


def _law(plan: Plan, state: State, room: int) -> Law:
    return Law(
        *plan.rules,
        limits=plan.profile.thresholds(),
        wearers=state.wearers,
        slots=state.slots,
        pairs=state.pairs,
        cursors=np.zeros(len(state.slots), np.int64),
        wake_ms=np.full(len(plan.wearers), NEVER_WAKES, np.int64),
        events=memory.new_events(room),
        said=np.zeros(1, np.int64),
        sure=np.zeros((2, 5)),
    )


def _said(law: Law) -> np.recarray:
    return law.events[: law.said[0]].view(np.recarray)


def _most_at_once(plan: Plan) -> int:
    """Events that one instant of one wearer may need, so that a new page is never too small."""
    per_wearer = np.diff(plan.rules.first_slot)
    most = int(per_wearer.max()) if len(per_wearer) else 0
    return 8 * most + 2 * kernel.SPARE_EVENTS
