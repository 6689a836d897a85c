"""What others do: rules of thumb, each as a function of one week's fixes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.quality.overlay import START_MS
from bench.quality.score import Alert
from bench.quality.sketch import sketch
from ringfence.engine.fix import Batch, Source

Rule = Callable[[NDArray[np.float64], Batch], list[Alert]]
"""Signed metres inside of each fix, and the fixes in order of time → alerts."""


def naive(signed_m: NDArray[np.float64], batch: Batch) -> list[Alert]:
    """A fix inside opens, a fix outside ends."""
    return _machine(batch, signed_m >= 0, signed_m < 0, need=1)


def satellites_only(signed_m: NDArray[np.float64], batch: Batch) -> list[Alert]:
    """As naive, but only satellite fixes count."""
    gnss = batch.source == Source.GNSS
    return naive(signed_m[gnss], batch.take(gnss))


def two_in_a_row(signed_m: NDArray[np.float64], batch: Batch) -> list[Alert]:
    """Two fixes inside open, two outside end."""
    return _machine(batch, signed_m >= 0, signed_m < 0, need=2)


def three_in_a_row(signed_m: NDArray[np.float64], batch: Batch) -> list[Alert]:
    """Three fixes inside open, three outside end."""
    return _machine(batch, signed_m >= 0, signed_m < 0, need=3)


def whole_circle(signed_m: NDArray[np.float64], batch: Batch) -> list[Alert]:
    """The whole circle inside opens, the whole circle outside ends."""
    circle = np.nan_to_num(batch.accuracy_m.astype(float), nan=50.0)
    return _machine(batch, signed_m >= circle, signed_m <= -circle, need=1)


RULES: dict[str, Rule] = {
    "naive": naive,
    "satellites only": satellites_only,
    "2 in a row": two_in_a_row,
    "3 in a row": three_in_a_row,
    "whole circle": whole_circle,
    "sketch": sketch,
}


def _machine(
    batch: Batch, enter: NDArray[np.bool_], leave: NDArray[np.bool_], need: int
) -> list[Alert]:
    alerts: list[Alert] = []
    seconds = (batch.time_ms - START_MS) / 1000
    opened: float | None = None
    run = 0
    for t, into, out in zip(seconds.tolist(), enter.tolist(), leave.tolist(), strict=True):
        run = run + 1 if (into if opened is None else out) else 0
        if run >= need:
            run = 0
            if opened is None:
                opened = t
            else:
                alerts.append((opened, t))
                opened = None
    if opened is not None:
        alerts.append((opened, float(seconds[-1])))
    return alerts
