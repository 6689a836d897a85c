"""Shapes that are everybody's (schools, courts): which of thousands lie near each of many places.

Cells of equal size in degrees list the shapes that come within reach of them. Most cells list
none; where a cell lies whole within a shape, nothing is measured there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.geo.compiled import compiled
from ringfence.geo.distance import BEYOND_M, BOX_REACH_M, signed_distance_m
from ringfence.geo.edges import EdgeTable, build_edge_table
from ringfence.geo.metric import LAT_M_MIN
from ringfence.geo.near import DEGREE_M, Near, gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ringfence.geo.edges import Arrays
    from ringfence.geo.near import Pairs
    from ringfence.geo.shapes import Shape

CELLS_A_SHAPE: Final = 64
CELLS_MOST: Final = 1 << 22
LISTED_MOST: Final = 1 << 22
"""Wide shapes get wider cells, so that the lists stay this short."""


class Cells(NamedTuple):
    """The grid as the compiled loop reads it."""

    reach_m: float
    west: float
    south: float
    per_lon: float
    """Columns in a degree."""
    per_lat: float
    columns: int
    rows: int
    starts: NDArray[np.int64]
    """(cells + 1,): cell c lists `listed[starts[c]:starts[c + 1]]`."""
    listed: NDArray[np.int32]
    """Numbers of shapes; −1 − number where the whole cell is inside, farther in than the reach."""


@dataclass(frozen=True, slots=True)
class ShapeGrid:
    """Shapes laid out for asking which of them lie near places."""

    table: EdgeTable
    cells: Cells

    def near(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Near:
        """Every shape that a place lies in, or at most the reach from, with its signed distance.

        The answers are those of `signed_distance_m`, asked of every place and every shape, where
        that is at least −`reach_m` (`build_shape_grid`).

        Args:
            lon: (n,) degrees; NaN is near nothing.
            lat: (n,) degrees.
        """
        arrays = self.table.arrays()

        def some(out: Pairs, stands_at: NDArray[np.int64]) -> bool:
            return _near(arrays, self.cells, (lon, lat), out, stands_at)

        return gathered(some, len(lon), int(np.diff(self.cells.starts).max(initial=1)))


def build_shape_grid(shapes: Sequence[Shape], reach_m: float = 0.0) -> ShapeGrid:
    """Lay shapes out for `ShapeGrid.near`; shape `i` keeps number `i`.

    Args:
        shapes: any number, of any size.
        reach_m: how far outside a shape a place may be and still be told, metres.

    Raises:
        ValueError: `reach_m` is negative, or more than 100 km.
    """
    if not 0.0 <= reach_m <= BOX_REACH_M:
        raise ValueError(f"reach_m: {reach_m} is not within 0…{BOX_REACH_M:g} metres")
    reach_m = float(reach_m)
    table = build_edge_table(shapes)
    boxes = _reached(table.shapes, reach_m)
    empty = np.zeros(0, np.int32)
    if not len(boxes):
        nothing = Cells(reach_m, 0.0, 0.0, 0.0, 0.0, 0, 0, np.zeros(1, np.int64), empty)
        return ShapeGrid(table, nothing)
    frame, spans = _frame(boxes, reach_m)
    cell, shape = _listing(frame, spans)
    listed = np.empty(len(cell), np.int32)
    _settle(table.arrays(), frame, cell, shape, listed)
    keep = listed != ABSENT
    starts = np.searchsorted(cell[keep], np.arange(frame.columns * frame.rows + 1))
    cells = frame._replace(starts=starts.astype(np.int64), listed=listed[keep])
    return ShapeGrid(table, cells)


ABSENT: Final = np.iinfo(np.int32).max
"""Of a cell in a shape's box: the shape does not come near it."""


def _reached(rows: NDArray[np.void], reach_m: float) -> NDArray[np.float64]:
    """(shapes, 4): each shape's box and its reach, within the world."""
    with np.errstate(invalid="ignore"):
        side = np.where(reach_m > 0.0, reach_m * rows["lon_per_m"], 0.0)
    up = reach_m / LAT_M_MIN
    boxes = np.column_stack(
        [rows["west"] - side, rows["south"] - up, rows["east"] + side, rows["north"] + up]
    )
    within: NDArray[np.float64] = np.clip(
        boxes, (-180.0, -90.0, -180.0, -90.0), (180.0, 90.0, 180.0, 90.0)
    )
    return within


