"""Where a wearer in motion is and how fast they go: a filter over the believed fixes.

Nearly constant velocity, the same in both axes, begun anew where a fix does not fit.
docs/engine.md has the equations.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ringfence.engine.compiling import inner
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.trust import CELL, M_IN_DEGREE, OFF_WAY, Look, Way, flat_m
from ringfence.geo.compiled import compiled

SIGMAS_IN_CIRCLE: Final = 2.4477
"""The radius that holds 95 % of a round normal distribution, in standard deviations of one axis."""
TURNS_S: Final = 60.0
"""`turning` is the error that gathers in this time."""
START_MPS: Final = 0.7
"""Standard deviation of the speed along one axis of a tag of which only a place is known."""
START_WITHIN_S: Final = 400.0
"""Two fixes farther apart in time show no speed."""
START_SHARE: Final = 0.1
"""How much of its square may be wrong with a speed that two fixes alone show."""
FITS: Final = 9.0
"""Squared distance, in variances of one axis, at which a fix still fits the way: 99 %."""
SURE_OF_SPEED: Final = 3.0
"""A speed is known once its square exceeds so many of its variances."""
STRAIGHT: Final = 0.9
"""Cosine of the turn up to which a way counts as straight: 26 degrees."""
REACH: Final = 1.3
"""A way may lead so much farther than the pace known."""
ON_WAY_MS: Final = 180_000
"""A longer pause, and the way may have turned."""


@compiled
def noise_m2(limits: Thresholds, radius_m: float) -> float:
    """Variance of a fix along one axis, in motion: wider than the circle says, now and then."""
    sigma_m = radius_m / SIGMAS_IN_CIRCLE
    wide_m = sigma_m + limits.tail_m
    return (1.0 - limits.tail) * sigma_m * sigma_m + limits.tail * wide_m * wide_m


@inner
def follow(limits: Thresholds, me: np.record, look: Look) -> Way:
    """Take a believed fix into the track; say how it lies to the way before it."""
    noise = noise_m2(limits, look.radius_m)
    elapsed_ms = look.time_ms - me.track_ms
    if me.track_ms == NEVER or elapsed_ms > limits.quiet_ms:
        start_track(limits, me, look, noise)
        return OFF_WAY
    speed2 = me.east_mps * me.east_mps + me.north_mps * me.north_mps
    known = speed2 >= SURE_OF_SPEED * me.var_vv
    turned = known and is_aside(me, look)
    soon = elapsed_ms <= ON_WAY_MS
    foresee(limits, me, elapsed_ms / 1000.0, look.east)
    me.track_ms = look.time_ms
    dx = (look.lon - me.track_lon) * look.east * M_IN_DEGREE
    dy = (look.lat - me.track_lat) * M_IN_DEGREE
    before_m2 = me.var_pp
    if dx * dx + dy * dy <= FITS * (before_m2 + noise):
        learn_place(me, look, dx, dy, noise)
        tells = noise <= before_m2  # more than the way does
        return Way(bool(known and tells and soon), False, turned, False)
    strayed = bool(soon and is_in_reach(limits, me, look, speed2 if known else 0.0))
    start_track(limits, me, look, noise)
    return Way(strayed, strayed, turned, False)


@inner
def is_in_reach(limits: Thresholds, me: np.record, look: Look, track_mps2: float) -> bool:
    """Whether a tag on the move may have come to a fix at the pace that it had, by any way.

    Args:
        limits: the profile's.
        me: the wearer, before the fix.
        look: the fix.
        track_mps2: square of the speed that the track shows; 0 = it shows none.
    """
    pace_mps = me.speed_mps if me.paced == 1 else math.sqrt(track_mps2)
    if pace_mps < limits.moving_mps:
        return False
    if look.speed_mps > pace_mps:  # noqa: PLR1730 -- NaN where the fix says no speed
        pace_mps = look.speed_mps
    way_m = flat_m(look.east, look.lon - me.lon, look.lat - me.lat)
    elapsed_s = (look.time_ms - me.fix_ms) / 1000.0
    return bool(way_m - look.radius_m <= REACH * pace_mps * elapsed_s)


@inner
def is_aside(me: np.record, look: Look) -> bool:
    """Whether a fix lies aside from where the track is heading, by more than `STRAIGHT`."""
    dx, dy = (look.lon - me.lon) * look.east, look.lat - me.lat
    along = dx * me.east_mps + dy * me.north_mps
    far2 = (dx * dx + dy * dy) * (me.east_mps * me.east_mps + me.north_mps * me.north_mps)
    return bool(along <= 0.0 or along * along < STRAIGHT * STRAIGHT * far2)


@inner
def start_track(limits: Thresholds, me: np.record, look: Look, noise: float) -> None:
    """Begin a new track: from the last believed fix to this one, or at this place alone."""
    east_mps = north_mps = var_pv = 0.0
    var_vv = START_MPS * START_MPS
    elapsed_s = (look.time_ms - me.fix_ms) / 1000.0
    placed = me.track_ms != NEVER and me.source != CELL  # a cell shows no speed
    if placed and 0.0 < elapsed_s <= START_WITHIN_S:
        east_mps = (look.lon - me.lon) * look.east * M_IN_DEGREE / elapsed_s
        north_mps = (look.lat - me.lat) * M_IN_DEGREE / elapsed_s
        var_pv = noise / elapsed_s
        both = noise + noise_m2(limits, me.radius_m)
        var_vv += both / (elapsed_s * elapsed_s)
        var_vv += START_SHARE * (east_mps * east_mps + north_mps * north_mps)
    me.track_ms, me.track_lat, me.track_lon = look.time_ms, look.lat, look.lon
    me.east_mps, me.north_mps = east_mps, north_mps
    me.var_pp, me.var_pv, me.var_vv = noise, var_pv, var_vv


@inner
def foresee(limits: Thresholds, me: np.record, elapsed_s: float, east: float) -> None:
    """Move the track on by its speed; what it may have turned makes it less sure."""
    speed2 = me.east_mps * me.east_mps + me.north_mps * me.north_mps
    drive = limits.drive + limits.turning * limits.turning * speed2 / TURNS_S
    s, s2 = elapsed_s, elapsed_s * elapsed_s
    me.track_lat += me.north_mps * s / M_IN_DEGREE
    me.track_lon += me.east_mps * s / (M_IN_DEGREE * east)
    me.var_pp += 2.0 * s * me.var_pv + s2 * me.var_vv + drive * s * s2 / 3.0
    me.var_pv += s * me.var_vv + 0.5 * drive * s2
    me.var_vv += drive * s


@inner
def learn_place(me: np.record, look: Look, dx: float, dy: float, noise: float) -> None:
    """Take one fix in, `dx` east and `dy` north of where the track was expected."""
    spread = me.var_pp + noise
    gain_p, gain_v = me.var_pp / spread, me.var_pv / spread
    me.track_lat += gain_p * dy / M_IN_DEGREE
    me.track_lon += gain_p * dx / (M_IN_DEGREE * look.east)
    me.north_mps += gain_v * dy
    me.east_mps += gain_v * dx
    me.var_vv -= gain_v * me.var_pv
    me.var_pv -= gain_p * me.var_pv
    me.var_pp -= gain_p * me.var_pp


@inner
def is_going(limits: Thresholds, me: np.record) -> bool:
    """Whether the track shows motion beyond doubt."""
    speed2 = me.east_mps * me.east_mps + me.north_mps * me.north_mps
    least = limits.going_mps
    return bool(speed2 >= least * least and speed2 >= limits.going_sure * me.var_vv)
