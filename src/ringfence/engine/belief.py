"""How probably a rule is being broken, given the fixes so far.

docs/engine.md has the model with its equations; the names here are the names there.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ringfence.engine.compiling import inner
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.track import SIGMAS_IN_CIRCLE, follow, is_going, noise_m2
from ringfence.engine.trust import (
    CELL,
    NO_ACCURACY,
    OFF_WAY,
    Look,
    Way,
    believed,
    counts,
    doubts_of,
    flat_m,
    weighed,
    with_doubts,
)
from ringfence.geo.compiled import compiled

SETTLED_PLACE: Final = 3
"""So many fixes at one place make it the place where the tag rests."""
DISBELIEVED_OUTLIER: Final = 0.7
LEAST_WAY_M: Final = 20.0
"""Fixes less than this apart, what their circles explain taken off, may be one place."""
LEAST_DOUBT: Final = 1e-6
"""No place is surer than this."""
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
    p = share_past(depth_m, sigma_m)
    if look.moving:
        p += limits.tail * (share_past(depth_m, sigma_m + limits.tail_m) - p)
    weight = look.weight
    # Drift can't explain a place that far off; only a fix that is wrong altogether can.
    if look.source == CELL and abs(depth_m) > 2.0 * look.radius_m:
        weight = 1.0
    return weight * balance(outlier_of(limits, look, past), p)


@compiled
def outlier_of(limits: Thresholds, look: Look, past: bool) -> float:
    """How often such a fix says nothing of the true place."""
    return limits.outlier[look.source] if counts(look.doubts, past) else DISBELIEVED_OUTLIER


@compiled
def balance(outlier: float, p: float) -> float:
    """Log of how much better "past the edge" explains a fix than "not", by its share past it."""
    good = (1.0 - outlier) * p + 0.5 * outlier
    bad = (1.0 - outlier) * (1.0 - p) + 0.5 * outlier
    return math.log(good / bad)


@compiled
def share_past(depth_m: float, sigma_m: float) -> float:
    """The share of a round normal distribution that lies past an edge, from its middle's depth."""
    return 0.5 * math.erfc(-depth_m / (sigma_m * math.sqrt(2.0)))


@compiled
def odds_on_way(limits: Thresholds, share: float, strayed: bool) -> float:
    """Log-odds of "past the edge" of a tag on its way.

    Args:
        limits: the profile's.
        share: of where the tag may be by its track, what lies past the edge.
        strayed: whether the fix lies within reach only, not where the way led.
    """
    outlier = limits.outlier_strayed if strayed else limits.outlier_on_way
    p = (1.0 - outlier) * share + 0.5 * outlier
    return max(limits.floor, min(limits.ceiling, math.log(p / (1.0 - p))))


@compiled
def after(limits: Thresholds, log_odds: float, look: Look, depth_m: float, past: bool) -> float:
    """The log-odds after a fix: what time left of the old, and the new evidence."""
    if limits.geometric:
        return GEOMETRIC_LOG_ODDS if past else -GEOMETRIC_LOG_ODDS
    log_odds = max(limits.floor, min(limits.ceiling, log_odds))
    now = log_odds + evidence(limits, look, depth_m, past)
    if past:
        # Fixes at one place share what they are off by: many together know no more than this.
        p = share_past(depth_m, math.sqrt(noise_m2(limits, look.radius_m)))
        now = min(now, max(log_odds, odds_together(p)))
    return max(limits.floor, min(limits.ceiling, now))


@compiled
def odds_together(p: float) -> float:
    """The most that fixes at one place know together."""
    return math.log(p / max(1.0 - p, LEAST_DOUBT))


@compiled
def before(limits: Thresholds, log_odds: float, look: Look) -> float:
    """What time has left of belief; on the move, old compliance says less of now."""
    left = limits.unknown + (log_odds - limits.unknown) * look.keep
    return max(left, limits.floor_moving) if look.way.under_way else left


@compiled
def probability(log_odds: float) -> float:
    """Log-odds as a probability."""
    return 1.0 / (1.0 + math.exp(-log_odds))


@inner
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


@inner
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


@inner
def weigh(limits: Thresholds, me: np.record, look: Look, accuracy_m: float) -> Look:
    """A fix with its doubts, its weight, and what the time before it left of the old belief.

    A believed fix is taken into the track.
    """
    keep = 0.0
    if me.raw_ms != NEVER:
        # From the fix before, believed or not: it had its share of forgetting already.
        keep = math.exp(-(look.time_ms - me.raw_ms) / limits.forget_ms)
    doubts = look.doubts | doubts_of(limits, me, look, accuracy_m)
    way, moving = OFF_WAY, is_moving(limits, me, look)
    if believed(doubts) and look.source != CELL:
        way = follow(limits, me, look)
        if way.strayed and doubts & NO_ACCURACY:
            way = OFF_WAY  # it may be anywhere, and the pace itself may be made of such fixes
        moving = moving or is_going(limits, me)
    under_way = moving and me.fix_ms != NEVER and me.rest_fixes == 0
    way = Way(way.carries_on and moving, way.strayed, way.turned, under_way)
    weight = weight_of(limits, me, look, moving)
    return weighed(with_doubts(look, doubts), weight, keep, moving, way)


@inner
def way_mps(me: np.record, look: Look) -> float:
    """Speed on the way from the last believed fix; NaN where there is none, or no time passed."""
    elapsed_ms = look.time_ms - me.fix_ms
    if me.fix_ms == NEVER or elapsed_ms <= 0:
        return math.nan
    return float(1000.0 * flat_m(look.east, look.lon - me.lon, look.lat - me.lat) / elapsed_ms)


@inner
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


@inner
def remember(limits: Thresholds, me: np.record, look: Look) -> None:
    """Keep a believed fix as the last known place."""
    speed = look.speed_mps
    if not limits.geometric:
        speed = way_mps(me, look) if math.isnan(speed) else speed
        rest(me, look, look.moving)
    me.fix_ms, me.lat, me.lon = look.time_ms, look.lat, look.lon
    me.radius_m, me.source, me.speed_mps = look.radius_m, look.source, speed
    me.paced = 0 if math.isnan(look.speed_mps) else 1
    me.quiet = 0
    me.steady = 1 if look.way.carries_on or me.rest_fixes >= 2 else 0


@inner
def keep_fix(limits: Thresholds, me: np.record, look: Look) -> None:
    """Keep a fix as the last one; and as the last known place, if it is believed."""
    same = look.lat == me.raw_lat and look.lon == me.raw_lon
    me.repeats = min(me.repeats + 1, 1000) if same else 0
    me.raw_ms, me.raw_lat, me.raw_lon = look.time_ms, look.lat, look.lon
    me.raw_radius_m, me.raw_doubts = look.radius_m, look.doubts
    me.raw_source, me.raw_speed_mps = look.source, look.speed_mps
    if believed(look.doubts):
        remember(limits, me, look)
