"""Compile the kernel at install, so that no user waits for it."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from ringfence.engine.conditions import Condition, Kind
from ringfence.engine.fix import E7, Batch, Source
from ringfence.engine.plan import compile_plan
from ringfence.engine.profiles import NAIVE, STANDARD
from ringfence.engine.replay import judge_all
from ringfence.engine.schedule import to_ms
from ringfence.engine.standing import standings


def warm() -> float:
    """Judge a made-up minute, which compiles all that judging needs.

    Returns:
        Seconds taken; hardly any where the compiled code is at rest already.
    """
    began = time.perf_counter()
    start_at = datetime(2026, 1, 1, tzinfo=UTC)
    zone = {"type": "Point", "coordinates": [-0.1, 51.5]}
    condition = Condition("warm", "W", Kind.EXCLUSION, start_at, geometry=zone, radius_m=50.0)
    batch = Batch.empty(2)
    batch.wearer[:] = 0
    batch.time_ms[:] = to_ms(start_at) + np.array([0, 60_000])
    batch.lat_e7[:], batch.lon_e7[:] = int(51.5 * E7), int(-0.1 * E7)
    batch.source[:] = Source.GNSS
    for profile in (NAIVE, STANDARD):
        end_at = start_at + timedelta(hours=1)
        plan = compile_plan([condition], profile, start_at=start_at, end_at=end_at)
        result = judge_all(plan, batch).result
        standings(plan, result.state, "W")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(f"engine ready in {warm():.1f} s\n")
