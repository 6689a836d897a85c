"""Shapes that are everybody's (schools, courts): which of thousands lie near each of many places.

Cells of equal size in degrees, each of eight by eight finer ones. A word of 64 bits says of a cell
in which of its finer ones any shape comes within reach: for most places that is the whole answer.
Where a cell lies whole within a shape, nothing is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.geo.compiled import compiled
from ringfence.geo.distance import BEYOND_M, BOX_REACH_M, contains, signed_distance_m, touches
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
CELLS_MOST: Final = 1 << 21
LISTED_MOST: Final = 1 << 18
"""Wide shapes get wider cells, so that so few pairs of a cell and a shape have to be told."""
SIDE: Final = 8
SHIFT: Final = 3
"""So many finer cells stand in a row of a cell; their number in it is a bit of a word."""
FINE: Final = SIDE * SIDE
MANY: Final = 1 << 30


class Lists(NamedTuple):
    """Numbers, place by place: those of place p are `listed[starts[p]:starts[p + 1]]`."""

    starts: NDArray[np.int64]
    listed: NDArray[np.int32]


class Cells(NamedTuple):
    """The grid as the compiled loop reads it."""

    reach_m: float
    west: float
    south: float
    per_lon: float
    """Finer columns in a degree."""
    per_lat: float
    columns: int
    """Of cells, each `SIDE` finer ones wide."""
    rows: int
    most: int
    """Shapes that any place may be near."""
    words: NDArray[np.int64]
    """(cells,): bit f = a shape comes within reach in finer cell f."""
    blocks: NDArray[np.int32]
    """(cells,): the row of `codes`, if a bit is set."""
    codes: NDArray[np.int32]
    """(blocks, FINE): the number of the only shape, to be measured; −1 − number where the finer
    cell lies in it as a whole, farther in than the reach; `MANY` + where in `several` more are."""
    several: Lists


class Place(NamedTuple):
    """A place that some shape comes near to."""

    number: int
    lon: float
    lat: float


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

        return gathered(some, len(lon), self.cells.most)


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
    frame, spans = _frame(boxes, reach_m)
    cell, shape = _listing(frame, spans)
    arrays = table.arrays()
    whole = np.empty((len(cell), 1), np.int32)
    _settle(arrays, frame, (cell, shape), SIDE, whole)
    some = whole[:, 0] != ABSENT
    cell, told = cell[some], whole[some, 0]
    used, block = np.unique(cell, return_inverse=True)
    mixed = told >= 0
    finer = np.repeat(told[:, None], FINE, axis=1)
    measured = np.empty((np.count_nonzero(mixed), FINE), np.int32)
    _settle(arrays, frame, (cell[mixed], told[mixed]), 1, measured)
    finer[mixed] = measured
    at = FINE * block[:, None] + np.arange(FINE)
    some = finer != ABSENT
    return ShapeGrid(table, _with_codes(frame, used, at[some], finer[some]))


def _with_codes(
    frame: Cells, used: NDArray[np.int64], at: NDArray[np.int64], told: NDArray[np.int32]
) -> Cells:
    """The grid, with what is told of each finer cell `at` in cells `used`."""
    counts = np.bincount(at, minlength=FINE * len(used))
    order = np.argsort(at, kind="stable")
    at, told = at[order], told[order]
    codes = np.zeros(FINE * len(used), np.int32)
    codes[at] = told
    shared = counts[at] > 1
    crowded = np.flatnonzero(counts > 1)
    codes[crowded] = MANY + np.arange(len(crowded))
    starts = np.concatenate([[0], np.cumsum(counts[crowded])]).astype(np.int64)
    cells = frame.columns * frame.rows
    words, blocks = np.zeros(cells, np.int64), np.zeros(cells, np.int32)
    blocks[used] = np.arange(len(used))
    bits = np.packbits(counts.reshape(-1, FINE) > 0, axis=1, bitorder="little")
    words[used] = bits.view("<i8")[:, 0] if len(used) else 0
    return frame._replace(
        most=int(counts.max(initial=1)),
        words=words,
        blocks=blocks,
        codes=codes.reshape(-1, FINE),
        several=Lists(starts, told[shared]),
    )


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
    west, south = boxes[:, :2].min(axis=0, initial=180.0)
    east, north = boxes[:, 2:].max(axis=0, initial=-180.0)
    wide_deg, high_deg = max(east - west, 1e-6), max(north - south, 1e-6)
    shrink = max(0.05, math.cos(math.radians((south + north) / 2)))
    cells = max(1, min(CELLS_MOST, CELLS_A_SHAPE * len(boxes)))
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
            place = (float(west), float(south), SIDE * per_lon, SIDE * per_lat, columns, rows)
            empty = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, FINE), np.int32)
            nothing = Lists(np.zeros(1, np.int64), np.zeros(0, np.int32))
            return Cells(reach_m, *place, 1, *empty, nothing), spans
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
    pairs: tuple[NDArray[np.int64], NDArray[np.int32]],
    wide: int,
    told: NDArray[np.int32],
) -> None:
    """Say of each cell and shape whether to measure, or what is so in the whole cell.

    Args:
        arrays: of the shapes.
        frame: says where cells lie.
        pairs: the cell and the shape of each.
        wide: finer cells in a row of each square that is told apart: `SIDE` = the cell as one.
        told: (pairs, squares in a cell), written.
    """
    across = SIDE // wide
    for k in range(len(pairs[0])):
        x, y = SIDE * (pairs[0][k] % frame.columns), SIDE * (pairs[0][k] // frame.columns)
        for n in range(across * across):
            square = (x + wide * (n % across), y + wide * (n // across), wide)
            told[k, n] = _said_of(arrays, frame, pairs[1][k], square)


@compiled
def _said_of(arrays: Arrays, frame: Cells, shape: int, square: tuple[int, int, int]) -> int:
    """Of a square of finer cells (column, row, how many wide): its code, or `ABSENT`."""
    half = 0.5 * square[2]
    lon = frame.west + (square[0] + half) / frame.per_lon
    lat = frame.south + (square[1] + half) / frame.per_lat
    equatorward = max(0.0, abs(lat) - half / frame.per_lat)
    x = half / frame.per_lon * DEGREE_M * math.cos(math.radians(equatorward))
    y = half / frame.per_lat * DEGREE_M
    far_m = 1.01 * (math.sqrt(x * x + y * y) + frame.reach_m) + 1.0
    signed_m = signed_distance_m(arrays, shape, lon, lat, far_m)
    if far_m > BOX_REACH_M or abs(signed_m) <= far_m:
        return int(shape)
    return int(-1 - shape) if signed_m > 0.0 else ABSENT


@compiled
def _near(
    arrays: Arrays,
    cells: Cells,
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
    out: Pairs,
    stands_at: NDArray[np.int64],
) -> bool:
    """Write pairs until all places are done, or `out` has no room for another place."""
    wide, high, written = SIDE * cells.columns, SIDE * cells.rows, 0
    for i in range(stands_at[0], len(places[0])):
        x = (places[0][i] - cells.west) * cells.per_lon
        y = (places[1][i] - cells.south) * cells.per_lat
        if not (0.0 <= x < wide and 0.0 <= y < high):
            continue
        column, row = int(x), int(y)
        cell = (row >> SHIFT) * cells.columns + (column >> SHIFT)
        f = ((row & (SIDE - 1)) << SHIFT) | (column & (SIDE - 1))
        if (cells.words[cell] >> f) & 1 == 0:
            continue
        if written + cells.most > len(out[0]):
            stands_at[0], stands_at[1] = i, written
            return False
        place = Place(i, places[0][i], places[1][i])
        code = cells.codes[cells.blocks[cell], f]
        if code < MANY:
            written = _tell(arrays, cells.reach_m, code, place, (out, written))
            continue
        first, end = cells.several.starts[code - MANY], cells.several.starts[code - MANY + 1]
        for k in range(first, end):
            code = cells.several.listed[k]
            written = _tell(arrays, cells.reach_m, code, place, (out, written))
    stands_at[1] = written
    return True


@compiled
def _tell(
    arrays: Arrays, reach_m: float, code: int, place: Place, written: tuple[Pairs, int]
) -> int:
    """Write the pair of a place and a shape, if they are near; how many are written then."""
    out, count = written
    shape, signed_m = code, BEYOND_M
    if code < 0:
        shape = -1 - code
    elif reach_m == 0.0 and not contains(arrays, shape, place.lon, place.lat):
        return count
    elif reach_m > 0.0 or touches(arrays, shape, place.lon, place.lat):
        signed_m = signed_distance_m(arrays, shape, place.lon, place.lat, reach_m)
    if signed_m < -reach_m:
        return count
    out[0][count], out[1][count], out[2][count] = place.number, shape, signed_m
    return count + 1
