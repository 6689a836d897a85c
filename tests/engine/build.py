"""Trails, zones and conditions in metres, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import cos, radians
from typing import TYPE_CHECKING, Any

import numpy as np

from ringfence.engine import (
    NO_POSITION,
    STANDARD,
    Batch,
    Condition,
    Kind,
    Profile,
    Replay,
    Signal,
    Source,
    Violation,
    compile_plan,
    judge_all,
    victim_number,
    with_victims,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday; London is on UTC."""
LAT, LON = 51.5, -0.1
M_LAT = 111_253.0
M_LON = 111_320.0 * cos(radians(LAT)) * 1.0021
"""Metres in a degree here, well enough for tests that keep off edges."""


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def after(minutes: float, start: datetime = NOON) -> datetime:
    return start + timedelta(minutes=minutes)


def place(east_m: float, north_m: float) -> tuple[float, float]:
    """Longitude and latitude of a point in the test's own metres."""
    return LON + east_m / M_LON, LAT + north_m / M_LAT


def square(half_m: float = 200.0, east_m: float = 0.0, north_m: float = 0.0) -> dict[str, Any]:
    w, e, s, n = east_m - half_m, east_m + half_m, north_m - half_m, north_m + half_m
    ring = [place(*p) for p in ((w, s), (e, s), (e, n), (w, n), (w, s))]
    return {"type": "Polygon", "coordinates": [[list(p) for p in ring]]}


def disc(east_m: float = 0.0, north_m: float = 0.0) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(place(east_m, north_m))}


def condition(kind: str = "exclusion", **more: Any) -> Condition:
    given = {
        "id": "c1",
        "wearer": "W1",
        "kind": Kind(kind),
        "from_at": NOON - timedelta(days=30),
        "geometry": square(),
        **more,
    }
    if kind in ("proximity", "trail"):
        given["geometry"] = None
    return Condition(**given)


def fixes(
    points: Sequence[tuple[float, float, float]],
    *,
    accuracy_m: float = 8.0,
    source: Source = Source.GNSS,
    start: datetime = NOON,
    wearer: int = 0,
    speed_mps: float = float("nan"),
) -> Batch:
    """Fixes at `(minutes after start, metres east, metres north)`."""
    batch = Batch.empty(len(points))
    batch.wearer[:] = wearer
    for i, (minute, east_m, north_m) in enumerate(points):
        lon, lat = place(east_m, north_m)
        batch.time_ms[i] = ms(start) + round(minute * 60_000)
        batch.lon_e7[i], batch.lat_e7[i] = round(lon * 1e7), round(lat * 1e7)
    batch.accuracy_m[:], batch.source[:], batch.speed_mps[:] = accuracy_m, source, speed_mps
    return batch


def hers(points: Sequence[tuple[float, float, float]], victim: str = "V1", **more: Any) -> Batch:
    """Fixes of a victim's device, not yet handed to any wearer."""
    batch = fixes(points, **{"wearer": -1, **more})
    batch.victim[:] = victim_number(victim)
    return batch


def signal(
    minute: float, signals: Signal | int, *, start: datetime = NOON, wearer: int = 0
) -> Batch:
    batch = Batch.empty(1)
    batch.wearer[:], batch.time_ms[:] = wearer, ms(start) + round(minute * 60_000)
    batch.signals[:], batch.lat_e7[:], batch.lon_e7[:] = int(signals), NO_POSITION, NO_POSITION
    return batch


def stay(first: int, last: int, east_m: float, north_m: float = 0.0) -> list[tuple[float, ...]]:
    """One point a minute from `first` to before `last`, each a metre off the one before."""
    return [(float(m), east_m + m % 2, north_m) for m in range(first, last)]


def judged(
    conditions: Condition | Sequence[Condition],
    *batches: Batch,
    profile: Profile = STANDARD,
    until: datetime | None = None,
    wearers: Sequence[str] = ("W1",),
) -> Replay:
    conditions = [conditions] if isinstance(conditions, Condition) else conditions
    plan = compile_plan(
        conditions,
        profile,
        start_at=NOON - timedelta(days=60),
        end_at=NOON + timedelta(days=60),
        wearers=wearers,
    )
    batch = with_victims(plan, Batch.concat(list(batches)))
    return judge_all(plan, batch, None if until is None else ms(until))


def found(*args: Any, **kwargs: Any) -> list[Violation]:
    """The violations of conditions, in order of begin; those of the device left out."""
    return [v for v in judged(*args, **kwargs).violations if v.condition is not None]


def device(*args: Any, **kwargs: Any) -> list[Violation]:
    """The violations of device rules, in order of begin."""
    return [v for v in judged(*args, **kwargs).violations if v.condition is None]


def random_walk(seed: int, rows: int, *, people: int = 1, span_m: float = 600.0) -> Batch:
    """Reports of every sort about the middle, in canonical order."""
    rng = np.random.default_rng(seed)
    batch = Batch.empty(rows)
    batch.wearer[:] = np.sort(rng.integers(0, people, rows))
    batch.time_ms[:] = ms(NOON) + 1000 * rng.integers(0, 60 * rows, rows)
    east_m, north_m = np.cumsum(rng.normal(0, span_m / 6, (2, rows)), axis=1)
    # Reflected at the span, so that it keeps coming back.
    east_m, north_m = (
        np.abs((m + span_m) % (4 * span_m) - 2 * span_m) - span_m for m in (east_m, north_m)
    )
    batch.lon_e7[:] = np.round((LON + east_m / M_LON) * 1e7)
    batch.lat_e7[:] = np.round((LAT + north_m / M_LAT) * 1e7)
    batch.accuracy_m[:] = rng.choice([np.nan, 0, 3, 8, 30, 250, 1500], rows)
    batch.source[:] = rng.choice([0, 1, 1, 1, 2, 3, 4], rows)
    batch.speed_mps[:] = rng.choice([np.nan, 0, 1.4, 12], rows)
    batch.signals[:] = np.where(rng.random(rows) < 0.08, 1 << rng.integers(0, 15, rows), 0)
    blind = rng.random(rows) < 0.1
    batch.lat_e7[blind] = batch.lon_e7[blind] = NO_POSITION
    order = np.lexsort((batch.time_ms, batch.wearer))
    return batch.take(order)


def walk_of_pairs(seed: int, rows: int, victims: Sequence[str] = ("V1", "V2")) -> Batch:
    """Two wearers and victims about one place, all of whom hear of each other."""
    own = random_walk(seed, rows, people=2)
    theirs = [random_walk(seed + 1 + n, rows, people=2) for n in range(len(victims))]
    for name, batch in zip(victims, theirs, strict=True):
        batch.victim[:] = victim_number(name)
    return Batch.concat([own, *theirs])
