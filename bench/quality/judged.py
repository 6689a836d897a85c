"""What the engine makes of a week."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.quality.overlay import START_MS
from bench.quality.score import Alert
from bench.quality.truth import WEEK_S, Week, shape_in_degrees
from ringfence.engine import (
    Batch,
    Condition,
    Kind,
    Plan,
    Profile,
    compile_plan,
    evaluate,
    initial_state,
    violations,
)

START_AT = datetime.fromtimestamp(START_MS / 1000, UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Judged:
    """A week's violations, as seconds of the week."""

    confirmed: list[Alert]
    all: list[tuple[float, Alert]]
    """Possible and confirmed, each with its probability."""

    @property
    def possible(self) -> list[Alert]:
        """All, without the probabilities."""
        return [alert for _, alert in self.all]


def judge(week: Week, batch: Batch, profile: Profile) -> Judged:
    """Judge a week by a profile."""
    plan = _plan(week, profile)
    result = evaluate(plan, initial_state(plan), batch)
    found = Judged([], [])
    for v in violations(plan, result.events, result.state):
        if v.kind != Kind.EXCLUSION:
            continue
        end = _second(v.end_at) if v.end_at else float(WEEK_S)
        found.all.append((v.probability, (_second(v.begin_at), end)))
        if v.confirmed_at:
            found.confirmed.append((_second(v.confirmed_at), end))
    return found


def _plan(week: Week, profile: Profile) -> Plan:
    rule = Condition(
        id="zone",
        wearer="W",
        kind=Kind.EXCLUSION,
        from_at=START_AT - DAY,
        geometry=shape_in_degrees(week.ring),
    )
    return compile_plan([rule], profile, start_at=START_AT - DAY, end_at=START_AT + 8 * DAY)


def _second(at: datetime) -> float:
    return (at - START_AT).total_seconds()


def _half(batch: Batch) -> Batch:
    return dataclasses.replace(batch, accuracy_m=batch.accuracy_m / 2)


def _none(batch: Batch) -> Batch:
    return dataclasses.replace(batch, accuracy_m=np.full_like(batch.accuracy_m, np.nan))


CLAIMS: dict[str, Callable[[Batch], Batch]] = {
    "standard": lambda batch: batch,
    "standard, circles claim half": _half,
    "standard, no circles": _none,
}
"""What the tag says of its own errors."""
