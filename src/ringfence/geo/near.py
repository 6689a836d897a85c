"""Which shapes are near many places, and how far their edges are: wearers and their own zones.

How far a zone is clear of a wearer is carried from place to place: until they have come as far as
the nearest zone was, nothing needs to be measured again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.geo.compiled import compiled
from ringfence.geo.distance import BEYOND_M, Known, Spot, signed_from, spot_at
from ringfence.geo.metric import LAT_M_MIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ringfence.geo.edges import Arrays

    Pairs = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]

SLACK_M: Final = 1_000.0
"""How far beyond the reach is measured, so that there is a way to go before it need be again."""
CLEAR_MOST_M: Final = 50_000.0
"""Boxes say how far away a shape is; no further, since meridians draw together."""
LEAP_M: Final = 2 * CLEAR_MOST_M
"""After such a way nothing is known any more."""
DEGREE_M: Final = 111_700.0
"""No degree of latitude, and none of longitude at the equator, is longer on the ellipsoid."""
BAND_DEG: Final = 0.5
"""Within so many degrees of latitude a degree of longitude is reckoned as long as at their most."""
WAY: Final = np.dtype(
    [(name, np.float64) for name in ("lon", "lat", "band_lat", "east", "gone_m", "wake_m")]
)
"""A wearer on the way: the last place, metres in a degree of longitude at most about `band_lat`,
metres gone so far (never too few), and at how many any shape is to be measured next."""
CLEARANCE: Final = np.dtype(
    [(name, np.float64) for name in ("wake_m", "gone_m", "signed_m", "clear_m")]
    + [("edge", np.int64)]
)
"""A wearer's shape: after how many metres gone it is to be measured next; when it was measured
last, what was found, how far its edge is at least, and which edge was the nearest."""
PIECE: Final = 1 << 20
"""Room for pairs in one piece of the answer."""


class Near(NamedTuple):
    """Pairs of a place and a shape that lie within reach of each other, in order of the places."""

    place: NDArray[np.int64]
    """(pairs,) row of the place."""
    shape: NDArray[np.int32]
    """(pairs,) number of the shape."""
    signed_m: NDArray[np.float64]
    """(pairs,) metres to the edge, positive inside, as `signed_distance_m`; `BEYOND_M` = inside,
    and farther from the edge than the reach."""


class Own(NamedTuple):
    """Whose shapes are whose: wearer `w` has `shapes[first[w]:first[w + 1]]`."""

    first: NDArray[np.int64]
    """(wearers + 1,)."""
    shapes: NDArray[np.int32]
    """Numbers in the edge table; many wearers may share a shape."""


class Places(NamedTuple):
    """Places of wearers, in any order; quickest wearer by wearer, each in order of time."""

    whose: NDArray[np.int32]
    """(n,) the wearer; −1 = nobody's."""
    lon: NDArray[np.float64]
    """(n,) degrees; NaN is near nothing."""
    lat: NDArray[np.float64]


class Asked(NamedTuple):
    """A question as the compiled loop reads it."""

    arrays: Arrays
    own: Own
    places: Places
    reach_m: float


def near_own(arrays: Arrays, own: Own, places: Places, reach_m: float) -> Near:
    """Each wearer's own shapes that a place lies in, or at most `reach_m` from.

    The answers are those of `signed_distance_m`, asked of every place and each of its wearer's
    shapes, where that is at least −`reach_m`: the same digits, in less time.

    Args:
        arrays: from `EdgeTable.arrays()`.
        own: whose shapes are whose.
        places: where they were.
        reach_m: metres; infinity is allowed, and measures everything.
    """
    ways = np.zeros(len(own.first) - 1, WAY)
    ways["band_lat"] = np.nan
    clearances = np.zeros(len(own.shapes), CLEARANCE)
    clearances["edge"] = -1
    most = int(np.diff(own.first).max(initial=1))

    asked = Asked(arrays, own, places, float(reach_m))

    def some(out: Pairs, stands_at: NDArray[np.int64]) -> bool:
        return _near_own(asked, (ways, clearances), out, stands_at)

    return gathered(some, len(places.lon), most)


