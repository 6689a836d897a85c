"""The nearest edge of a shape: eight edges and eight boxes at a time, the nearest box first.

Of eight edges, or eight boxes, all are measured at once: the loops have no branches, so that the
compiler makes them run four abreast. Numbers that are not negative are in order as their bits are,
and the least of whole numbers is found abreast too, which that of floating ones is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.geo.compiled import compiled
from ringfence.geo.edges import BLOCK, LANE, SHIFT
from ringfence.geo.metric import metric_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.geo.edges import Arrays, Edges

NOTHING: Final = int(np.iinfo(np.int64).max)
"""The bits of no distance: all lanes are done."""


class Spot(NamedTuple):
    """A place, and `metric_at` it."""

    lon: float
    lat: float
    east: float
    north: float
    east_slope: float
    north_slope: float


class Nearest(NamedTuple):
    """The three blocks of edges that are nearest to a place: squares of metres, and numbers."""

    first2: float
    second2: float
    third2: float
    others2: float
    """No edge of another block measures less."""
    first: int
    """−1 = no edge is that near."""
    second: int
    third: int
    wanted: int
    """3 = all of this must be right; 1 = `first2` and `first` only, which is less work."""


@compiled
def spot_at(lon: float, lat: float) -> Spot:
    """A place with its metric."""
    east, north, east_slope, north_slope = metric_at(lat)
    return Spot(lon, lat, east, north, east_slope, north_slope)


@compiled
def none_within(within_m: float, wanted: int) -> Nearest:
    """Nothing found yet; nothing wanted that is farther than `within_m`."""
    limit = within_m * 1.001 + 1.0
    limit2 = limit * limit
    return Nearest(limit2, limit2, limit2, limit2, -1, -1, -1, wanted)


@compiled
def with_block(edges: Edges, spot: Spot, found: Nearest, block: int) -> Nearest:
    """What is found, and one more block of edges measured."""
    first2, second2, third2, others2, first, second, third, wanted = found
    away2 = _least2(edges, block, spot)
    others2 = min(others2, max(away2, third2))
    if away2 < first2:
        return Nearest(away2, first2, second2, others2, block, first, second, wanted)
    if away2 < second2:
        return Nearest(first2, away2, second2, others2, first, block, second, wanted)
    if away2 < third2:
        return Nearest(first2, second2, away2, others2, first, second, block, wanted)
    return Nearest(first2, second2, third2, others2, first, second, third, wanted)


@compiled
def search(arrays: Arrays, shape: int, spot: Spot, found: Nearest) -> Nearest:
    """The nearest blocks of a shape.

    Args:
        arrays: from `EdgeTable.arrays()`.
        shape: the shape's number in the table.
        spot: the place.
        found: `none_within`, or with some of the shape's blocks measured.
    """
    row = arrays[0][shape]
    groups = (row["blocks"] + BLOCK - 1) >> SHIFT
    if groups == 1:
        return _in_group(arrays, shape, 0, spot, found)
    for wide in range((groups + BLOCK - 1) >> SHIFT):
        done = _beyond(groups - wide * BLOCK)
        while True:
            key = _nearest_lane(arrays[4], row["first_wide"] + wide, spot, done)
            if _is_farther(key, found):
                found = _with_bound(found, key)
                break
            done |= 1 << (key & LANE)
            found = _in_group(arrays, shape, wide * BLOCK + (key & LANE), spot, found)
    return found


@compiled
def _in_group(arrays: Arrays, shape: int, group: int, spot: Spot, found: Nearest) -> Nearest:
    """As `search`, in a group of blocks only."""
    row = arrays[0][shape]
    done = _beyond(row["blocks"] - group * BLOCK)
    while True:
        key = _nearest_lane(arrays[4], row["first_group"] + group, spot, done)
        if _is_farther(key, found):
            return _with_bound(found, key)
        done |= 1 << (key & LANE)
        block = row["first_block"] + group * BLOCK + (key & LANE)
        if not _is_among(found, block):
            found = with_block(arrays[1], spot, found, block)


@compiled
def _gap2(key: int) -> float:
    return float(np.int64(key & ~LANE).view(np.float64))


@compiled
def _is_farther(key: int, found: Nearest) -> bool:
    """Whether a lane's box, and so all that are left, are farther than what is wanted."""
    if key == NOTHING:
        return True
    return not _gap2(key) <= (found.first2 if found.wanted == 1 else found.third2)


@compiled
def _with_bound(found: Nearest, key: int) -> Nearest:
    """What is found, where all that is left is at least as far as a lane's box."""
    first2, second2, third2, others2, first, second, third, wanted = found
    if key != NOTHING:
        others2 = min(others2, _gap2(key))
    return Nearest(first2, second2, third2, others2, first, second, third, wanted)


@compiled
def _is_among(found: Nearest, block: int) -> bool:
    return block == found.first or block == found.second or block == found.third  # noqa: PLR1714 - faster


@compiled
def _beyond(count: int) -> int:
    """The lanes that are none, where only `count` are."""
    return (-1 << min(count, BLOCK)) & (2**BLOCK - 1)


@compiled
def _nearest_lane(boxes: NDArray[np.float64], group: int, spot: Spot, done: int) -> int:
    """The bits of the least gap to a box of a group, the last three telling which.

    A gap is the square of metres that no edge within the box measures less than: reckoned as in
    `_least2`, with the least metres in a degree that it may find in the box. `NOTHING` if all
    lanes are done.
    """
    best = NOTHING
    for k in range(BLOCK):
        south_by, north_by = boxes[group, 1, k] - spot.lat, boxes[group, 3, k] - spot.lat
        least = spot.east + min(spot.east_slope * south_by, spot.east_slope * north_by)
        away = max(boxes[group, 0, k] - spot.lon, spot.lon - boxes[group, 2, k])
        x = max(away, 0.0) * max(0.0, least)
        # A degree of latitude varies by 1 %.
        y = max(south_by, -north_by, 0.0) * spot.north * 0.98
        gap2 = np.float64((x * x + y * y) * (1.0 - 1e-9))
        key = (int(gap2.view(np.int64)) & ~LANE) | k
        best = min(best, NOTHING if (done >> k) & 1 else key)
    return best


@compiled
def _least2(edges: Edges, block: int, spot: Spot) -> float:
    """Square of the metres to the nearest edge of a block.

    The foot on the edge is found in the flat metric at the place; the way to it is then measured
    with the metric at its middle, which is exact to the second order.
    """
    east, north = spot.east, spot.north
    best = NOTHING
    for k in range(BLOCK):
        lon, lat = edges[block, 0, k], edges[block, 1, k]
        dlon, dlat = lon - spot.lon, lat - spot.lat
        along_lon, along_lat = edges[block, 2, k] - lon, edges[block, 3, k] - lat
        ex, ey = along_lon * east, along_lat * north
        t = -(dlon * east * ex + dlat * north * ey) / (ex * ex + ey * ey)
        t = min(1.0, max(0.0, t))
        dlon += t * along_lon
        dlat += t * along_lat
        x = dlon * (east + spot.east_slope * dlat)
        y = dlat * (north + spot.north_slope * dlat)
        best = min(best, int(np.float64(x * x + y * y).view(np.int64)))
    return float(np.int64(best).view(np.float64))
