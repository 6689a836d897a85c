"""Compile at install what Python calls of the engine and of geo, so that no user waits for it."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from ringfence.engine.backtest import backtest
from ringfence.engine.conditions import Condition, Kind
from ringfence.engine.fix import E7, Batch, Source
from ringfence.engine.hindsight import in_hindsight
from ringfence.engine.plan import compile_plan
from ringfence.engine.profiles import NAIVE, STANDARD
from ringfence.engine.replay import judge_all
from ringfence.engine.schedule import to_ms
from ringfence.engine.standing import standings
from ringfence.geo.distance import contains_many
from ringfence.geo.edges import build_edge_table
from ringfence.geo.grid import build_shape_grid
from ringfence.geo.metric import geodesic_m
from ringfence.geo.near import Own, Places, near_own
from ringfence.geo.shapes import Disc

LON, LAT = -0.1, 51.5
FIXES = 4
START_AT = datetime(2026, 1, 1, tzinfo=UTC)


def warm() -> float:
    """Ask everything once, of a made-up trail.

    Returns:
        Seconds taken; hardly any where the compiled code is at rest already.
    """
    began = time.perf_counter()
    zone = {"type": "Point", "coordinates": [LON, LAT]}
    condition = Condition("warm", "W", Kind.EXCLUSION, START_AT, geometry=zone, radius_m=50.0)
    trail = _trail()
    for profile in (NAIVE, STANDARD):
        end_at = START_AT + timedelta(hours=1)
        plan = compile_plan([condition], profile, start_at=START_AT, end_at=end_at)
        result = judge_all(plan, trail).result
        standings(plan, result.state, "W")
    in_hindsight(trail, result.doubts)
    backtest(condition, {"W": trail})
    _warm_geometry()
    return time.perf_counter() - began


def _trail() -> Batch:
    """There and back within a minute, so that each step is looked at."""
    trail = Batch.empty(FIXES)
    trail.wearer[:] = 0
    trail.time_ms[:] = to_ms(START_AT) + 10_000 * np.arange(FIXES)
    trail.lat_e7[:] = np.rint((LAT + 0.01 * (np.arange(FIXES) == 1)) * E7)
    trail.lon_e7[:], trail.source[:] = int(LON * E7), Source.GNSS
    return trail


def _warm_geometry() -> None:
    """What is asked about places alone."""
    disc = Disc((LON, LAT), 50.0)
    arrays = build_edge_table([disc]).arrays()
    lon, lat = np.array([LON]), np.array([LAT])
    contains_many(arrays, 0, lon, lat)
    geodesic_m(LON, LAT, LON, LAT)
    own = Own(np.array([0, 1]), np.zeros(1, np.int32))
    near_own(arrays, own, Places(np.zeros(1, np.int32), lon, lat), 100.0)
    build_shape_grid([disc], 100.0).near(lon, lat)


if __name__ == "__main__":
    sys.stdout.write(f"engine ready in {warm():.1f} s\n")
