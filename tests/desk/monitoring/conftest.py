"""A tag on Wes that reports: rows as the inbox would have stored them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from ringfence.desk.accounts.models import User
from ringfence.desk.cases.actions import add_condition
from ringfence.desk.cases.models import Fitting, Order, Tag, Wearer
from ringfence.desk.cases.queries import engine_conditions
from ringfence.desk.cases.tag_actions import add_tag, fit_tag
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring import detect
from ringfence.desk.monitoring.models import Frame, Report, Violation
from ringfence.engine import (
    Batch,
    Condition,
    Source,
    compile_plan,
    evaluate,
    initial_state,
    violations,
)
from ringfence.engine.events import Violation as Said
from ringfence.engine.fix import NO_POSITION

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
INSIDE, OUTSIDE = (51.505, -0.095), (51.505, -0.07)
"""The middle of the square of `tests.desk.conftest`, and a place 1.4 km east of its edge."""


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Sent:
    """One report, as a tag would send it."""

    at: datetime
    place: tuple[float, float] | None = None
    accuracy_m: float | None = 8.0
    source: Source = Source.GNSS
    signals: int = 0
    received_after_s: float = 1.0

    def columns(self) -> dict[str, Any]:
        return {
            "time_ms": to_ms(self.at),
            "received_ms": to_ms(self.at) + round(1000 * self.received_after_s),
            "lat_e7": round(self.place[0] * 1e7) if self.place else None,
            "lon_e7": round(self.place[1] * 1e7) if self.place else None,
            "accuracy_m": self.accuracy_m if self.place else None,
            "source": int(self.source),
            "signals": self.signals,
        }

    def digest(self) -> int:
        said = repr(replace(self, received_after_s=0.0)).encode()
        return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big", signed=True)


def walk(*places: tuple[float, float], start: float = 0.0, every: float = 1.0) -> list[Sent]:
    return [Sent(at(start + n * every), place) for n, place in enumerate(places)]


VISIT = walk(OUTSIDE, OUTSIDE, OUTSIDE, INSIDE, INSIDE, INSIDE, INSIDE, OUTSIDE, OUTSIDE, OUTSIDE)


def deliver(tag: Tag, sent: Sequence[Sent]) -> list[Report]:
    """Store reports in this order; one that is stored already is not stored again."""
    frame = Frame.objects.create(tag=tag, door="test", peer="", received_ms=0, raw=b"")
    rows = [Report(tag=tag, frame=frame, digest=s.digest(), **s.columns()) for s in sent]
    return Report.objects.bulk_create(rows, ignore_conflicts=True)


def judged_at_once(
    sent: Sequence[Sent], until_ms: int | None = None, rules: Sequence[Condition] | None = None
) -> list[Said]:
    """What `ringfence evaluate` says of the same reports: the engine, once, in one batch."""
    rules = engine_conditions() if rules is None else rules
    plan = compile_plan(
        rules,
        start_at=TEN - timedelta(days=60),
        end_at=TEN + timedelta(days=60),
        wearers=["X000001"],
    )
    batch = Batch.empty(len(sent))
    batch.wearer[:] = plan.index_of("X000001")
    for n, one in enumerate(sent):
        for name, value in one.columns().items():
            if name in ("lat_e7", "lon_e7"):
                getattr(batch, name)[n] = NO_POSITION if value is None else value
            elif name != "received_ms":
                getattr(batch, name)[n] = np.nan if value is None else value
    result = evaluate(plan, initial_state(plan), batch, until_ms)
    return violations(plan, result.events, result.state)


def facts(said: Said) -> tuple[Any, ...]:
    return (
        said.begin_at,
        said.condition or "",
        said.kind,
        said.how,
        said.version,
        said.state,
        said.confirmed_at,
        said.end_at,
        said.ended_by or "",
        said.probability,
        said.depth_m,
        said.fixes,
        list(said.why),
        list(said.doubts),
    )


def stored() -> list[tuple[Any, ...]]:
    """The violations in the database that stand, in the engine's order."""
    rows = Violation.objects.filter(withdrawn_at__isnull=True)
    return sorted(
        [
            (
                r.begin_at,
                r.condition_key,
                r.kind,
                r.how,
                r.version,
                r.state,
                r.confirmed_at,
                r.end_at,
                r.ended_by,
                r.probability,
                r.depth_m,
                r.fixes,
                r.why,
                r.doubts,
            )
            for r in rows
        ],
        key=repr,
    )


def expected(
    sent: Sequence[Sent], until_ms: int | None = None, rules: Sequence[Condition] | None = None
) -> list[tuple[Any, ...]]:
    return sorted([facts(said) for said in judged_at_once(sent, until_ms, rules)], key=repr)


@pytest.fixture(autouse=True)
def fresh_caches() -> None:
    """A test's database is another test's no longer."""
    detect.forget()


@pytest.fixture
def zone(ola: User, licence: Order, square: Condition) -> Condition:
    """Wes must not enter the square; it has a ring of 100 m."""
    add_condition(by=ola, order=licence, rule=square)
    return square


@pytest.fixture
def tag(eve: User) -> Tag:
    return add_tag(by=eve, name="T1")[0]


@pytest.fixture
def fitted(eve: User, tag: Tag, wes: Wearer) -> Fitting:
    """The tag has been on Wes since an hour before ten."""
    return fit_tag(by=eve, tag=tag, wearer=wes, from_at=at(-60))
