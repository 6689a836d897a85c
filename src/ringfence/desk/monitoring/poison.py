"""A report that makes the engine fail is set apart after one failure, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import structlog
from django.db import DatabaseError

from ringfence.desk.monitoring.judging import Task, UnreadableStateError, Verdict

Judge = Callable[[Sequence[Task]], list[Verdict]]
PASSED_ON = (DatabaseError, UnreadableStateError, MemoryError)
"""Failures that are no report's fault."""

MOST_OF_ONE = 20
"""More than these of one wearer in one run: it is the engine that is ill, not the reports."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Poison:
    """A report set apart, and the kind of failure; nothing of what it says."""

    report_id: int
    why: str


def judge_around(judge: Judge, tasks: Sequence[Task]) -> tuple[list[Verdict], list[Poison]]:
    """Judge all tasks; where the engine fails, find the report at fault and go on without it.

    Args:
        judge: judges several tasks in one call.
        tasks: of different wearers.

    Returns:
        A verdict for each task, in order, and the reports that were left out of them.
    """
    if not tasks:
        return [], []
    try:
        return judge(tasks), []
    except PASSED_ON:
        raise
    except Exception as error:  # whatever it was, one report must not stop the rest
        # No traceback: its values are people's places.
        log.error("engine_failed", wearers=len(tasks), why=type(error).__name__)  # noqa: TRY400
    verdicts: list[Verdict] = []
    poison: list[Poison] = []
    for task in tasks:
        verdict, found = _one(judge, task)
        verdicts.append(verdict)
        poison += found
    return verdicts, poison


def _one(judge: Judge, task: Task) -> tuple[Verdict, list[Poison]]:
    rows = task.rows[np.argsort(task.rows["time_ms"], kind="stable")]
    found: list[Poison] = []
    systemic = _failure(judge, replace(task, rows=rows[:0]))
    if systemic is not None:
        raise systemic
    while True:
        error = _failure(judge, replace(task, rows=rows))
        if error is None:
            return judge([replace(task, rows=rows)])[0], found
        if len(found) == MOST_OF_ONE:
            raise error
        guilty = _first_that_fails(judge, task, rows)
        found.append(Poison(int(rows["id"][guilty]), type(error).__name__))
        log.error("report_set_apart", report=found[-1].report_id, why=found[-1].why)
        rows = np.delete(rows, guilty)


def _first_that_fails(judge: Judge, task: Task, rows: np.ndarray) -> int:
    """The shortest beginning of `rows` that fails ends with the one at fault."""
    sound, failing = 0, len(rows)
    while failing - sound > 1:
        middle = (sound + failing) // 2
        if _failure(judge, replace(task, rows=rows[:middle])) is None:
            sound = middle
        else:
            failing = middle
    return failing - 1


def _failure(judge: Judge, task: Task) -> Exception | None:
    try:
        judge([task])
    except PASSED_ON:
        raise
    except Exception as error:
        return error
    return None
