"""How often would this zone have alerted, when and for what; and how much of a life does it cover?

A question asked before a condition is imposed, of trails that are there already. Pure. The law is
the live one: `judge_all` with the zone as the only condition.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from ringfence.engine.conditions import Kind
from ringfence.engine.events import Violation, at_of
from ringfence.engine.fix import E7, NO_POSITION, Batch, Source
from ringfence.engine.plan import compile_plan
from ringfence.engine.profiles import STANDARD, Profile
from ringfence.engine.replay import judge_all
from ringfence.geo.distance import signed_distances_m
from ringfence.geo.edges import build_edge_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from numpy.typing import NDArray

    from ringfence.engine.conditions import Condition

LONGEST_STEP_MS = 300_000
"""A fix stands for the time until the next, and for no more than this: a longer gap is missing data
to the Ministry's map [C]."""
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Burden:
    """How much of what is known of a life lies in a zone and in the ring round it."""

    fixes: int
    """Positions, those by cell left out: they tell no places as small as a zone."""
    inside_fixes: int
    buffer_fixes: int
    known_s: float
    """Time for which a fix stands."""
    inside_s: float
    buffer_s: float

    @property
    def inside_share(self) -> float:
        """Of the time that is known, 0…1; 0 where nothing is."""
        return self.inside_s / self.known_s if self.known_s else 0.0

    @property
    def buffer_share(self) -> float:
        """Of the time that is known, 0…1; 0 where nothing is."""
        return self.buffer_s / self.known_s if self.known_s else 0.0


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a zone would have done."""

    zone: Condition
    wearers: tuple[str, ...]
    from_at: datetime | None
    """First item judged; None = there was none."""
    to_at: datetime | None
    violations: tuple[Violation, ...]
    """In order of begin: when, how long, how deep, possible or confirmed, how. The ring's too."""
    burden: Mapping[str, Burden]
    """By wearer."""

    @property
    def alerts(self) -> tuple[Violation, ...]:
        """Those that a person would have been woken for: confirmed ones."""
        return tuple(v for v in self.violations if v.state == "confirmed")

    @property
    def by_day(self) -> dict[date, int]:
        """Alerts that began on each local day, days without any left out."""
        begun = Counter(self._local(v).date() for v in self.alerts)
        return dict(sorted(begun.items()))

    @property
    def by_hour(self) -> tuple[int, ...]:
        """Alerts that began in each of the 24 local hours of a day."""
        begun = Counter(self._local(v).hour for v in self.alerts)
        return tuple(begun[hour] for hour in range(24))

    def _local(self, violation: Violation) -> datetime:
        return violation.begin_at.astimezone(ZoneInfo(self.zone.timezone))


def backtest(
    zone: Condition, trails: Mapping[str, Batch], *, profile: Profile = STANDARD
) -> Backtest:
    """Judge trails by one zone that was never imposed.

    Args:
        zone: any condition but a proximity; its wearer means nothing, and neither does its `from`
            where trails are older: it is tried on the whole of each.
        trails: each wearer's items, any order, any repeats; `Batch.wearer` means nothing.
        profile: the thresholds to judge by.

    Raises:
        ValueError: a proximity, which is about two people and no zone.
    """
    if zone.kind is Kind.PROXIMITY or zone.shape is None:
        raise ValueError(f"a {zone.kind} has no zone: try one of exclusion, inclusion, curfew, …")
    people = sorted(trails)
    items = Batch.concat([_of(trails[name], number) for number, name in enumerate(people)])
    burden = {name: _burden(zone, trails[name]) for name in people}
    if not len(items):
        return Backtest(zone, tuple(people), None, None, (), burden)
    from_at, to_at = at_of(int(items.time_ms.min())), at_of(int(items.time_ms.max()))
    tried = [replace(zone, wearer=name, from_at=from_at, to_at=None) for name in people]
    plan = compile_plan(tried, profile, start_at=from_at, end_at=to_at, wearers=people)
    found = judge_all(plan, items).violations
    of_zone = tuple(v for v in found if v.condition is not None)
    return Backtest(zone, tuple(people), from_at, to_at, of_zone, burden)


def _of(trail: Batch, wearer: int) -> Batch:
    """One person's items, numbered; a victim's are no wearer's."""
    own = trail.take(trail.victim == 0)
    return replace(own, wearer=np.full(len(own), wearer, np.int32))


def _burden(zone: Condition, trail: Batch) -> Burden:
    """Where the fixes lie as they stand, doubted ones too: of a sum, they are a small part."""
    own = (trail.victim == 0) & (trail.lat_e7 != NO_POSITION) & (trail.source != Source.CELL)
    fixes = trail.take(own)
    fixes = fixes.take(np.unique(fixes.time_ms, return_index=True)[1])
    if not len(fixes):
        return Burden(0, 0, 0, 0.0, 0.0, 0.0)
    depth_m = _depths_m(zone, fixes)
    inside, buffer = depth_m >= 0, (depth_m < 0) & (depth_m >= -zone.buffer_m)
    step_ms = np.append(np.minimum(np.diff(fixes.time_ms), LONGEST_STEP_MS), 0)
    return Burden(
        fixes=len(fixes),
        inside_fixes=int(inside.sum()),
        buffer_fixes=int(buffer.sum()),
        known_s=_seconds(step_ms),
        inside_s=_seconds(step_ms[inside]),
        buffer_s=_seconds(step_ms[buffer]),
    )


def _depths_m(zone: Condition, fixes: Batch) -> NDArray[np.float64]:
    """Signed metres to the zone's edge, positive inside; exact as far as its ring reaches."""
    if zone.shape is None:
        raise ValueError("a condition without a zone covers nothing")
    arrays: Any = build_edge_table([zone.shape]).arrays()
    lon, lat = fixes.lon_e7 / E7, fixes.lat_e7 / E7
    return signed_distances_m(arrays, 0, lon, lat, zone.buffer_m + 1.0)


def _seconds(steps_ms: NDArray[np.int64]) -> float:
    return int(steps_ms.sum()) / 1000
