"""Which shapes are near many places, and how far their edges are: wearers and their own zones.

What is known of a shape from one place is carried on to the next: how far it is clear, on which
side of its edge the wearer is, and which blocks of edges alone can be nearest near there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.geo.compiled import compiled
from ringfence.geo.distance import BEYOND_M, signed_of
from ringfence.geo.edges import DISC
from ringfence.geo.metric import LAT_M_MIN, geodesic_m
from ringfence.geo.nearest import Nearest, Spot, none_within, search, spot_at, with_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ringfence.geo.edges import Arrays

    Pairs = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]

SLACK_M: Final = 1_000.0
"""How far beyond the reach is measured, so that there is a way to go before it need be again."""
CLEAR_MOST_M: Final = 50_000.0
"""What is known reaches no further, since meridians draw together."""
DEGREE_M: Final = 111_700.0
"""No degree of latitude, and none of longitude at the equator, is longer on the ellipsoid."""
BAND_DEG: Final = 0.1
"""Within so many degrees of latitude a degree of longitude is reckoned as long as at the most …"""
BESIDE_DEG: Final = BAND_DEG + CLEAR_MOST_M / LAT_M_MIN
"""… that it is so far from the band's middle, where anything known may have been measured."""
POLAR_DEG: Final = 84.0
"""Nearer the pole distances err more, and nothing is carried."""
TRUE: Final = 0.998
SURE_M: Final = 0.1
"""Distances are exact within 0.2 % and 5 cm (docs/geometry.md)."""
WAY: Final = np.dtype(
    [(name, np.float64) for name in ("lon", "lat", "quiet_m", "band_lat", "east")]
)
"""A wearer: a place within `quiet_m` of which none of the shapes is near; metres in a degree of
longitude at most about `band_lat`."""
CLEARANCE: Final = np.dtype(
    [(name, np.float64) for name in ("lon", "lat", "quiet_m", "signed_m", "outer_m")]
    + [("bounds_m", np.float64, 3), ("blocks", np.int64, 3)]
)
"""A wearer's shape, from where it was measured: within `quiet_m` of there its edge is not within
reach; the signed distance, and half its width; the three blocks of edges that were nearest, the
nearest first (−1 = none); and how far all but one, two, three of them are at least."""
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


class Here(NamedTuple):
    """Where a wearer is."""

    spot: Spot
    moved_m: float
    """From where a shape was measured; never too few, and NaN if it was not."""


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
    clearances["lon"] = np.nan
    clearances["blocks"] = -1
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
    own, places = asked.own, asked.places
    written = 0
    for i in range(stands_at[0], len(places.lon)):
        who, lon, lat = places.whose[i], places.lon[i], places.lat[i]
        if who < 0 or not math.isfinite(lon + lat):
            continue
        if written + own.first[who + 1] - own.first[who] > len(out[0]):
            stands_at[0], stands_at[1] = i, written
            return False
        way = memory[0][who]
        if not abs(lat - way["band_lat"]) < BAND_DEG:
            way["band_lat"], way["east"] = lat, _east_most(lat)
        if not _moved2(way, way["east"], lon, lat) < way["quiet_m"] * way["quiet_m"]:
            written = _tell(asked, memory, i, out, written)
    stands_at[1] = written
    return True


@compiled
def _east_most(lat: float) -> float:
    """Metres in a degree of longitude, at most, about a latitude."""
    if abs(lat) > POLAR_DEG:
        return math.inf
    return DEGREE_M * math.cos(math.radians(max(0.0, abs(lat) - BESIDE_DEG)))


@compiled
def _moved2(since: np.void, east: float, lon: float, lat: float) -> float:
    """Square of the metres to a place, never too few; NaN from nowhere."""
    x, y = (lon - since["lon"]) * east, (lat - since["lat"]) * DEGREE_M
    return float(x * x + y * y)


@compiled
def _tell(
    asked: Asked,
    memory: tuple[NDArray[np.void], NDArray[np.void]],
    i: int,
    out: Pairs,
    written: int,
) -> int:
    """Write the pairs of one place; how many are written then."""
    own, reach_m, who = asked.own, asked.reach_m, asked.places.whose[i]
    lon, lat, way = asked.places.lon[i], asked.places.lat[i], memory[0][who]
    east, before = way["east"], written
    spot = Spot(lon, lat, 0.0, 0.0, 0.0, 0.0)
    for zone in range(own.first[who], own.first[who + 1]):
        clearance = memory[1][zone]
        moved2 = _moved2(clearance, east, lon, lat)
        signed_m = clearance["signed_m"]
        if not moved2 < clearance["quiet_m"] * clearance["quiet_m"]:
            if spot.east == 0.0:
                spot = spot_at(lon, lat)
            signed_m = _measure(asked, zone, Here(spot, math.sqrt(moved2)), clearance)
        if signed_m >= -reach_m:
            told_m = signed_m if signed_m <= reach_m else BEYOND_M
            out[0][written], out[1][written], out[2][written] = i, own.shapes[zone], told_m
            written += 1
    way["quiet_m"] = 0.0
    if written == before:
        way["lon"], way["lat"] = lon, lat
        way["quiet_m"] = _quiet_m(memory[1][own.first[who] : own.first[who + 1]], way)
    return written


