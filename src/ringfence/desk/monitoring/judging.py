"""Hand wearers' reports to the engine, all in one call, and take apart what it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ringfence.desk.monitoring.rows import ROW
from ringfence.engine import Plan, evaluate, initial_state, standings_each, violations
from ringfence.engine.events import Standing, Violation
from ringfence.engine.fix import E7, Batch, Source
from ringfence.engine.memory import plain
from ringfence.engine.state import StateError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER_MS = -(2**62)
"""The clock of a wearer of whom nothing was judged yet."""
FOREVER_MS = 2**62
Evaluate = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be judged of one wearer."""

    wearer_id: int
    crn: str
    state: bytes | None
    """None = nothing was judged yet."""
    clock_ms: int
    """Everything up to here is judged in `state`."""
    rows: NDArray[np.void]
    """Reports later than that (`rows.ROW`)."""
    until_ms: int
    """Where the clock is to stand in the end, if no report is later."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the engine makes of a task."""

    task: Task
    state: bytes
    clock_ms: int
    wake_ms: int
    profile: str
    said: list[Violation]
    """Everything found from the task's clock on, and what is open still."""
    standings: list[Standing]
    fix: dict[str, Any] | None
    """The latest believed fix, as `WearerState.fix` keeps it."""


class UnreadableStateError(StateError):
    """Stored states that this engine can't read: those wearers are judged again from the start."""

    def __init__(self, wearer_ids: list[int]) -> None:
        super().__init__("stored states can't be read: judge the wearers again from the reports")
        self.wearer_ids = wearer_ids


def judge(plan: Plan, tasks: Sequence[Task], engine: Evaluate = evaluate) -> list[Verdict]:
    """Judge all tasks, one wearer each, in one call of the engine.

    Args:
        plan: covers every item and clock.
        tasks: of different wearers.
        engine: the public door; a test hands in one that fails.

    Raises:
        UnreadableStateError: a stored state is of another format or profile.
    """
    state = initial_state(plan)
    until_ms = np.full(len(plan.wearers), NEVER_MS, np.int64)
    stored = [(task.crn, task.state) for task in tasks if task.state is not None]
    unreadable = set(state.load_each(plan, stored))
    if unreadable:
        raise UnreadableStateError([t.wearer_id for t in tasks if t.crn in unreadable])
    for task in tasks:
        until_ms[plan.index_of(task.crn)] = task.until_ms
    result = engine(plan, state, _batch(plan, tasks), until_ms, in_place=True)
    said: dict[str, list[Violation]] = defaultdict(list)
    for violation in violations(plan, result.events, result.state):
        said[violation.wearer].append(violation)
    people = [task.crn for task in tasks]
    states = result.state.to_bytes_each(plan, people)
    stand = standings_each(plan, result.state, people)
    me = plain(result.state.wearers)
    verdicts = []
    for task, kept, stands in zip(tasks, states, stand, strict=True):
        index = plan.index_of(task.crn)
        wake_ms = int(result.wake_at_ms[index])
        verdicts.append(
            Verdict(
                task=task,
                state=kept,
                clock_ms=int(me[index]["clock_ms"]),
                # Past the plan's end deadlines are unknown: look again there.
                wake_ms=min(wake_ms, plan.end_ms),
                profile=plan.profile.name,
                said=said[task.crn],
                standings=stands,
                fix=_believed_fix(me[index]),
            )
        )
    return verdicts


def _batch(plan: Plan, tasks: Sequence[Task]) -> Batch:
    sizes = [len(task.rows) for task in tasks]
    rows = np.empty(sum(sizes), ROW)  # filled: joining asks each part anew what its columns are
    at = 0
    for task, size in zip(tasks, sizes, strict=True):
        rows[at : at + size] = task.rows
        at += size
    numbers = np.repeat(np.array([plan.index_of(t.crn) for t in tasks], np.int32), sizes)
    return Batch(
        wearer=numbers,
        **{
            name: np.ascontiguousarray(rows[name])
            for name in (
                "time_ms",
                "lat_e7",
                "lon_e7",
                "accuracy_m",
                "source",
                "speed_mps",
                "course_deg",
                "signals",
                "victim",
            )
        },
    )


def _believed_fix(me: np.void) -> dict[str, Any] | None:
    if me["fix_ms"] == NEVER_MS:
        return None
    return {
        "time_ms": int(me["fix_ms"]),
        "lat": round(float(me["lat"]) * E7) / E7,
        "lon": round(float(me["lon"]) * E7) / E7,
        "accuracy_m": _known(me["radius_m"]),
        "source": Source(int(me["source"])).name.lower(),
        "speed_mps": _known(me["speed_mps"]),
        "course_deg": None,
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
