"""Shapes as flat arrays for compiled loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ringfence.geo.metric import LAT_M_MIN, metric_at
from ringfence.geo.shapes import Area, Corridor, Disc, Line, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Arrays = tuple[NDArray[np.void], NDArray[np.float64]]

AREA: Final = 0
DISC: Final = 1
CORRIDOR: Final = 2

SHAPE_ROW: Final = np.dtype(
    [
        ("west", np.float64),
        ("south", np.float64),
        ("east", np.float64),
        ("north", np.float64),
        ("lon_per_m", np.float64),
        ("lon", np.float64),
        ("lat", np.float64),
        ("reach_m", np.float64),
        ("first", np.int64),
        ("last", np.int64),
        ("form", np.int64),
    ]
)
"""One shape: its bounding box in degrees (radius and half width included), degrees of longitude
in a metre at its poleward side (never too few), a disc's centre, radius or half width, and its
rows in `edges` from `first` up to `last`."""


@dataclass(frozen=True, slots=True)
class EdgeTable:
    """Shapes by number, as arrays only."""

    shapes: NDArray[np.void]
    """One `SHAPE_ROW` a shape."""
    edges: NDArray[np.float64]
    """(n, 4): lon1, lat1, lon2, lat2, degrees."""

    def __len__(self) -> int:
        """Count the shapes."""
        return len(self.shapes)

    def arrays(self) -> Arrays:
        """The tuple that the compiled functions of `distance` take; its parts are theirs alone."""
        return self.shapes, self.edges


def build_edge_table(shapes: Sequence[Shape]) -> EdgeTable:
    """Lay shapes out as arrays; shape `i` keeps number `i`."""
    rows = np.zeros(len(shapes), SHAPE_ROW)
    edges: list[NDArray[np.float64]] = []
    first = 0
    for row, shape in zip(rows, shapes, strict=True):
        own = _edges_of(shape)
        row["first"], row["last"] = first, first + len(own)
        first += len(own)
        edges.append(own)
        _describe(row, shape)
    flat = np.concatenate(edges) if edges else np.zeros((0, 4))
    return EdgeTable(rows, np.ascontiguousarray(flat))


def _edges_of(shape: Shape) -> NDArray[np.float64]:
    match shape:
        case Area(polygons):
            lines = [ring for rings in polygons for ring in rings]
        case Corridor(line, _):
            lines = [line]
        case Disc():
            return np.zeros((0, 4))
    return np.concatenate([_segments(line) for line in lines])


def _segments(line: Line) -> NDArray[np.float64]:
    points = np.asarray(line, dtype=np.float64)
    segments = np.concatenate([points[:-1], points[1:]], axis=1)
    # A position given twice makes an edge without length, which has no direction.
    has_length = (segments[:, :2] != segments[:, 2:]).any(axis=1)
    return np.ascontiguousarray(segments[has_length])


def _describe(row: np.void, shape: Shape) -> None:
    match shape:
        case Area(polygons):
            row["form"], points = AREA, np.asarray([p for rings in polygons for p in rings[0]])
        case Corridor(line, width_m):
            row["form"], row["reach_m"], points = CORRIDOR, width_m / 2, np.asarray(line)
        case Disc(centre, radius_m):
            row["form"], row["reach_m"], points = DISC, radius_m, np.asarray([centre])
            row["lon"], row["lat"] = centre
    west, south = points.min(axis=0)
    east, north = points.max(axis=0)
    lat_margin = row["reach_m"] / LAT_M_MIN
    # One degree more towards the pole: callers may ask for up to 100 km beyond the box.
    poleward = max(abs(south - lat_margin), abs(north + lat_margin)) + 1
    row["lon_per_m"] = 1 / metric_at(poleward)[0] if poleward < 89.9 else np.inf
    lon_margin = row["reach_m"] * row["lon_per_m"] if row["reach_m"] else 0.0
    row["south"], row["north"] = south - lat_margin, north + lat_margin
    row["west"], row["east"] = west - lon_margin, east + lon_margin
    if row["form"] == DISC and (row["west"] < -180 or row["east"] > 180):
        row["west"], row["east"] = -np.inf, np.inf  # it goes on beyond the antimeridian