@compiled
def _quiet_m(clearances: NDArray[np.void], way: np.void) -> float:
    """How far a wearer may go before any shape can be within reach."""
    quiet_m = CLEAR_MOST_M
    for zone in range(len(clearances)):
        moved2 = _moved2(clearances[zone], way["east"], way["lon"], way["lat"])
        quiet_m = min(quiet_m, clearances[zone]["quiet_m"] - math.sqrt(moved2))
    return max(0.0, quiet_m)


@compiled
def _measure(asked: Asked, zone: int, here: Here, clearance: np.void) -> float:
    """The signed distance of one shape, measured as far as `SLACK_M` beyond the reach.

    From the blocks of edges that were nearest before, if no other can be by now.
    """
    spot, moved_m, bounds_m = here.spot, here.moved_m, clearance["bounds_m"]
    found = none_within(asked.reach_m + SLACK_M + clearance["outer_m"], 3)
    for nth in range(3):
        block = clearance["blocks"][nth]
        if block < 0:
            break
        found = with_block(asked.arrays[1], spot, found, block)
        away_m = math.sqrt(found.first2)
        if away_m < TRUE * (bounds_m[nth] - moved_m) - SURE_M:
            signed_m = _signed_m(asked, zone, here, clearance, away_m)
            if abs(signed_m) > asked.reach_m:
                _note(asked, clearance, spot, signed_m)
                for k in range(3):
                    bounds_m[k] -= moved_m
            return signed_m
        if not away_m < TRUE * (bounds_m[2] - moved_m) - SURE_M:
            break
    return _measure_anew(asked, zone, here, clearance, found)


@compiled
def _signed_m(asked: Asked, zone: int, here: Here, clearance: np.void, away_m: float) -> float:
    """The signed distance, where the nearest edge is so far away."""
    if clearance["outer_m"] > 0.0:
        return float(clearance["outer_m"] - away_m)
    before_m, side = clearance["signed_m"], 0
    # Who went as far as the edge was away may have crossed it.
    if here.moved_m < min(CLEAR_MOST_M, TRUE * abs(before_m) - SURE_M):
        side = 1 if before_m > 0.0 else -1
    place = here.spot.lon, here.spot.lat
    return signed_of(asked.arrays, asked.own.shapes[zone], place, away_m, side)


@compiled
def _measure_anew(asked: Asked, zone: int, here: Here, clearance: np.void, found: Nearest) -> float:
    """As `_measure`, among all edges; notes what is found."""
    shape, spot = asked.own.shapes[zone], here.spot
    row, wide_m = asked.arrays[0][shape], asked.reach_m + SLACK_M
    clear_m = box_gap_m(row, spot.lon, spot.lat)
    if not clear_m <= wide_m:
        clearance["blocks"][0] = -1
        _note(asked, clearance, spot, -clear_m)
        return -clear_m
    if row["form"] == DISC:
        signed_m = row["reach_m"] - geodesic_m(row["lon"], row["lat"], spot.lon, spot.lat)
        _note(asked, clearance, spot, signed_m)
        return float(signed_m)
    if found.first < 0:
        found = none_within(wide_m + row["reach_m"], 3)
    found = search(asked.arrays, shape, spot, found)
    clearance["outer_m"] = row["reach_m"]
    signed_m = _signed_m(asked, zone, here, clearance, math.sqrt(found.first2))
    signed_m = max(-wide_m, min(wide_m, signed_m))
    _note(asked, clearance, spot, signed_m)
    blocks, bounds_m = clearance["blocks"], clearance["bounds_m"]
    blocks[0], blocks[1], blocks[2] = found.first, found.second, found.third
    bounds_m[0], bounds_m[1] = _bound_m(found.second2), _bound_m(found.third2)
    bounds_m[2] = _bound_m(found.others2)
    return signed_m


@compiled
def _bound_m(away2: float) -> float:
    """How far away is surely true of what measures so much, squared."""
    return min(CLEAR_MOST_M, TRUE * math.sqrt(away2) - SURE_M)


@compiled
def _note(asked: Asked, clearance: np.void, spot: Spot, signed_m: float) -> None:
    """Note where a shape was measured, and after what way it need be again."""
    clearance["lon"], clearance["lat"], clearance["signed_m"] = spot.lon, spot.lat, signed_m
    clear_m = _bound_m(signed_m * signed_m)
    clearance["quiet_m"] = max(0.0, clear_m - asked.reach_m / TRUE - SURE_M)


@compiled
def box_gap_m(row: np.void, lon: float, lat: float) -> float:
    """Metres to a shape's box, never too many, and at most `CLEAR_MOST_M`; 0 within it."""
    up_m = max(row["south"] - lat, lat - row["north"], 0.0) * LAT_M_MIN
    if not up_m < CLEAR_MOST_M:
        return CLEAR_MOST_M
    side_m = max(row["west"] - lon, lon - row["east"], 0.0) / row["lon_per_m"]
    return min(CLEAR_MOST_M, math.sqrt(up_m * up_m + side_m * side_m))
