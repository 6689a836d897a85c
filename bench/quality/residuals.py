"""Errors of real devices, as blocks: how far off, which way, and what circle was claimed.

Outdoors: MobilityNet phones against the true route. Indoors: phones that did not move, and a real
tag on a desk. Successive errors stay together, so that drift stays drift.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

TRACES = Path(__file__).parents[3] / "shared" / "data" / "traces"
LAT_M = 111_200.0


@dataclass(frozen=True)
class Residuals:
    """Blocks of errors in order: columns east_m, north_m, accuracy_m, second of the block."""

    outdoors: list[NDArray[np.float64]]
    phones: list[NDArray[np.float64]]
    """At rest, indoors."""
    desk: list[NDArray[np.float64]]
    """The same, of a real tag by cells."""

    @property
    def indoors(self) -> list[NDArray[np.float64]]:
        """Every block at rest."""
        return [*self.phones, *self.desk]


def read_residuals(traces: Path = TRACES) -> Residuals:
    """Read the shared traces; `FileNotFoundError` says where they are looked for."""
    if not traces.is_dir():
        raise FileNotFoundError(f"the real traces are not at {traces}: quality needs them")
    return Residuals(_trips(traces), _stationary(traces), [_desk(traces)])


def _trips(traces: Path) -> list[NDArray[np.float64]]:
    routes = json.loads((traces / "mobilitynet_ground_truth_dev.geojson").read_text())["features"]
    lines = [
        np.array(f["geometry"]["coordinates"], float)[:, :2]
        for f in routes
        if f["properties"]["kind"] == "route_coords"
    ]
    blocks = []
    for fixes in _by_trajectory(traces / "mobilitynet_trips_dev.parquet").values():
        thinned = _every(fixes, 30_000)
        off = np.array([_to_route(lon, lat, lines) for _, lon, lat, _ in thinned])
        rows = np.column_stack([off, thinned[:, 3], _seconds(thinned)])
        # Farther than this from every true route the phone was elsewhere (between trips).
        blocks += _split(rows, np.hypot(off[:, 0], off[:, 1]) < 300)
    return [b for b in blocks if len(b) >= 10]


def _stationary(traces: Path) -> list[NDArray[np.float64]]:
    blocks = []
    for fixes in _by_trajectory(traces / "mobilitynet_stationary_dev.parquet").values():
        if len(fixes) >= 20:
            best = fixes[fixes[:, 3] <= np.quantile(fixes[:, 3], 0.5)]
            blocks.append(_around(fixes, np.median(best[:, 1]), np.median(best[:, 2])))
    return blocks


def _desk(traces: Path) -> NDArray[np.float64]:
    read = pq.read_table(traces / "real_tag_dev.parquet")
    cell = np.array(read["source"].to_pylist()) == "lbs"
    fixes = np.column_stack(
        [
            np.array(read["time_ms"])[cell],
            np.array(read["lon_e6"])[cell] / 1e6,
            np.array(read["lat_e6"])[cell] / 1e6,
            np.array(read["accuracy_m"])[cell],
        ]
    )
    fixes = fixes[np.argsort(fixes[:, 0])]
    rows = _around(fixes, np.median(fixes[:, 1]), np.median(fixes[:, 2]))
    return rows[np.hypot(rows[:, 0], rows[:, 1]) < 600]


def _by_trajectory(path: Path) -> dict[str, NDArray[np.float64]]:
    read = pq.read_table(path)
    names = np.array(read["traj"].to_pylist())
    fixes = np.column_stack(
        [
            np.array(read["t_ms"]),
            np.array(read["lon_e6"]) / 1e6,
            np.array(read["lat_e6"]) / 1e6,
            np.array(read["acc_m"]),
        ]
    )
    return {
        str(name): (f := fixes[names == name])[np.argsort(f[:, 0])] for name in np.unique(names)
    }


def _every(fixes: NDArray[np.float64], gap_ms: float) -> NDArray[np.float64]:
    keep, last = [], -math.inf
    for i, t in enumerate(fixes[:, 0]):
        if t - last >= gap_ms:
            keep.append(i)
            last = t
    return fixes[keep]


def _to_route(lon: float, lat: float, lines: list[NDArray[np.float64]]) -> tuple[float, float]:
    """East and north from the nearest place of any true route to the fix, metres."""
    scale = np.array([LAT_M * math.cos(math.radians(lat)), LAT_M])
    best = (math.inf, (math.inf, math.inf))
    for line in lines:
        at = (line - [lon, lat]) * scale
        step = at[1:] - at[:-1]
        along = np.clip(-(at[:-1] * step).sum(1) / np.maximum((step**2).sum(1), 1e-9), 0, 1)
        nearest = at[:-1] + along[:, None] * step
        far = np.hypot(*nearest.T)
        i = int(far.argmin())
        best = min(best, (float(far[i]), (-float(nearest[i, 0]), -float(nearest[i, 1]))))
    return best[1]


def _around(fixes: NDArray[np.float64], lon: float, lat: float) -> NDArray[np.float64]:
    scale = LAT_M * math.cos(math.radians(lat))
    east_m, north_m = (fixes[:, 1] - lon) * scale, (fixes[:, 2] - lat) * LAT_M
    return np.column_stack([east_m, north_m, fixes[:, 3], _seconds(fixes)])


def _seconds(fixes: NDArray[np.float64]) -> NDArray[np.float64]:
    return (fixes[:, 0] - fixes[0, 0]) / 1000


def _split(rows: NDArray[np.float64], keep: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    cuts = np.flatnonzero(np.diff(keep.astype(int))) + 1
    parts = zip(np.split(rows, cuts), np.split(keep, cuts), strict=True)
    return [part for part, kept in parts if len(kept) and kept[0]]
