"""A rule whose edge is far away is judged, to the digit, without measuring how far.

Ten standard deviations from an edge, the share of a fix that lies past it is 0 or 1 to the last
digit, once outliers are added: the evidence no longer hangs on the distance. So from a measured
place on, until the wearer has come near, only the counting of fixes and the forgetting go on. The
distance that the rule's row shows (`last_depth_m`, `ahead_m`) is put off until it is asked for.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from ringfence.engine import plan
from ringfence.engine.belief import balance, before, odds_on_way, odds_together, outlier_of
from ringfence.engine.compiling import inner
from ringfence.engine.judging import tally
from ringfence.engine.measuring import LONGER, SHORTER, within
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.saying import Law
from ringfence.engine.track import SIGMAS_IN_CIRCLE, noise_m2
from ringfence.engine.trust import CELL, Look, counts, flat_m
from ringfence.geo.compiled import compiled

EXCLUSION: Final = plan.EXCLUSION
SURE_SIGMAS: Final = 10.0
"""Past or short of an edge by so many, outliers of one in a million drown the difference."""


class Need(NamedTuple):
    """How far off an edge must be, metres, for a fix to be judged without measuring."""

    kept_m: float
    """Where the rule is kept."""
    past_m: float
    """Where it is broken."""
    way_m: float
    """For the straight way from the last believed fix to stay on one side."""


@compiled
def prepare_sure(limits: Thresholds, sure: np.ndarray) -> None:
    """Fill in what far on either side says, but for evidence, which hangs on the source."""
    for side in range(2):
        share = float(side)
        sure[side, 0] = -1.0
        sure[side, 2] = odds_together(share) if side == 1 else 0.0
        sure[side, 3] = odds_on_way(limits, share, False)
        sure[side, 4] = odds_on_way(limits, share, True)


@inner
def need_of(limits: Thresholds, me: np.record, look: Look) -> Need:
    """How far is far enough for a fix."""
    sigma_m = look.radius_m / SIGMAS_IN_CIRCLE
    past_m = SURE_SIGMAS * (sigma_m + limits.tail_m)
    kept_m = past_m if look.moving else SURE_SIGMAS * sigma_m
    if look.way.carries_on and not look.way.strayed:
        # Where the tag may be lies between the fix and where it was expected.
        ahead_m = flat_m(look.east, look.lon - me.track_lon, look.lat - me.track_lat)
        expected_m = ahead_m / (1.0 - me.var_pp / noise_m2(limits, look.radius_m))
        past_m += LONGER * expected_m
        kept_m = past_m
    way_m = 0.0
    if me.fix_ms != NEVER:
        way_m = LONGER * flat_m(look.east, look.lon - me.lon, look.lat - me.lat)
    if limits.geometric:
        kept_m = past_m = math.inf
    return Need(kept_m, past_m, way_m)


@inner
def is_far(slot: np.record, role: int, look: Look, need: Need) -> bool:
    """Whether a fix can be judged by a rule without measuring; not where nothing is known of it.

    Its edge is surely far enough away; and where a violation is open, the fix can't be the deepest.
    """
    past = slot.past == 1
    need_m = need.past_m if past else need.kept_m
    if role == EXCLUSION:
        need_m = max(need_m, need.way_m)
    spare_m = SHORTER * slot.away_m - need_m - 1.0
    if past and slot.open == 1:
        spare_m = min(spare_m, slot.depth_m - slot.most_m)
    return within(slot, (look.lon, look.lat), look.east, spare_m)


@inner
def take_far(law: Law, number: int, look: Look) -> bool:
    """Take a fix into a rule whose edge is far away, as `take_in` would; say whether it is past."""
    slot = law.slots[number]
    past = bool(slot.past == 1)
    carries_on = look.way.carries_on and counts(look.doubts, past)
    slot.due, slot.strayed = 1, look.way.strayed
    slot.ahead_m = 0.0 if carries_on else np.nan
    if tally(law.limits, slot, look, past):
        if carries_on:
            slot.log_odds = law.sure[1 if past else 0, 4 if look.way.strayed else 3]
        else:
            slot.log_odds = after_sure(law.limits, law.sure, slot.log_odds, look, past)
    return past


@inner
def after_sure(
    limits: Thresholds, sure: np.ndarray, log_odds: float, look: Look, past: bool
) -> float:
    """`belief.after` of `before`, to the digit, where the distance makes no difference."""
    side = 1 if past else 0
    outlier = outlier_of(limits, look, past)
    if sure[side, 0] != outlier:
        sure[side, 0], sure[side, 1] = outlier, balance(outlier, float(side))
    left = max(limits.floor, min(limits.ceiling, before(limits, log_odds, look)))
    now = left + (1.0 if look.source == CELL else look.weight) * sure[side, 1]
    if past:
        now = min(now, max(left, sure[side, 2]))
    return float(max(limits.floor, min(limits.ceiling, now)))
