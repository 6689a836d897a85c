"""One of the sixteen cases: who is judged by what, on which items; the page is drawn from it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ringfence.engine import (
    NO_POSITION,
    STANDARD,
    Batch,
    Condition,
    Plan,
    Profile,
    Violation,
    compile_plan,
    evaluate,
    initial_state,
    judge_all,
    standings,
    with_victims,
)
from ringfence.engine.fix import E7
from ringfence.engine.trust import radius_m
from ringfence.engine.words import DISBELIEVED
from tests.engine.build import ms

if TYPE_CHECKING:
    from datetime import datetime

HERE = Path(__file__).parent
GRAVEST = ("confirmed", "possible", "no_data", "clear", "not_in_force")


@dataclass(frozen=True)
class Seen:
    """A position, and how the wearer stood once it was read."""

    time_ms: int
    lon: float
    lat: float
    radius_m: float
    state: str
    doubted: bool
    hers: bool


@dataclass(frozen=True, eq=False)
class Scenario:
    """What happened elsewhere, and the same with Ringfence."""

    number: int
    title: str
    elsewhere: str
    """One sentence, with its source as docs/engine.md marks it."""
    shows: str = ""
    """What is in the picture, for who can't see it; without place names."""
    rules: tuple[Condition, ...] = ()
    items: tuple[Batch, ...] = ()
    from_at: datetime | None = None
    """Where the time axis and the horizon begin; None = the first item."""
    until: datetime | None = None
    """Where the clock stands in the end; None = the last item."""
    profile: Profile = STANDARD
    decides: str = ""
    """What Ringfence does besides the engine's own words, or instead of them."""
    held_by: tuple[str, ...] = ()
    """Other tests that hold it: `tests/….py::test_…`."""
    not_built: str = ""
    """What is missing yet, said plainly."""

    @cached_property
    def batch(self) -> Batch:
        return Batch.concat(list(self.items))

    @cached_property
    def span_ms(self) -> tuple[int, int]:
        """From where to where the time axis goes: what is judged."""
        times = np.sort(self.batch.time_ms)
        first = ms(self.from_at) if self.from_at else int(times[0])
        return first, ms(self.until) if self.until else int(times[-1])

    @cached_property
    def plan(self) -> Plan:
        from ringfence.engine.events import at_of  # noqa: PLC0415 -- only where it is drawn

        first, last = (at_of(t) for t in self.span_ms)
        return compile_plan(self.rules, self.profile, start_at=first, end_at=last, wearers=["W1"])

    @cached_property
    def violations(self) -> tuple[Violation, ...]:
        batch = with_victims(self.plan, self.batch)
        return judge_all(self.plan, batch, self.span_ms[1]).violations

    @cached_property
    def seen(self) -> list[Seen]:
        """Every position within the span, in order of time, with the state that it led to."""
        batch = with_victims(self.plan, self.batch)
        first, last = self.span_ms
        batch = batch.take((batch.time_ms >= first) & (batch.time_ms <= last))
        batch = batch.take(np.argsort(batch.time_ms, kind="stable"))
        state, seen = initial_state(self.plan), []
        for at in np.unique(batch.time_ms):
            now = batch.take(batch.time_ms == at)
            result = evaluate(self.plan, state, now)
            state = result.state
            stands = {s.state for s in standings(self.plan, state, "W1")}
            gravest = next((g for g in GRAVEST if g in stands), "clear")
            for i in range(len(now)):
                if now.lat_e7[i] == NO_POSITION:
                    continue
                circle_m = radius_m(
                    self.profile.thresholds(), float(now.accuracy_m[i]), int(now.source[i])
                )
                doubted = bool(result.doubts[i] & DISBELIEVED)
                place = (now.lon_e7[i] / E7, now.lat_e7[i] / E7)
                hers = bool(now.victim[i])
                seen.append(Seen(int(at), *place, circle_m, gravest, doubted, hers))
        return seen


def all_scenarios() -> list[Scenario]:
    """The sixteen, by number: `CASE` of each test_case_NN_….py."""
    names = sorted(p.stem for p in HERE.glob("test_case_*.py"))
    return [importlib.import_module(f"tests.spec.{name}").CASE for name in names]


def module_of(case: Scenario) -> str:
    """The file that a scenario stands in, from the project's root."""
    (path,) = HERE.glob(f"test_case_{case.number:02d}_*.py")
    return f"tests/spec/{path.name}"
