"""The whole `standard` law: a day replayed in memory, and live micro-batches; beside plain Python.

Each wearer has eight conditions: four exclusion zones (two with a ring), a corridor, a curfew at
home, a borough not to be left, and a place to attend. A fix a minute, most at rest with the errors
of rest, some on the way.

The peer is the same law by the same rules over plain Python objects (`bench.objects`): floats,
attributes and lists instead of arrays, in a process of its own without the compiler. It must say
what the compiled law says, word for word.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock

import numpy as np

from bench.own_zones import in_degrees, ring
from bench.row import Row, best_cpu_s
from ringfence.engine import (
    STANDARD,
    Batch,
    Condition,
    Kind,
    Plan,
    Weekly,
    compile_plan,
    evaluate,
    initial_state,
)
from ringfence.engine.conditions import DAYS
from ringfence.engine.fix import E7
from ringfence.geo.frame import LocalFrame

WEARERS = 400
OBJECTS_WEARERS = 10
LIVE_WEARERS = 4_000
DAY = 1_440
BATCH = 1_000
BATCHES = 300
START_AT = datetime(2026, 3, 2, tzinfo=UTC)
FRAME = LocalFrame(-0.1, 51.5)


def run() -> list[Row]:
    plan, batch = made_up(WEARERS, DAY)
    evaluate(plan, initial_state(plan), batch.take(slice(0, 100)))  # compiled, from here on
    day_s = best_cpu_s(lambda: evaluate(plan, initial_state(plan), batch))
    rate = len(batch) / day_s
    said = json.loads(in_plain_python())
    few = batch.take(batch.wearer < OBJECTS_WEARERS)
    events = evaluate(plan, initial_state(plan), few).events
    if said["events"] != told(events):
        raise RuntimeError("the two laws do not say the same")
    took = live_batches()
    strangers, live = took[: LIVE_WEARERS // BATCH], took[LIVE_WEARERS // BATCH :]
    return [
        Row("standard law, a day in memory", rate / 1e6, "M fixes/s a core", 2.0),
        Row("the same law over Python objects", said["rate"] / 1e3, "k fixes/s"),
        Row("standard law, a day in memory", rate / said["rate"], "×", 40.0, "Python objects"),
        Row("events in the day", len(events) / OBJECTS_WEARERS, "a wearer"),
        Row("live, 1,000 fixes of 4,000 wearers, p50", 1e3 * float(np.median(live)), "ms"),
        Row("live, p99", 1e3 * float(np.quantile(live, 0.99)), "ms"),
        Row("live, p99: how often into 5 ms", 5e-3 / float(np.quantile(live, 0.99)), "times", 1.0),
        Row(
            "live, p99 ÷ Python objects", BATCH / said["rate"] / float(np.quantile(live, 0.99)), "×"
        ),
        Row("live, of wearers never heard before, at most", 1e3 * max(strangers), "ms"),
    ]


def in_plain_python() -> str:
    return subprocess.run(
        [sys.executable, "-m", "bench.objects"],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def told(events: np.recarray) -> list[list[float]]:
    """What was said, when, of which rule, how surely."""
    return [
        [int(e.slot), int(e.act), int(e.at_ms), int(e.begin_ms), round(float(e.probability), 9)]
        for e in events
    ]


def live_batches() -> list[float]:
    """Seconds of CPU for each batch of mixed wearers' fixes, the state kept.

    In the first of them nobody was heard before: each rule is new, and each distance unknown.
    """
    plan, batch = made_up(LIVE_WEARERS, BATCH * BATCHES // LIVE_WEARERS)
    batch = batch.take(np.argsort(batch.time_ms, kind="stable"))
    state, took = initial_state(plan), []
    for begin in range(0, len(batch), BATCH):
        part = batch.take(slice(begin, begin + BATCH))
        begun = time.process_time()
        evaluate(plan, state, part, in_place=True)
        took.append(time.process_time() - begun)
    return took


def made_up(wearers: int, fixes: int) -> tuple[Plan, Batch]:
    """The same people every time: the first of many are the same as few."""
    conditions, batches = [], []
    for w in range(wearers):
        rng = np.random.default_rng(w)
        home = rng.normal(0, 8_000, 2)
        conditions += conditions_of(rng, f"W{w:05d}", home)
        batches.append(fixes_of(rng, w, home, fixes))
    end_at = START_AT + timedelta(days=2)
    plan = compile_plan(conditions, STANDARD, start_at=START_AT, end_at=end_at)
    return plan, Batch.concat(batches)


def conditions_of(rng: np.random.Generator, wearer: str, home: np.ndarray) -> list[Condition]:
    nightly = (Weekly(DAYS, clock(19), clock(7)),)
    weekly = (Weekly(("mon", "thu"), clock(10), clock(11)),)

    def zone(n: int, kind: Kind, geometry: dict[str, object], **more: object) -> Condition:
        from_at = START_AT - timedelta(days=30)
        return Condition(f"{wearer}-{n}", wearer, kind, from_at, geometry=geometry, **more)  # type: ignore[arg-type]

    def drawn(size_m: float, corners: int, at: np.ndarray) -> dict[str, object]:
        line = in_degrees(ring(rng, size_m, corners, 1.0) + at)
        return {"type": "Polygon", "coordinates": [[list(p) for p in line]]}

    lon, lat = FRAME.to_degrees(*home)
    away = [home + rng.normal(0, 4_000, 2) for _ in range(5)]
    x, y = FRAME.to_degrees(*(np.cumsum(rng.normal(0, 200, (8, 2)), axis=0) + away[4]).T)
    road = {"type": "LineString", "coordinates": np.column_stack([x, y]).tolist()}
    return [
        zone(0, Kind.EXCLUSION, drawn(300, 64, away[0]), buffer_m=200.0),
        zone(1, Kind.EXCLUSION, drawn(300, 24, away[1])),
        zone(2, Kind.EXCLUSION, drawn(500, 40, away[2]), buffer_m=300.0),
        zone(3, Kind.EXCLUSION, drawn(1_500, 200, away[3])),
        zone(4, Kind.EXCLUSION, road, width_m=100.0),
        zone(
            5,
            Kind.CURFEW,
            {"type": "Point", "coordinates": [lon, lat]},
            radius_m=80.0,
            when=nightly,
        ),
        zone(6, Kind.RESTRICTION, drawn(9_000, 700, home)),
        zone(7, Kind.ATTENDANCE, drawn(150, 12, away[0] + 2_000), when=weekly),
    ]


def fixes_of(rng: np.random.Generator, w: int, home: np.ndarray, count: int) -> Batch:
    """Rests of an hour or so, and ways at a walk or by bus between them."""
    batch = Batch.empty(count)
    at, place, goal, left = 0, home.copy(), home.copy(), 0
    walk = np.empty((count, 2))
    for i in range(count):
        if left == 0 and rng.random() < 0.015:
            goal = home + rng.normal(0, 3_000, 2) if rng.random() < 0.6 else home
            left = 1 + int(np.hypot(*(goal - place)) / rng.choice([80.0, 350.0]))
        if left:
            place = place + (goal - place) / left
            left -= 1
        walk[i] = place
    at = rng.normal(0, 5, (count, 2))
    lon, lat = FRAME.to_degrees(*(walk + at).T)
    batch.wearer[:] = w
    batch.time_ms[:] = int(START_AT.timestamp() * 1000) + 60_000 * np.arange(count) + w % 60_000
    batch.lat_e7[:], batch.lon_e7[:] = np.rint(lat * E7), np.rint(lon * E7)
    batch.source[:], batch.accuracy_m[:] = 1, rng.choice([6.0, 10.0, 25.0], count)
    return batch