def gathered(some: Callable[[Pairs, NDArray[np.int64]], bool], places: int, most: int) -> Near:
    """All pairs, a piece at a time.

    Args:
        some: writes pairs from where it stands (a place, pairs written); False = no more room.
        places: how many there are.
        most: pairs that one place may make.
    """
    room = min(places, PIECE) + most
    stands_at = np.zeros(2, np.int64)
    pieces: list[Pairs] = []
    done = False
    while not done:
        out = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room)
        done = some(out, stands_at)
        full = slice(int(stands_at[1]))
        pieces.append((out[0][full], out[1][full], out[2][full]))
        stands_at[1] = 0
    if len(pieces) == 1:
        return Near(*pieces[0])
    return Near(*(np.concatenate(column) for column in zip(*pieces, strict=True)))


@compiled
def _near_own(
    asked: Asked,
    memory: tuple[NDArray[np.void], NDArray[np.void]],
    out: Pairs,
    stands_at: NDArray[np.int64],
) -> bool:
    """Write pairs until all places are done, or `out` has no room for another place."""
    own, places, reach_m = asked.own, asked.places, asked.reach_m
    ways, clearances = memory
    written = 0
    for i in range(stands_at[0], len(places.lon)):
        who, lon, lat = places.whose[i], places.lon[i], places.lat[i]
        if who < 0 or not math.isfinite(lon + lat):
            continue
        first, end = own.first[who], own.first[who + 1]
        if written + end - first > len(out[0]):
            stands_at[0], stands_at[1] = i, written
            return False
        way = ways[who]
        _go(way, lon, lat)
        if way["gone_m"] < way["wake_m"]:
            continue
        spot, wake_m = spot_at(lon, lat), math.inf
        for zone in range(first, end):
            clearance = clearances[zone]
            if way["gone_m"] >= clearance["wake_m"]:
                _measure(asked, zone, way, spot, clearance)
            signed_m = clearance["signed_m"]
            if signed_m < -reach_m:
                wake_m = min(wake_m, clearance["wake_m"])
                continue
            wake_m = 0.0
            told_m = signed_m if signed_m <= reach_m else BEYOND_M
            out[0][written], out[1][written], out[2][written] = i, own.shapes[zone], told_m
            written += 1
        way["wake_m"] = wake_m
    stands_at[1] = written
    return True


@compiled
def _go(way: np.void, lon: float, lat: float) -> None:
    """Add the way to a place; after a leap, or at the first place, all is to be measured."""
    if not abs(lat - way["band_lat"]) < BAND_DEG:
        way["band_lat"] = lat
        way["east"] = DEGREE_M * math.cos(math.radians(max(0.0, abs(lat) - BAND_DEG)))
        way["gone_m"] += LEAP_M
    else:
        x, y = (lon - way["lon"]) * way["east"], (lat - way["lat"]) * DEGREE_M
        way["gone_m"] += min(LEAP_M, math.sqrt(x * x + y * y))
    way["lon"], way["lat"] = lon, lat


@compiled
def _measure(asked: Asked, zone: int, way: np.void, spot: Spot, clearance: np.void) -> None:
    """Measure one shape from where a wearer is, and say after what way it need be again."""
    shape, reach_m, gone_m = asked.own.shapes[zone], asked.reach_m, way["gone_m"]
    wide_m = reach_m + SLACK_M
    clear_m = box_gap_m(asked.arrays[0][shape], spot.lon, spot.lat)
    signed_m = -BEYOND_M
    if clear_m <= wide_m:
        side = 1 if clearance["signed_m"] > 0.0 else -1
        # Who came as far as the edge was away may have crossed it.
        if not 1.01 * (gone_m - clearance["gone_m"]) + 1.0 < 0.99 * clearance["clear_m"]:
            side = 0
        known = Known(clearance["edge"], side)
        signed_m, edge = signed_from(asked.arrays, shape, spot, wide_m, known)
        clearance["edge"] = edge
        clear_m = min(wide_m, abs(signed_m))
    clearance["signed_m"], clearance["gone_m"] = signed_m, gone_m
    clearance["clear_m"] = clear_m
    # Distances are exact within 0.2 %, and boxes within less than 1 %.
    clearance["wake_m"] = gone_m + max(0.0, 0.99 * clear_m - 1.01 * reach_m - 1.0)


@compiled
def box_gap_m(row: np.void, lon: float, lat: float) -> float:
    """Metres to a shape's box, never too many, and at most `CLEAR_MOST_M`; 0 within it."""
    up_m = max(row["south"] - lat, lat - row["north"], 0.0) * LAT_M_MIN
    if not up_m < CLEAR_MOST_M:
        return CLEAR_MOST_M
    side_m = max(row["west"] - lon, lon - row["east"], 0.0) / row["lon_per_m"]
    return min(CLEAR_MOST_M, math.sqrt(up_m * up_m + side_m * side_m))
