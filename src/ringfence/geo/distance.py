"""Inside or outside, and how far from the edge: compiled, one place at a time.

The edge belongs to the shape: a place exactly on it is inside, at distance 0. The sign never
comes from a distance but from the crossing number in degrees, so that it is exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from ringfence.geo.compiled import compiled
from ringfence.geo.edges import AREA, DISC
from ringfence.geo.metric import LAT_M_MIN, geodesic_m
from ringfence.geo.nearest import none_within, search, spot_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.geo.edges import Arrays

    Places = tuple[NDArray[np.float64], NDArray[np.float64]]

BEYOND_M: Final = 1e9
"""Said instead of a distance that is greater than asked for: further than anything on Earth, and,
unlike infinity, safe to subtract."""
OUTSIDE_M: Final = 1e-9
"""A place outside by less than a number can tell is this far outside: −0.0 would read as inside."""
HAIR_DEG: Final = 1e-12
"""A tenth of a thousandth of a millimetre: much more than numbers of degrees err by."""
BOX_REACH_M: Final = 100_000.0
"""`lon_per_m` holds up to one degree beyond the box; who asks further gets no early answer."""


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


def signed_distances_m(
    arrays: Arrays,
    shape: int,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    reach_m: float = math.inf,
) -> NDArray[np.float64]:
    """`signed_distance_m` of many places, shape (n,)."""
    out = np.empty(len(lon), np.float64)
    _measure(arrays, shape, (lon, lat), reach_m, out)
    return out


@compiled
def _measure(
    arrays: Arrays, shape: int, places: Places, reach_m: float, out: NDArray[np.float64]
) -> None:
    for i in range(len(out)):
        out[i] = signed_distance_m(arrays, shape, places[0][i], places[1][i], reach_m)


def contains_many(
    arrays: Arrays, shape: int, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """`contains` for many places, shape (n,)."""
    out = np.empty(len(lon), np.bool_)
    _judge(arrays, shape, (lon, lat), out)
    return out


@compiled
def _judge(arrays: Arrays, shape: int, places: Places, out: NDArray[np.bool_]) -> None:
    for i in range(len(out)):
        out[i] = contains(arrays, shape, places[0][i], places[1][i])


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
    row = arrays[0][shape]
    if row["form"] == AREA:
        found = search(arrays, shape, spot_at(lon, lat), none_within(reach_m, 1))
        signed = signed_of(arrays, shape, (lon, lat), math.sqrt(found.first2), 0)
    else:
        signed = row["reach_m"] - _outer_m(arrays, shape, lon, lat, reach_m)
    if abs(signed) <= reach_m:
        return float(signed)
    return BEYOND_M if signed >= 0 else -BEYOND_M


@compiled
def signed_of(
    arrays: Arrays, shape: int, place: tuple[float, float], away_m: float, side: int
) -> float:
    """The signed distance of a place that is so far from an area's nearest edge.

    Args:
        arrays: from `EdgeTable.arrays()`.
        shape: the area's number in the table.
        place: degrees.
        away_m: metres to the nearest edge.
        side: 1 = the place is known to be inside, −1 = outside, 0 = not known.
    """
    inside = side > 0
    if side == 0:
        inside = _crossings_odd(arrays, shape, place[0], place[1])
    return away_m if inside else -max(away_m, OUTSIDE_M)


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
    shapes, _, banded, starts, _ = arrays
    row = shapes[shape]
    band = row["first_band"] + _band_of(row, lat)
    odd = False
    for i in range(starts[band], starts[band + 1]):
        lon1, lat1, lon2, lat2 = (banded[i, 0], banded[i, 1], banded[i, 2], banded[i, 3])
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
def touches(arrays: Arrays, shape: int, lon: float, lat: float) -> bool:
    """Whether an edge of a shape is so near that the distance may be 0; nearly always it is not."""
    shapes, _, banded, starts, _ = arrays
    row = shapes[shape]
    if row["form"] != AREA:
        return True
    band = row["first_band"] + _band_of(row, lat)
    for i in range(starts[band], starts[band + 1]):
        lon1, lat1, lon2, lat2 = banded[i, 0], banded[i, 1], banded[i, 2], banded[i, 3]
        side = (lon2 - lon1) * (lat - lat1) - (lon - lon1) * (lat2 - lat1)
        if abs(side) <= HAIR_DEG * (abs(lon2 - lon1) + abs(lat2 - lat1)):
            return True
    return False


@compiled
def _outer_m(arrays: Arrays, shape: int, lon: float, lat: float, within_m: float) -> float:
    """Metres to a disc's centre or a corridor's line; exact up to its edge and `within_m` on."""
    row = arrays[0][shape]
    if row["form"] == DISC:
        return geodesic_m(row["lon"], row["lat"], lon, lat)
    within_m += row["reach_m"]
    spot = spot_at(lon, lat)
    return math.sqrt(search(arrays, shape, spot, none_within(within_m, 1)).first2)
