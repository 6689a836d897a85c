"""Inside or outside, and how far from the edge: compiled, one place at a time.

The edge belongs to the shape: a place exactly on it is inside, at distance 0. The sign never
comes from a distance but from the crossing number in degrees, so that it is exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.geo.compiled import compiled, compiled_maker
from ringfence.geo.edges import AREA, BLOCK, DISC
from ringfence.geo.metric import LAT_M_MIN, geodesic_m, metric_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.geo.edges import Arrays

BEYOND_M: Final = 1e9
"""Said instead of a distance that is greater than asked for: further than anything on Earth, and,
unlike infinity, safe to subtract."""
OUTSIDE_M: Final = 1e-9
"""A place outside by less than a number can tell is this far outside: −0.0 would read as inside."""
FEW: Final = 2
"""Among so few boxes it does not pay to look for the nearest first."""
BOX_REACH_M: Final = 100_000.0
"""`lon_per_m` holds up to one degree beyond the box; who asks further gets no early answer."""


class Spot(NamedTuple):
    """A place, and `metric_at` it."""

    lon: float
    lat: float
    east: float
    north: float
    east_slope: float
    north_slope: float


class Known(NamedTuple):
    """What may be known of a shape from a place before."""

    edge: int
    """The edge that was nearest; −1 = not known."""
    side: int
    """1 = the place is inside, −1 = outside, 0 = not known."""


UNKNOWN: Final = Known(-1, 0)


@compiled
def contains(arrays: Arrays, shape: int, lon: float, lat: float) -> bool:
    """Whether shape number `shape` of the table covers a place (degrees).

    Always the same verdict as `signed_distance_m(...) >= 0`. NaN is outside.
    """
    row = arrays[0][shape]
    if not (row["west"] <= lon <= row["east"] and row["south"] <= lat <= row["north"]):
        return False
    return _covers(arrays, shape, lon, lat)


@compiled
def signed_distance_m(arrays: Arrays, shape: int, lon: float, lat: float, reach_m: float) -> float:
    """Metres from a place to the edge of shape number `shape`, positive inside.

    Exact (within 0.2 % + 5 cm of the ellipsoid up to 1 km) where it is at most `reach_m`;
    otherwise ±`BEYOND_M`, and the cheaper the smaller `reach_m` is. The sign is always exact.

    Args:
        arrays: from `EdgeTable.arrays()`.
        shape: the shape's number in the table.
        lon: degrees.
        lat: degrees.
        reach_m: how far the caller wants to know; infinity is allowed. For a depth inside that
            may be great, ask again with infinity when the answer is `BEYOND_M`.
    """
    row = arrays[0][shape]
    if not _near_box(row, lon, lat, reach_m):
        return -BEYOND_M
    return _signed_m(arrays, shape, lon, lat, reach_m)


@compiled_maker
def signed_distances_m(
    arrays: Arrays,
    shape: int,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    reach_m: float = math.inf,
) -> NDArray[np.float64]:
    """`signed_distance_m` of many places, shape (n,)."""
    out = np.empty(len(lon), np.float64)
    for i in range(len(lon)):
        out[i] = signed_distance_m(arrays, shape, lon[i], lat[i], reach_m)
    return out


@compiled_maker
def contains_many(
    arrays: Arrays, shape: int, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """`contains` for many places, shape (n,)."""
    out = np.empty(len(lon), np.bool_)
    for i in range(len(lon)):
        out[i] = contains(arrays, shape, lon[i], lat[i])
    return out


# The two functions above do no more than look at a box, so that the compiler copies them into their
# callers' loops: nearly all of millions of questions a second end there.


@compiled
def _covers(arrays: Arrays, shape: int, lon: float, lat: float) -> bool:
    row = arrays[0][shape]
    if row["form"] == AREA:
        return _crossings_odd(arrays, shape, lon, lat)
    reach_m = row["reach_m"]
    return bool(reach_m - _outer_m(arrays, shape, lon, lat, 0.0) >= 0)


@compiled
def _signed_m(arrays: Arrays, shape: int, lon: float, lat: float, reach_m: float) -> float:
    return signed_from(arrays, shape, spot_at(lon, lat), reach_m, UNKNOWN)[0]


@compiled
def spot_at(lon: float, lat: float) -> Spot:
    """A place with its metric."""
    east, north, east_slope, north_slope = metric_at(lat)
    return Spot(lon, lat, east, north, east_slope, north_slope)


@compiled
def signed_from(
    arrays: Arrays, shape: int, spot: Spot, reach_m: float, known: Known
) -> tuple[float, int]:
    """`signed_distance_m` of a place near the shape's box, with what is known from a place before.

    Args:
        arrays: from `EdgeTable.arrays()`.
        shape: the shape's number in the table.
        spot: the place.
        reach_m: how far the caller wants to know.
        known: saves work and changes no digit.

    Returns:
        The signed distance, and the number of the nearest edge that was measured.
    """
    row, edge = arrays[0][shape], known.edge
    if row["form"] == AREA:
        best2, edge = _nearest(arrays, shape, spot, reach_m, known.edge)
        signed = math.sqrt(best2)
        inside = known.side > 0
        if known.side == 0:
            inside = _crossings_odd(arrays, shape, spot.lon, spot.lat)
        if not inside:
            signed = -max(signed, OUTSIDE_M)
    else:
        signed = row["reach_m"] - _outer_m(arrays, shape, spot.lon, spot.lat, reach_m)
    if abs(signed) <= reach_m:
        return float(signed), edge
    return (BEYOND_M if signed >= 0 else -BEYOND_M), edge


@compiled
def _near_box(row: np.void, lon: float, lat: float, reach_m: float) -> bool:
    """Whether a place may be within `reach_m` of the shape; NaN is never."""
    if reach_m > BOX_REACH_M:
        return math.isfinite(lon) and math.isfinite(lat)
    up = reach_m / LAT_M_MIN
    side = reach_m * row["lon_per_m"]
    return bool(
        row["west"] - side <= lon <= row["east"] + side
        and row["south"] - up <= lat <= row["north"] + up
    )


@compiled
def _band_of(row: np.void, lat: float) -> int:
    """The band of latitude that a place falls in, or the nearest one."""
    band = int((lat - row["band_south"]) * row["bands_per_deg"])
    return int(max(0, min(band, row["bands"] - 1)))


@compiled
def _crossings_odd(arrays: Arrays, shape: int, lon: float, lat: float) -> bool:
    """Whether a ray eastwards crosses an odd number of edges, or the place lies on one."""
    shapes, edges, banded, starts, _ = arrays
    row = shapes[shape]
    band = row["first_band"] + _band_of(row, lat)
    odd = False
    for listed in range(starts[band], starts[band + 1]):
        i = banded[listed]
        lon1, lat1, lon2, lat2 = edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3]
        if (lat1 > lat and lat2 > lat) or (lat1 < lat and lat2 < lat):
            continue
        side = (lon2 - lon1) * (lat - lat1) - (lon - lon1) * (lat2 - lat1)
        if side == 0.0 and min(lon1, lon2) <= lon <= max(lon1, lon2):
            return True
        # Half-open, so that a vertex on the ray counts once.
        if (lat1 > lat) != (lat2 > lat) and (side > 0.0) == (lat2 > lat1):
            odd = not odd
    return odd


@compiled
def _nearest(
    arrays: Arrays, shape: int, spot: Spot, within_m: float, edge: int
) -> tuple[float, int]:
    """Square of the metres to the nearest edge, and its number.

    Anything more than `within_m` if none is that near. The likeliest edge is measured first
    (`edge`, or those in the nearest box), so that hardly another is near enough to be.
    """
    row, boxes = arrays[0][shape], arrays[4]
    limit = within_m * 1.001 + 1.0
    best = (limit * limit, edge)
    if edge >= 0:
        best = (min(best[0], _edge2(arrays[1], edge, spot)), edge)
    count = (row["edges"] + BLOCK - 1) // BLOCK
    if count <= BLOCK:
        return _nearest_in(arrays, shape, (0, count), spot, best)
    first = row["first_wide_box"]
    wides = (count + BLOCK - 1) // BLOCK
    home = -1
    if edge < 0:
        home = _nearest_box(boxes, first, first + wides, spot) - first
        blocks = (home * BLOCK, min(count, (home + 1) * BLOCK))
        best = _nearest_in(arrays, shape, blocks, spot, best)
    for wide in range(wides):
        if wide != home and _gap2(boxes, first + wide, spot) <= best[0]:
            blocks = (wide * BLOCK, min(count, (wide + 1) * BLOCK))
            best = _nearest_in(arrays, shape, blocks, spot, best)
    return best


@compiled
def _gap2(boxes: NDArray[np.float64], box: int, spot: Spot) -> float:
    """Square of metres that no edge within a box measures less than.

    Reckoned as `_edge2` does, with the least metres in a degree that it may find in the box.
    """
    south_by, north_by = boxes[box, 1] - spot.lat, boxes[box, 3] - spot.lat
    least = spot.east + min(spot.east_slope * south_by, spot.east_slope * north_by)
    x = max(boxes[box, 0] - spot.lon, spot.lon - boxes[box, 2], 0.0) * max(0.0, least)
    # A degree of latitude varies by 1 %.
    y = max(south_by, -north_by, 0.0) * spot.north * 0.98
    return float((x * x + y * y) * (1.0 - 1e-9))


@compiled
def _nearest_box(boxes: NDArray[np.float64], first: int, end: int, spot: Spot) -> int:
    """The nearest of the boxes from `first` to before `end`."""
    home, least = first, math.inf
    for box in range(first, end):
        gap2 = _gap2(boxes, box, spot)
        if gap2 < least:
            home, least = box, gap2
    return home


@compiled
def _nearest_in(
    arrays: Arrays, shape: int, blocks: tuple[int, int], spot: Spot, best: tuple[float, int]
) -> tuple[float, int]:
    """The nearest edge in some blocks, as `_nearest`; `best` if none is nearer."""
    row, boxes = arrays[0][shape], arrays[4]
    first = row["first_box"]
    home = -1
    if best[1] < 0 and blocks[1] - blocks[0] > FEW:
        home = _nearest_box(boxes, first + blocks[0], first + blocks[1], spot) - first
        best = _nearest_of_block(arrays, row, home, spot, best)
    for block in range(blocks[0], blocks[1]):
        if block != home and _gap2(boxes, first + block, spot) <= best[0]:
            best = _nearest_of_block(arrays, row, block, spot, best)
    return best


@compiled
def _nearest_of_block(
    arrays: Arrays, row: np.void, block: int, spot: Spot, best: tuple[float, int]
) -> tuple[float, int]:
    edge = row["first_edge"] + block * BLOCK
    least, nearest = best
    for i in range(edge, min(edge + BLOCK, row["first_edge"] + row["edges"])):
        away2 = _edge2(arrays[1], i, spot)
        if away2 < least:
            least, nearest = away2, i
    return least, nearest


@compiled
def _edge2(edges: NDArray[np.float64], i: int, spot: Spot) -> float:
    """Square of the metres to an edge.

    The foot on the edge is found in the flat metric at the place; the way to it is then measured
    with the metric at its middle, which is exact to the second order.
    """
    east, north = spot.east, spot.north
    dlon, dlat = edges[i, 0] - spot.lon, edges[i, 1] - spot.lat
    along_lon, along_lat = edges[i, 2] - edges[i, 0], edges[i, 3] - edges[i, 1]
    ex, ey = along_lon * east, along_lat * north
    t = -(dlon * east * ex + dlat * north * ey) / (ex * ex + ey * ey)
    t = min(1.0, max(0.0, t))
    dlon += t * along_lon
    dlat += t * along_lat
    x = dlon * (east + spot.east_slope * dlat)
    y = dlat * (north + spot.north_slope * dlat)
    return float(x * x + y * y)


@compiled
def _outer_m(arrays: Arrays, shape: int, lon: float, lat: float, within_m: float) -> float:
    """Metres to a disc's centre or a corridor's line; exact up to its edge and `within_m` on."""
    row = arrays[0][shape]
    if row["form"] == DISC:
        return geodesic_m(row["lon"], row["lat"], lon, lat)
    within_m += row["reach_m"]
    return math.sqrt(_nearest(arrays, shape, spot_at(lon, lat), within_m, -1)[0])
