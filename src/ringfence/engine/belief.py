"""How probably a rule is being broken, given the fixes so far.

docs/engine.md has the model with its equations; the names here are the names there.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ringfence.engine.compiling import hot
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.trust import CELL, Look, counts, doubts_of, flat_m
from ringfence.geo.compiled import compiled

SIGMAS_IN_CIRCLE: Final = 2.4477
"""The radius that holds 95 % of a round normal distribution, in standard deviations of one axis."""
SETTLED_PLACE: Final = 3
"""So many fixes at one place make it the place where the tag rests."""
DISBELIEVED_OUTLIER: Final = 0.7
LEAST_WAY_M: Final = 20.0
"""Fixes less than this apart, what their circles explain taken off, may be one place."""
ON_WAY_MS: Final = 180_000
"""A longer pause, and the way may have turned."""
FASTER: Final = 1.5
"""So much faster than on the leg before may the next be."""
GEOMETRIC_LOG_ODDS: Final = 40.0
"""Geometry alone knows no doubt; e^40 to one is certainty in a float."""


@compiled
def evidence(limits: Thresholds, look: Look, depth_m: float, past: bool) -> float:
    """Log of how much better one fix fits "past the edge" than "not".

    Args:
        limits: the profile's.
        look: the fix.
        depth_m: how far past the edge it lies; negative = on the right side.
        past: whether it lies past the edge, where the edge itself decides.
    """
    sigma_m = look.radius_m / SIGMAS_IN_CIRCLE
    p = 0.5 * math.erfc(-depth_m / (sigma_m * math.sqrt(2.0)))
    outlier = limits.outlier[look.source]
    if look.on_way:
        outlier = limits.outlier_on_way
    if not counts(look.doubts, past):
        outlier = DISBELIEVED_OUTLIER
    good = (1.0 - outlier) * p + 0.5 * outlier
    bad = (1.0 - outlier) * (1.0 - p) + 0.5 * outlier
    weight = look.weight
    # Drift can't explain a place that far off; only a fix that is wrong altogether can.
    if look.source == CELL and abs(depth_m) > 2.0 * look.radius_m:
        weight = 1.0
    return weight * math.log(good / bad)


@compiled
def after(limits: Thresholds, log_odds: float, look: Look, depth_m: float, past: bool) -> float:
    """The log-odds after a fix: what time left of the old, and the new evidence."""
    if limits.geometric:
        return GEOMETRIC_LOG_ODDS if past else -GEOMETRIC_LOG_ODDS
    left = limits.unknown + (log_odds - limits.unknown) * look.keep
    if look.on_way:
        left = max(left, limits.on_way)
    return max(limits.floor, min(limits.ceiling, left + evidence(limits, look, depth_m, past)))


@compiled
def probability(log_odds: float) -> float:
    """Log-odds as a probability."""
    return 1.0 / (1.0 + math.exp(-log_odds))


@hot
def is_moving(limits: Thresholds, me: np.record, look: Look) -> bool:
    """Whether a fix shows the tag on its way: by its own speed, or too far off to be drift."""
    if look.speed_mps >= limits.moving_mps:
        return True
    if me.fix_ms == NEVER or look.source == CELL:
        return False
    moved_m = flat_m(look.east, look.lon - me.rest_lon, look.lat - me.rest_lat)
    if me.rest_fixes < SETTLED_PLACE:
        circles_m = math.sqrt(me.radius_m * me.radius_m + look.radius_m * look.radius_m)
        return bool(moved_m > circles_m + LEAST_WAY_M)
    return bool(moved_m > max(limits.drift_m, look.radius_m))


@hot
def is_on_way(me: np.record, look: Look, moving: bool) -> bool:
    """Whether a fix carries on the way that the two believed fixes before it show.

    Such a fix does not stand alone: an outlier would have to fall, by chance, where the way leads,
    no farther than its speed allows.
    """
    elapsed_ms = look.time_ms - me.fix_ms
    was_moving = me.fix_ms != NEVER and me.rest_fixes == 0 and me.source != CELL
    if not (moving and was_moving) or look.source == CELL or elapsed_ms > ON_WAY_MS:
        return False
    ahead = (look.lon - me.lon) * (me.lon - me.before_lon) * look.east * look.east
    ahead += (look.lat - me.lat) * (me.lat - me.before_lat)
    reach_m = FASTER * me.leg_mps * elapsed_ms / 1000.0 + look.radius_m
    moved_m = flat_m(look.east, look.lon - me.lon, look.lat - me.lat)
    return bool(ahead > 0.0 and moved_m <= reach_m)


@hot
def weight_of(limits: Thresholds, me: np.record, look: Look, moving: bool) -> float:
    """What a fix's evidence counts, given the one before: errors close in time are alike."""
    if me.fix_ms == NEVER:
        return 1.0
    elapsed_ms = look.time_ms - me.fix_ms
    if elapsed_ms >= limits.quiet_ms:
        return 1.0  # after a gap it is all there is
    if look.source == CELL:
        alike_ms = limits.drift_ms[look.source] if me.source == CELL else limits.moving_ms
        return 1.0 - math.exp(-elapsed_ms / alike_ms)
    if moving or me.rest_fixes < SETTLED_PLACE:
        return 1.0 - math.exp(-elapsed_ms / limits.moving_ms)
    fresh = 1.0 - math.exp(-elapsed_ms / limits.drift_ms[look.source])
    return limits.at_rest_weight * fresh


@hot
def weigh(limits: Thresholds, me: np.record, look: Look, accuracy_m: float, moving: bool) -> Look:
    """A fix with its doubts, its weight, and what the time before it left of the old belief."""
    keep = 0.0
    if me.raw_ms != NEVER:
        # From the fix before, believed or not: it had its share of forgetting already.
        keep = math.exp(-(look.time_ms - me.raw_ms) / limits.forget_ms)
    return Look(
        look.time_ms,
        look.lat,
        look.lon,
        look.radius_m,
        look.source,
        look.speed_mps,
        doubts_of(limits, me, look, accuracy_m),
        weight_of(limits, me, look, moving),
        keep,
        look.east,
        is_on_way(me, look, moving),
    )


@hot
def way_mps(me: np.record, look: Look) -> float:
    """Speed on the way from the last believed fix; NaN where there is none, or no time passed."""
    elapsed_ms = look.time_ms - me.fix_ms
    if me.fix_ms == NEVER or elapsed_ms <= 0:
        return math.nan
    return float(1000.0 * flat_m(look.east, look.lon - me.lon, look.lat - me.lat) / elapsed_ms)


@hot
def rest(me: np.record, look: Look, moving: bool) -> None:
    """Move the resting place, or find it better: the mean of the fixes there, by number."""
    if moving or me.rest_fixes == 0:
        me.rest_lat, me.rest_lon = look.lat, look.lon
        me.rest_ms = look.time_ms
        me.rest_fixes = 0 if moving else 1
        return
    me.rest_fixes = min(me.rest_fixes + 1, 60)
    me.rest_lat += (look.lat - me.rest_lat) / me.rest_fixes
    me.rest_lon += (look.lon - me.rest_lon) / me.rest_fixes
