"""Whole trails, with checkpoints: late data rewinds to the checkpoint before it.

The engine keeps no store. Who does, keeps a state from time to time (`State.to_bytes`), and when an
item comes that is older than the wearer's clock, takes the last state from before it and judges
again all items since, the late one among them. The answer is the one that it would have given on
time; what differs from what was said is a correction, which is the store's to record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ringfence.engine.evaluate import Result, evaluate, violations
from ringfence.engine.state import State, initial_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ringfence.engine.events import Violation
    from ringfence.engine.fix import Batch
    from ringfence.engine.plan import Plan

YEAR_MS = 366 * 86_400_000
"""A longer pause between items means that a clock is wrong."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state, and the instant up to which everything is judged in it."""

    clock_ms: int
    state: State


@dataclass(frozen=True, slots=True)
class Replay:
    """A whole trail judged."""

    violations: tuple[Violation, ...]
    result: Result
    checkpoints: tuple[Checkpoint, ...]


def judge_all(
    plan: Plan, batch: Batch, until_ms: int | None = None, *, checkpoint_ms: int = 0
) -> Replay:
    """Judge a whole trail of any number of wearers.

    Args:
        plan: covers the batch and `until_ms`.
        batch: any order, any repeats.
        until_ms: where the clocks are to stand; None = the last item of all.
        checkpoint_ms: keep a state each time the clocks pass a multiple of this; 0 = none.
    """
    inside = (batch.time_ms >= plan.start_ms) & (batch.time_ms <= plan.end_ms)
    if until_ms is None and inside.any():
        until_ms = int(batch.time_ms[inside].max())
    state, events, kept = initial_state(plan), [], []
    late, doubts = np.zeros(len(batch), np.bool_), np.zeros(len(batch), np.int32)
    result: Result | None = None
    for rows, clock_ms in _chops(batch, inside, until_ms, checkpoint_ms):
        result = evaluate(plan, state, batch.take(rows), clock_ms, in_place=True)
        events.append(result.events)
        late[rows], doubts[rows] = result.late, result.doubts
        if clock_ms is not None and clock_ms != until_ms:
            kept.append(Checkpoint(clock_ms, state.copy()))
    if result is None:
        raise AssertionError("there is always a last chop")
    said = np.concatenate(events).view(np.recarray)
    whole = Result(state, said, result.wake_at_ms, late, ~inside, doubts)
    return Replay(tuple(violations(plan, said, state)), whole, tuple(kept))


def rejudge(plan: Plan, checkpoint: State, since: Batch, until_ms: int | None = None) -> Replay:
    """Judge again from a checkpoint.

    Args:
        plan: may differ from the checkpoint's in its horizon only, unless the checkpoint was taken
            over by `State.load`.
        checkpoint: advanced to no later than the earliest item of `since`; not changed.
        since: every item since then, late ones too, any order.
        until_ms: where the clocks are to stand.

    Returns:
        The violations that ended since the checkpoint and those that are open.

    Raises:
        ValueError: an item is older than the checkpoint's clock: take an earlier checkpoint.
    """
    result = evaluate(plan, checkpoint, since, until_ms)
    if result.late.any():
        raise ValueError(
            f"{int(result.late.sum())} items are older than the checkpoint: take an earlier one"
        )
    return Replay(tuple(violations(plan, result.events, result.state)), result, ())


def latest_before(checkpoints: tuple[Checkpoint, ...], at_ms: int) -> Checkpoint | None:
    """The last checkpoint that an item at `at_ms` is not late for; None = begin anew."""
    before = [c for c in checkpoints if c.clock_ms < at_ms]
    return max(before, key=lambda c: c.clock_ms) if before else None


def plausible_span(time_ms: NDArray[np.int64]) -> tuple[int, int]:
    """First and last instant of the run of items that holds most of them.

    A fix dated 2032, or 1,024 weeks ago by a receiver whose week counter rolled over, stands apart
    from the rest by more than a year. A plan whose horizon is this span keeps it from being
    judged; `Result.outside` marks it.

    Args:
        time_ms: (n,) in any order, n ≥ 1.

    Returns:
        UTC epoch ms of the first and last item of the run.
    """
    ordered = np.sort(time_ms)
    breaks = np.flatnonzero(np.diff(ordered) > YEAR_MS) + 1
    runs = np.split(ordered, breaks)
    longest = max(runs, key=len)
    return int(longest[0]), int(longest[-1])


def _chops(
    batch: Batch, inside: np.ndarray, until_ms: int | None, every_ms: int
) -> Iterator[tuple[np.ndarray, int | None]]:
    """Rows up to each checkpoint, and where the clocks then stand."""
    if not every_ms or not inside.any() or until_ms is None:
        yield np.arange(len(batch)), until_ms
        return
    first_ms = int(batch.time_ms[inside].min())
    begin_ms = first_ms
    for end_ms in range(first_ms - first_ms % every_ms + every_ms, until_ms, every_ms):
        rows = np.flatnonzero(inside & (batch.time_ms >= begin_ms) & (batch.time_ms < end_ms))
        yield rows, end_ms - 1
        begin_ms = end_ms
    yield np.flatnonzero(inside & (batch.time_ms >= begin_ms)), until_ms