def _frame(boxes: NDArray[np.float64], reach_m: float) -> tuple[Cells, NDArray[np.int64]]:
    """Cells over all boxes, about square on the ground, and the cells that each box spans."""
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    wide_deg, high_deg = max(east - west, 1e-6), max(north - south, 1e-6)
    shrink = max(0.05, math.cos(math.radians((south + north) / 2)))
    cells = min(CELLS_MOST, CELLS_A_SHAPE * len(boxes))
    empty = np.zeros(0, np.int64)
    while True:
        side_deg = math.sqrt(wide_deg * shrink * high_deg / cells)
        columns = max(1, math.ceil(min(wide_deg * shrink / side_deg, cells)))
        rows = max(1, math.ceil(min(high_deg / side_deg, cells)))
        # A little beyond the last edge, so that a place on it is in a cell.
        per_lon, per_lat = columns / (wide_deg * (1 + 1e-9)), rows / (high_deg * (1 + 1e-9))
        origin, per = (west, south) * 2, (per_lon, per_lat) * 2
        spans = ((boxes - origin) * per).astype(np.int64)
        spans = np.clip(spans, 0, (columns - 1, rows - 1) * 2)
        listed = (spans[:, 2] - spans[:, 0] + 1) * (spans[:, 3] - spans[:, 1] + 1)
        if listed.sum() <= max(LISTED_MOST, 4 * len(boxes)) or columns * rows == 1:
            corner, size = (float(west), float(south)), (columns, rows)
            frame = Cells(reach_m, *corner, per_lon, per_lat, *size, empty, empty.astype(np.int32))
            return frame, spans
        cells //= 2


def _listing(frame: Cells, spans: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Every cell in every box, in order of cells, and the box's shape."""
    wide, high = spans[:, 2] - spans[:, 0] + 1, spans[:, 3] - spans[:, 1] + 1
    counts = wide * high
    shape = np.repeat(np.arange(len(spans)), counts)
    nth = np.arange(len(shape)) - np.repeat(counts.cumsum() - counts, counts)
    row = spans[shape, 1] + nth // wide[shape]
    cell = row * frame.columns + spans[shape, 0] + nth % wide[shape]
    order = np.argsort(cell, kind="stable")
    return cell[order], shape[order].astype(np.int32)


@compiled
def _settle(
    arrays: Arrays,
    frame: Cells,
    cell: NDArray[np.int64],
    shape: NDArray[np.int32],
    listed: NDArray[np.int32],
) -> None:
    """Say of each cell and shape whether to measure, or what is so in the whole cell."""
    for k in range(len(cell)):
        lon = frame.west + (cell[k] % frame.columns + 0.5) / frame.per_lon
        lat = frame.south + (cell[k] // frame.columns + 0.5) / frame.per_lat
        equatorward = max(0.0, abs(lat) - 0.5 / frame.per_lat)
        x = 0.5 / frame.per_lon * DEGREE_M * math.cos(math.radians(equatorward))
        y = 0.5 / frame.per_lat * DEGREE_M
        far_m = 1.01 * (math.sqrt(x * x + y * y) + frame.reach_m) + 1.0
        signed_m = signed_distance_m(arrays, shape[k], lon, lat, far_m)
        if far_m > BOX_REACH_M or abs(signed_m) <= far_m:
            listed[k] = shape[k]
        else:
            listed[k] = -1 - shape[k] if signed_m > 0.0 else ABSENT


@compiled
def _near(
    arrays: Arrays,
    cells: Cells,
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
    out: Pairs,
    stands_at: NDArray[np.int64],
) -> bool:
    """Write pairs until all places are done, or `out` has no room for another place."""
    reach_m, written = cells.reach_m, 0
    for i in range(stands_at[0], len(places[0])):
        lon, lat = places[0][i], places[1][i]
        x, y = (lon - cells.west) * cells.per_lon, (lat - cells.south) * cells.per_lat
        if not (0.0 <= x < cells.columns and 0.0 <= y < cells.rows):
            continue
        cell = int(y) * cells.columns + int(x)
        first, end = cells.starts[cell], cells.starts[cell + 1]
        if written + end - first > len(out[0]):
            stands_at[0], stands_at[1] = i, written
            return False
        for k in range(first, end):
            shape, signed_m = cells.listed[k], BEYOND_M
            if shape < 0:
                shape = -1 - shape
            else:
                signed_m = signed_distance_m(arrays, shape, lon, lat, reach_m)
            if signed_m >= -reach_m:
                out[0][written], out[1][written], out[2][written] = i, shape, signed_m
                written += 1
    stands_at[1] = written
    return True
