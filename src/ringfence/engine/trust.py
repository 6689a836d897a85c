"""Is this fix believable? One small rule a doubt; nothing is deleted."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from ringfence.engine.compiling import inner
from ringfence.engine.fix import Source
from ringfence.engine.memory import FROZEN_AFTER, NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.words import DISBELIEVED, Doubt
from ringfence.geo.compiled import compiled

CELL: Final = int(Source.CELL)
NULL_ISLAND: Final = int(Doubt.NULL_ISLAND)
IMPOSSIBLE_SPEED: Final = int(Doubt.IMPOSSIBLE_SPEED)
JUMP: Final = int(Doubt.JUMP)
OF_THE_WAY: Final = int(Doubt.IMPOSSIBLE_SPEED | Doubt.JUMP | Doubt.TWO_PLACES)
TWO_PLACES: Final = int(Doubt.TWO_PLACES)
FROZEN: Final = int(Doubt.FROZEN)
NO_ACCURACY: Final = int(Doubt.NO_ACCURACY)
BY_CELL: Final = int(Doubt.CELL)
M_IN_DEGREE: Final = 111_250.0
"""Of latitude, in Britain [D]; 0.3 % less in Rome, 0.3 % more in Tromsø."""


class Way(NamedTuple):
    """How a fix lies to the way that the fixes before it show."""

    carries_on: bool
    """It does not stand alone: an outlier would have to fall, by chance, where the way leads …"""
    strayed: bool
    """… or, if the way turned, within reach at the pace that was known."""
    turned: bool
    """It lies aside from that way: then the way between was no straight one."""
    under_way: bool
    """It shows the tag in motion, and so did the fix before it."""


OFF_WAY: Final = Way(False, False, False, False)


class Look(NamedTuple):
    """One fix as the rules see it."""

    time_ms: int
    lat: float
    lon: float
    radius_m: float
    """95 % circle, never less than the profile's least for its source."""
    source: int | np.int64
    speed_mps: float
    doubts: int
    weight: float
    """What its evidence counts: 1 = independent of the fix before."""
    keep: float
    """What time has left of the belief before it."""
    east: float
    """Degrees of longitude to degrees of latitude here, on the ground."""
    moving: bool
    """It shows the tag in motion."""
    way: Way


@inner
def east_of(lat: float) -> float:
    """Degrees of longitude to degrees of latitude, on the ground."""
    return max(math.cos(math.radians(lat)), 0.001)


@inner
def look_at(
    time_ms: int,
    place: tuple[float, float, float],
    source: int | np.int64,
    speed_mps: float,
    east: float,
) -> Look:
    """A fix at a place (degrees north and east, circle), nothing doubted or weighed yet."""
    lat, lon, circle_m = place
    return Look(time_ms, lat, lon, circle_m, source, speed_mps, 0, 1.0, 1.0, east, False, OFF_WAY)


@inner
def with_doubts(look: Look, doubts: int) -> Look:
    """The same look with these doubts."""
    return Look(
        look.time_ms,
        look.lat,
        look.lon,
        look.radius_m,
        look.source,
        look.speed_mps,
        doubts,
        look.weight,
        look.keep,
        look.east,
        look.moving,
        look.way,
    )


@inner
def weighed(look: Look, weight: float, keep: float, moving: bool, way: Way) -> Look:
    """The same look, weighed."""
    return Look(
        look.time_ms,
        look.lat,
        look.lon,
        look.radius_m,
        look.source,
        look.speed_mps,
        look.doubts,
        weight,
        keep,
        look.east,
        moving,
        way,
    )


@compiled
def flat_m(east: float, dlon: float, dlat: float) -> float:
    """Metres of a step in degrees, as on a plane: within 1 % up to 100 km, enough for thresholds.

    What a verdict hangs on is measured by `geo`; this is asked several times a fix.
    """
    dx = dlon * east
    return M_IN_DEGREE * math.sqrt(dx * dx + dlat * dlat)


@compiled
def is_null_island(lat: float, lon: float) -> bool:
    """Whether a place is 0°, 0°: what receivers without a fix send."""
    return abs(lat) < 1e-4 and abs(lon) < 1e-4


@compiled
def radius_m(limits: Thresholds, accuracy_m: float, source: int | np.int64) -> float:
    """The circle to reckon with: 0, absent and NaN mean unknown; too small claims are not taken."""
    if not accuracy_m > 0.0:
        return limits.default_radius_m[source]
    return max(accuracy_m, limits.least_radius_m[source])


@compiled
def travel_doubts(limits: Thresholds, travelled_m: float, elapsed_ms: int, speed_mps: float) -> int:
    """Doubts about getting `travelled_m`, circles already taken off, in this time.

    Args:
        limits: the profile's.
        travelled_m: least way between the two circles.
        elapsed_ms: time between the two fixes.
        speed_mps: greatest speed known at either end; NaN = unknown.
    """
    if travelled_m <= 0.0:
        return 0
    if elapsed_ms <= 0:
        return TWO_PLACES
    seconds = elapsed_ms / 1000.0
    if travelled_m > limits.top_speed_mps * seconds:
        return IMPOSSIBLE_SPEED
    if math.isnan(speed_mps):
        return 0
    reach_m = seconds * (speed_mps + 0.5 * limits.top_acceleration_mps2 * seconds)
    return JUMP if travelled_m > reach_m else 0


@inner
def doubts_of(limits: Thresholds, me: np.record, look: Look, accuracy_m: float) -> int:
    """Every doubt about a fix, given what is known of the wearer."""
    doubts = 0
    if is_null_island(look.lat, look.lon):
        doubts |= NULL_ISLAND
    if not accuracy_m > 0.0:
        doubts |= NO_ACCURACY
    if look.source == CELL:
        doubts |= BY_CELL
    elif me.repeats >= FROZEN_AFTER and look.lat == me.raw_lat and look.lon == me.raw_lon:
        doubts |= FROZEN
    if me.fix_ms == NEVER:
        return doubts
    return doubts | way_doubts(limits, me, look)


@inner
def way_doubts(limits: Thresholds, me: np.record, look: Look) -> int:
    """Doubts about the way from the last believed fix to this one."""
    way_m = flat_m(look.east, look.lon - me.lon, look.lat - me.lat) - me.radius_m - look.radius_m
    speed_mps = fastest(me.speed_mps, look.speed_mps)
    return travel_doubts(limits, way_m, look.time_ms - me.fix_ms, speed_mps)


@inner
def fastest(before_mps: float, now_mps: float) -> float:
    """The greater of two speeds; NaN, not known, if the first is."""
    return now_mps if now_mps > before_mps else before_mps


@compiled
def believed(doubts: int) -> bool:
    """Whether a fix with these doubts may decide anything."""
    return doubts & DISBELIEVED == 0


@compiled
def counts(doubts: int, past: bool) -> bool:
    """Whether a fix with these doubts may decide a rule that it breaks (`past`) or keeps.

    A position held to the last digit is a doubt and no alibi: it may be a tag at rest. It never
    clears anybody, and it never hides a violation.
    """
    return believed(doubts & ~FROZEN if past else doubts)
