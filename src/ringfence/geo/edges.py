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

    Edges = NDArray[np.float64]
    Arrays = tuple[
        NDArray[np.void], Edges, NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]
    ]

AREA: Final = 0
DISC: Final = 1
CORRIDOR: Final = 2

EDGES_A_BAND: Final = 4
"""Below about this many, looking up a band costs more than it saves."""
COPIES: Final = 4
"""An edge is listed in every band that it passes; lists may be this much longer than the edges."""
BLOCK: Final = 8
"""So many edges in a row share a box, and so many boxes a wider one; all are measured at once."""
SHIFT: Final = 3
LANE: Final = BLOCK - 1
"""Number n is `n & LANE` of block `n >> SHIFT`."""

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
        ("band_south", np.float64),
        ("bands_per_deg", np.float64),
        ("bands", np.int64),
        ("first_band", np.int64),
        ("first_block", np.int64),
        ("blocks", np.int64),
        ("first_group", np.int64),
        ("first_wide", np.int64),
        ("form", np.int64),
    ]
)
"""One shape: its bounding box in degrees (radius and half width included), degrees of longitude
in a metre at its poleward side (never too few), a disc's centre, radius or half width, and its
bands of latitude: `bands` of equal height from `band_south` up, rows in `starts` from
`first_band`. Its blocks of edges; the groups of their boxes; the groups of those groups' boxes."""


@dataclass(frozen=True, slots=True)
class EdgeTable:
    """Shapes by number, as arrays only."""

    shapes: NDArray[np.void]
    """One `SHAPE_ROW` a shape."""
    edges: Edges
    """(blocks, 4, BLOCK): lon1, lat1, lon2, lat2, degrees, of so many edges side by side; ring by
    ring: those in a row lie together. A shape's last block is filled with its last edge."""
    banded: NDArray[np.float64]
    """(n, 4): lon1, lat1, lon2, lat2 of edges once more, band by band: an inside is told by the few
    at its own latitude, and they lie side by side."""
    starts: NDArray[np.int64]
    """Band b of a shape is `banded[starts[first_band + b]:starts[first_band + b + 1]]`."""
    boxes: NDArray[np.float64]
    """(groups, 4, BLOCK): west, south, east, north, degrees, of so many boxes side by side: what is
    far from a box is not measured."""

    def __len__(self) -> int:
        """Count the shapes."""
        return len(self.shapes)

    def arrays(self) -> Arrays:
        """The tuple that the compiled functions of `distance` take; its parts are theirs alone."""
        return self.shapes, self.edges, self.banded, self.starts, self.boxes


def build_edge_table(shapes: Sequence[Shape]) -> EdgeTable:
    """Lay shapes out as arrays; shape `i` keeps number `i`."""
    rows = np.zeros(len(shapes), SHAPE_ROW)
    blocks: list[Edges] = [np.zeros((0, 4, BLOCK))]
    banded, starts = [np.zeros((0, 4))], [np.zeros(0, np.int64)]
    groups: list[NDArray[np.float64]] = [np.zeros((0, 4, BLOCK))]
    far = {"block": 0, "listed": 0, "band": 0, "group": 0}
    for row, shape in zip(rows, shapes, strict=True):
        _describe(row, shape)
        own = _edges_of(shape)
        listed, begins = _banded(row, own)
        blocked, (narrow, wide) = _side_by_side(own), _boxes(own)
        row["first_block"], row["blocks"] = far["block"], len(blocked)
        row["first_band"] = far["band"]
        row["first_group"], row["first_wide"] = far["group"], far["group"] + len(narrow)
        blocks.append(blocked)
        banded.append(own[listed])
        starts.append(begins + far["listed"])
        groups += [narrow, wide]
        far["block"] += len(blocked)
        far["listed"] += len(listed)
        far["band"] += len(begins)
        far["group"] += len(narrow) + len(wide)
    lists = np.concatenate(banded), np.concatenate(starts)
    return EdgeTable(rows, np.concatenate(blocks), *lists, np.concatenate(groups))


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


def _boxes(edges: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Groups of boxes round each block of edges, and groups of boxes round each such group."""
    if not len(edges):
        return np.zeros((0, 4, BLOCK)), np.zeros((0, 4, BLOCK))
    low, high = np.minimum(edges[:, :2], edges[:, 2:]), np.maximum(edges[:, :2], edges[:, 2:])
    narrow = _merged(np.column_stack([low, high]))
    return _side_by_side(narrow), _side_by_side(_merged(narrow))


def _merged(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """One box round each `BLOCK` of boxes."""
    begins = np.arange(0, len(boxes), BLOCK)
    low = np.minimum.reduceat(boxes[:, :2], begins)
    return np.column_stack([low, np.maximum.reduceat(boxes[:, 2:], begins)])


def _side_by_side(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 4) as (blocks, 4, BLOCK), filled with the last one."""
    if not len(rows):
        return np.zeros((0, 4, BLOCK))
    at = np.minimum(np.arange(-(-len(rows) // BLOCK) * BLOCK), len(rows) - 1)
    blocks: NDArray[np.float64] = rows[at].reshape(-1, BLOCK, 4).transpose(0, 2, 1)
    return blocks


def _banded(row: np.void, edges: Edges) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List edges in bands of latitude, as many as pay; note the bands in `row`."""
    if not len(edges):
        return np.zeros(0, np.int64), np.zeros(1, np.int64)
    low, high = edges[:, 1::2].min(axis=1), edges[:, 1::2].max(axis=1)
    south, height = low.min(), high.max() - low.min()
    bands = max(1, len(edges) // EDGES_A_BAND) if height > 1e-9 else 1
    while True:
        per_deg = bands / height if bands > 1 else 0.0
        # The same sum as `distance._band_of`: equal latitudes land in equal bands, to the bit.
        from_band = np.minimum(((low - south) * per_deg).astype(np.int64), bands - 1)
        to_band = np.minimum(((high - south) * per_deg).astype(np.int64), bands - 1)
        counts = to_band - from_band + 1
        if bands == 1 or counts.sum() <= COPIES * len(edges):
            break
        bands //= 2
    row["band_south"], row["bands_per_deg"], row["bands"] = south, per_deg, bands
    which = np.repeat(np.arange(len(edges)), counts)
    nth = np.arange(len(which)) - np.repeat(counts.cumsum() - counts, counts)
    band = from_band[which] + nth
    order = np.argsort(band, kind="stable")
    starts = np.searchsorted(band[order], np.arange(bands + 1)).astype(np.int64)
    return which[order], starts
