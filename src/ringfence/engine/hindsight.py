"""What a fix's neighbours show of it, once they are there. Pure; for people who read a trail.

That the next fix bears a doubted one out, the law says itself (`again`). A jump and a return is a
mark for people: the law needs none, since the fix that returned weighs against the jump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.engine.fix import E7, NO_POSITION, Source
from ringfence.engine.profiles import STANDARD, Profile, Thresholds
from ringfence.engine.trust import flat_m, radius_m
from ringfence.engine.words import Doubt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.engine.fix import Batch

BORNE_OUT: Final = int(Doubt.BORNE_OUT)
RETURN_MPS: Final = 2.0
"""Out and back between two fixes at one place faster than this, circles taken off, is no errand
on foot (a brisk walk is 1.5 m/s) …"""
RETURN_PACE: Final = 1.3
"""… nor one at the pace that the tag tells, by so much.

Measured: none of 9,776 fixes of phones at rest and on known routes is marked, of GeoLife's 149,410
0.11 %; of jumps of 100 to 250 m laid over them 59, 28 and 39 % (the rest lie where the neighbours
do not agree: on the way). A mark that seldom errs, and no search for jumps."""
RETURN_WITHIN_MS: Final = 600_000


class Hindsight(NamedTuple):
    """By row of the trail."""

    borne_out: NDArray[np.bool_]
    """It was doubted for the way to it, and the next fix agrees with it: a tunnel, a fast train."""
    returned: NDArray[np.bool_]
    """It lies aside from two neighbours that agree on a place: a jump and a return."""


def in_hindsight(
    trail: Batch, doubts: NDArray[np.int32], *, profile: Profile = STANDARD
) -> Hindsight:
    """Look at each fix again with the one before it and the one after it.

    Args:
        trail: one wearer's items, in order of time.
        doubts: what the law doubted of each at its own instant (`Result.doubts`).
        profile: the thresholds to judge by.
    """
    limits = profile.thresholds()
    seen = Hindsight(np.zeros(len(trail), np.bool_), np.zeros(len(trail), np.bool_))
    located = (trail.lat_e7 != NO_POSITION) & (doubts & int(Doubt.NULL_ISLAND) == 0)
    rows = np.flatnonzero(located)
    seen.borne_out[rows[:-1]] = doubts[rows[1:]] & BORNE_OUT != 0
    rows = np.flatnonzero(located & (trail.source != Source.CELL))
    for before, at, after in zip(rows, rows[1:], rows[2:], strict=False):
        if not seen.borne_out[at]:
            seen.returned[at] = _has_returned(limits, trail, int(before), int(at), int(after))
    return seen


def _has_returned(limits: Thresholds, trail: Batch, before: int, at: int, after: int) -> bool:
    out_ms = int(trail.time_ms[at] - trail.time_ms[before])
    back_ms = int(trail.time_ms[after] - trail.time_ms[at])
    if out_ms <= 0 or back_ms <= 0 or out_ms + back_ms > RETURN_WITHIN_MS:
        return False
    if _apart_m(limits, trail, before, after) > 0.0:
        return False
    told_mps = trail.speed_mps[[before, at, after]]
    pace_mps = max(RETURN_MPS, RETURN_PACE * float(np.nanmax(told_mps, initial=0.0)))
    out_m, back_m = _apart_m(limits, trail, before, at), _apart_m(limits, trail, at, after)
    return min(out_m / out_ms, back_m / back_ms) > pace_mps / 1000.0


def _apart_m(limits: Thresholds, trail: Batch, a: int, b: int) -> float:
    """Metres between two fixes, circles taken off; negative = the circles meet."""
    lat = [trail.lat_e7[row] / E7 for row in (a, b)]
    lon = [trail.lon_e7[row] / E7 for row in (a, b)]
    east = max(float(np.cos(np.radians(lat[1]))), 0.001)
    circles_m = sum(
        radius_m(limits, float(trail.accuracy_m[row]), int(trail.source[row])) for row in (a, b)
    )
    return float(flat_m(east, lon[1] - lon[0], lat[1] - lat[0])) - circles_m
