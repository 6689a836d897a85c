"""An hour's sketch of a law: seven tenths of the circle, and two fixes from rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.quality.overlay import START_MS
from bench.quality.score import Alert
from ringfence.engine.fix import E7, Batch, Source
from ringfence.geo.frame import LocalFrame

SHARE = 0.7
"""Of its circle, what a fix must be inside by to open, and outside by to end."""
MOVING_MPS = 0.5
RECENT_S = 300.0


def sketch(signed_m: NDArray[np.float64], batch: Batch) -> list[Alert]:
    """One fix opens if the two before it show a way, else two in a row; never one by cell."""
    better = batch.source != Source.CELL
    signed_m, batch = signed_m[better], batch.take(better)
    reach_m = SHARE * np.nan_to_num(batch.accuracy_m.astype(float), nan=50.0)
    seconds = (batch.time_ms - START_MS) / 1000
    need = np.where(_on_the_way(batch, seconds), 1, 2)
    alerts: list[Alert] = []
    opened: float | None = None
    run = 0
    rows = zip(
        seconds.tolist(),
        (signed_m >= reach_m).tolist(),
        (signed_m <= -reach_m).tolist(),
        need.tolist(),
        strict=True,
    )
    for t, into, out, wanted in rows:
        if opened is None:
            run = run + 1 if into else 0
            if run >= wanted:
                opened = t
        elif out:
            alerts.append((opened, t))
            opened, run = None, 0
    if opened is not None:
        alerts.append((opened, float(seconds[-1])))
    return alerts


def _on_the_way(batch: Batch, seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Did the last two fixes before this one, both recent, lie apart by more than drift?"""
    if not len(batch):
        return np.zeros(0, bool)
    frame = LocalFrame(float(batch.lon_e7[0]) / E7, float(batch.lat_e7[0]) / E7)
    x, y = frame.to_metres(batch.lon_e7 / E7, batch.lat_e7 / E7)
    going = np.zeros(len(batch), bool)
    step_s = np.maximum(np.diff(seconds), 1.0)
    fast = np.hypot(np.diff(x), np.diff(y)) / step_s > MOVING_MPS
    going[2:] = fast[:-1] & (seconds[2:] - seconds[:-2] <= RECENT_S)
    return going
