"""How well it judges: real errors laid over made-up lives, the truth known."""

from __future__ import annotations

from datetime import timedelta

import numba
import numpy as np
import pyarrow.parquet as pq
import pytest

from ringfence.engine import NAIVE, STANDARD, Batch, Source, compile_plan, judge_all
from tests.engine.build import NOON, condition, disc, fixes, judged, place

ZONE_M = 250.0
GAPS = 1 if numba.config.DISABLE_JIT else 3
"""Plain Python is a hundred times as slow."""


def real(path, columns):
    table = pq.read_table(path)
    return [np.array(table[c].to_pylist()) for c in columns]


def metres_from_home(lat, lon):
    """East and north of the median, which for a tag on a desk is the desk."""
    north = (lat - np.median(lat)) * 111_253
    return (lon - np.median(lon)) * 111_320 * np.cos(np.radians(np.median(lat))), north


def beside_the_zone(time_ms, east, north, accuracy, source, *, gap_m, turn) -> Batch:
    """A real trace at rest, its home `gap_m` outside the edge of the zone."""
    c, s = np.cos(turn), np.sin(turn)
    batch = Batch.empty(len(time_ms))
    batch.wearer[:], batch.time_ms[:] = 0, time_ms
    lon, lat = place(ZONE_M + gap_m + c * east - s * north, s * east + c * north)
    batch.lon_e7[:], batch.lat_e7[:] = np.round(lon * 1e7), np.round(lat * 1e7)
    batch.accuracy_m[:], batch.source[:] = accuracy, source
    return batch


def confirmed(profile, traces) -> int:
    """Violations confirmed in traces that never come near being one."""
    people = [f"w{i:04}" for i in range(len(traces))]
    for i, trace in enumerate(traces):
        trace.wearer[:] = i
    batch = Batch.concat(traces)
    start_at = NOON - timedelta(days=9999)
    rules = [
        condition(id=p, wearer=p, geometry=disc(), radius_m=ZONE_M, from_at=start_at)
        for p in people
    ]
    plan = compile_plan(rules, profile, start_at=start_at, end_at=NOON + timedelta(days=9))
    said = judge_all(plan, batch).violations
    return sum(v.condition is not None and v.state == "confirmed" for v in said)


def test_a_real_tag_on_a_real_desk_beside_a_zone_confirms_nothing(shared) -> None:
    """16 days of cell fixes up to 321 m off, and the walks that leave the desk left out."""
    path = shared / "traces" / "real_tag_dev.parquet"
    time_ms, lat, lon, accuracy, source = real(
        path, ("time_ms", "lat_e6", "lon_e6", "accuracy_m", "source")
    )
    east, north = metres_from_home(lat / 1e6, lon / 1e6)
    cell = source == "lbs"
    traces = [
        beside_the_zone(
            time_ms[cell],
            east[cell],
            north[cell],
            accuracy[cell],
            Source.CELL,
            gap_m=gap_m,
            turn=turn,
        )
        for gap_m in (30, 60, 120)[:GAPS]
        for turn in np.linspace(0, 2 * np.pi, 8 if GAPS == 3 else 2, endpoint=False)
    ]
    assert confirmed(STANDARD, traces) == 0
    assert confirmed(NAIVE, traces) > 10, "the drift is there"


def test_real_phones_that_lie_still_beside_a_zone_confirm_next_to_nothing(shared) -> None:
    path = shared / "traces" / "mobilitynet_stationary_dev.parquet"
    traj, time_ms, lat, lon, accuracy = real(path, ("traj", "t_ms", "lat_e6", "lon_e6", "acc_m"))
    traces = []
    for name in np.unique(traj):
        rows = np.flatnonzero(traj == name)
        if len(rows) > 30:
            east, north = metres_from_home(lat[rows] / 1e6, lon[rows] / 1e6)
            traces += [
                beside_the_zone(
                    time_ms[rows],
                    east,
                    north,
                    accuracy[rows],
                    Source.UNKNOWN,
                    gap_m=30,
                    turn=turn,
                )
                for turn in (0, np.pi / 2, np.pi, 3 * np.pi / 2)[: GAPS + 1]
            ]
    assert len(traces) > 40
    assert confirmed(STANDARD, traces) == 0
    assert confirmed(NAIVE, traces) > 0


@pytest.mark.parametrize(("accuracy_m", "claimed"), [(8.0, 1.0), (8.0, 0.5), (30.0, 1.0)])
def test_visits_are_confirmed_soon_and_said_once(accuracy_m, claimed) -> None:
    """Walks in from 400 m, stays 3 to 20 minutes, leaves: one fix a minute."""
    rng = np.random.default_rng(7)
    delays, doubled, missed = [], 0, 0
    for _ in range(60):
        stay = int(rng.integers(3, 20))
        path = [650.0] * 5 + list(np.arange(650, 100, -80.0)) + [100.0] * stay
        path += [*np.arange(100, 700, 80.0), *[700.0] * 3]
        minute = np.arange(len(path)) + rng.uniform(0, 0.5)
        noise = rng.normal(0, accuracy_m / 2.4477, (2, len(path)))
        points = [(m, e + n[0], n[1]) for m, e, n in zip(minute, path, noise.T, strict=True)]
        rule = condition(geometry=disc(), radius_m=ZONE_M)
        said = judged(rule, fixes(points, accuracy_m=accuracy_m * claimed)).violations
        visits = [v for v in said if v.condition and v.state == "confirmed"]
        missed, doubled = missed + (not visits), doubled + (len(visits) > 1)
        inside_at = NOON + timedelta(minutes=5 + (650 - ZONE_M) / 80 + float(minute[0]))
        delays += [(v.confirmed_at - inside_at).total_seconds() for v in visits]
    assert missed == 0
    assert doubled == 0
    assert np.median(delays) <= 75
    assert np.percentile(delays, 95) <= 180
