"""A wearer and a victim's device: how far apart, how surely, and closing how fast.

docs/engine.md has the model with its equations; the names here are the names there.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.belief import SETTLED_PLACE, odds_on_way, share_past
from ringfence.engine.compiling import inner
from ringfence.engine.crossing import Crossing, crossed_probability, may_cross, say_crossing
from ringfence.engine.judging import settle, take_in
from ringfence.engine.measuring import Reading
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.saying import Law
from ringfence.engine.track import SIGMAS_IN_CIRCLE
from ringfence.engine.trust import CELL, FROZEN, Look, flat_m, look_at
from ringfence.engine.words import Doubt, EndedBy
from ringfence.geo.distance import signed_distance_m
from ringfence.geo.metric import geodesic_m

NEAR: Final = plan.NEAR
NEAR_RING: Final = plan.NEAR_RING
NO_PAIR: Final = -1
LEFT: Final = int(EndedBy.LEFT)
UNSTEADY: Final = int(Doubt.UNSTEADY)
AGED: Final = int(Doubt.AGED)
STILL: Final = int(Doubt.STILL)
CLOSING_MS: Final = 45_000
"""Closing speed is measured over at least this: over less, the circles' errors would be speed."""


class Apart(NamedTuple):
    """A pair at the instant of one side's fix, with the other side's last place."""

    metres: float
    nearer_m: float
    """How much nearer than the rule's distance."""
    depth_m: float
    """How far past the rule's nearest edge; negative = kept."""
    past: bool
    joint_m: float
    """95 % circle of the distance: both circles, and what the other's age adds to its own."""
    other_m: float
    """95 % circle of the other side's place, with what its age adds."""
    own_m: float
    """The wearer's circle, when it was fresh."""
    her_m: float
    age_s: float
    """Of the other side's place."""
    doubts: int
    """About the other side's place."""
    keep: float
    """What time has left of the belief since either side's last fix."""
    by_cell: bool
    """Either place."""


@inner
def pair_of(law: Law, wearer: int, victim: int) -> int:
    """The row of a wearer's pair with a victim's device, or `NO_PAIR`."""
    for number in range(law.first_pair[wearer], law.first_pair[wearer + 1]):
        if law.pair_victim[number] == victim:
            return number
    return NO_PAIR


@inner
def known_ms(side: np.record) -> int:
    """When a side's last believed place was last told; held to the last digit, it was told again.

    A frozen place clears nobody, and it must hide nobody either.
    """
    if side.raw_doubts & FROZEN and side.raw_lat == side.lat and side.raw_lon == side.lon:
        return int(side.raw_ms)
    return int(side.fix_ms)


@inner
def plausible_mps(limits: Thresholds, side: np.record) -> float:
    """How fast a side may be going away from its last place."""
    if side.rest_fixes >= SETTLED_PLACE:
        return limits.settled_mps
    known_mps = 0.0 if math.isnan(side.speed_mps) else side.speed_mps
    return float(max(limits.walking_mps, known_mps))


@inner
def measure(law: Law, wearer: int, number: int, look: Look, hers: bool) -> Apart:
    """How far a fix of either side lies from the other's last place; `hers` = it is the victim's.

    Metres are exact (`geodesic_m`), and so is their sign against the distance that is ordered.
    """
    rule, me = law.rows[number], law.wearers[wearer]
    her = law.pairs[rule.pair]
    other = me if hers else her
    age_s = (look.time_ms - known_ms(other)) / 1000.0
    aged_m = 0.0 if law.limits.geometric else plausible_mps(law.limits, other) * age_s
    metres = geodesic_m(look.lon, look.lat, other.lon, other.lat)
    lon, lat = (me.lon, me.lat) if hers else (look.lon, look.lat)
    depth_m, past = depth_of(law, rule, metres, lon, lat)
    return Apart(
        metres=metres,
        nearer_m=reach_m(rule) - metres,
        depth_m=depth_m,
        past=past,
        joint_m=math.hypot(look.radius_m, other.radius_m + aged_m),
        other_m=other.radius_m + aged_m,
        own_m=other.radius_m if hers else look.radius_m,
        her_m=look.radius_m if hers else other.radius_m,
        age_s=age_s,
        doubts=0 if law.limits.geometric else doubts_of_side(other, depth_m, aged_m),
        keep=math.exp(-(look.time_ms - max(me.raw_ms, her.raw_ms)) / law.limits.forget_ms),
        by_cell=look.source == CELL or other.source == CELL,  # noqa: PLR1714 - numba: types differ
    )


@inner
def on_its_way(law: Law, wearer: int, number: int, gap: Apart, hers: bool) -> tuple[float, float]:
    """How far past the rule's edge the mover's track puts the pair, and the share past it."""
    rule, me = law.rows[number], law.wearers[wearer]
    her = law.pairs[rule.pair]
    mover, other = (her, me) if hers else (me, her)
    metres = geodesic_m(mover.track_lon, mover.track_lat, other.lon, other.lat)
    lon, lat = (me.lon, me.lat) if hers else (me.track_lon, me.track_lat)
    depth_m, _ = depth_of(law, rule, metres, lon, lat)
    other_m = gap.other_m / SIGMAS_IN_CIRCLE
    return depth_m, share_past(depth_m, math.sqrt(mover.var_pp + other_m * other_m))


@inner
def reach_m(rule: np.record) -> float:
    """From how near on a proximity rule is broken: the ordered distance, or twice that."""
    return float(2.0 * rule.buffer_m if rule.role == NEAR_RING else rule.buffer_m)


@inner
def depth_of(
    law: Law, rule: np.record, metres: float, lon: float, lat: float
) -> tuple[float, bool]:
    """How far past a rule's nearest edge a pair is, and whether; `lon`, `lat`: the wearer's."""
    depth_m = reach_m(rule) - metres
    past = depth_m >= 0.0
    for place in range(rule.zone, rule.zone + rule.places):
        within_m = signed_distance_m(law.edges, place, lon, lat, math.inf)
        past = past and within_m < 0.0
        depth_m = min(depth_m, -within_m)
    return depth_m, past


@inner
def doubts_of_side(other: np.record, depth_m: float, aged_m: float) -> int:
    """Doubts about a place that the other side's fix is measured against.

    A place that rests on one fix is one fix, however often the other side looks at it.
    """
    doubts = other.raw_doubts & FROZEN
    if other.steady == 0:
        doubts |= UNSTEADY
    return int(doubts | AGED if abs(depth_m) < aged_m else doubts)


@inner
def seen_apart(look: Look, gap: Apart) -> Look:
    """One side's fix as a look at the pair: the distance's circle, and both sides' doubts."""
    return Look(
        look.time_ms,
        look.lat,
        look.lon,
        gap.joint_m,
        np.int64(CELL) if gap.by_cell else np.int64(look.source),
        look.speed_mps,
        look.doubts | gap.doubts,
        look.weight,
        gap.keep,
        look.east,
        look.moving,
        look.way,
    )


@inner
def is_fresh(law: Law, wearer: int, number: int, at_ms: int, hers: bool) -> bool:
    """Whether the other side's place is known, and not older than the limit."""
    other = law.wearers[wearer] if hers else law.pairs[law.rows[number].pair]
    return other.fix_ms != NEVER and at_ms - known_ms(other) < law.limits.quiet_ms


@inner
def judge_pair(law: Law, wearer: int, number: int, look: Look, hers: bool) -> None:
    """Judge one side's fix by one proximity rule, against the other side's last place."""
    if not is_fresh(law, wearer, number, look.time_ms, hers):
        return  # unknown, never safe
    slot, rule = law.slots[number], law.rows[number]
    gap = measure(law, wearer, number, look, hers)
    seen = seen_apart(look, gap)
    if rule.role == NEAR and not law.limits.geometric:
        cross_pair(law, wearer, number, seen, hers)
    measure_closing(slot, look.time_ms, gap.metres)
    slot.last_depth_m = gap.nearer_m
    ahead_m, share = on_its_way(law, wearer, number, gap, hers)
    odds = odds_on_way(law.limits, share, seen.way.strayed)
    reading = Reading(seen, gap.depth_m, gap.past, ahead_m, odds)
    take_in(law.limits, slot, reading)
    settle(law, wearer, number, reading, LEFT)
    if slot.open == 1 and slot.deepest_ms == look.time_ms and slot.depth_m == gap.nearer_m:
        note_nearest(law.wearers[wearer], slot, gap)


@inner
def learn_pair(law: Law, wearer: int, number: int, look: Look) -> None:
    """Take the last known places of both sides into the belief of a rule that is new to them."""
    her = law.pairs[law.rows[number].pair]
    if her.fix_ms == NEVER:
        return
    # The older place is the other side's: its age is what may have changed since.
    hers = her.fix_ms > look.time_ms
    if hers:
        place = (her.lat, her.lon, her.radius_m)
        look = look_at(her.fix_ms, place, np.int64(her.source), her.speed_mps, 1.0)
    if is_fresh(law, wearer, number, look.time_ms, hers):
        take_in(law.limits, law.slots[number], read_pair(law, wearer, number, look, hers))


@inner
def read_pair(law: Law, wearer: int, number: int, look: Look, hers: bool) -> Reading:
    """Measure one side's fix against a rule, as one that stands alone."""
    gap = measure(law, wearer, number, look, hers)
    law.slots[number].last_depth_m = gap.nearer_m
    return Reading(seen_apart(look, gap), gap.depth_m, gap.past, 0.0, 0.0)


@inner
def note_nearest(me: np.record, slot: np.record, gap: Apart) -> None:
    """Keep what the nearest look was made of: the two circles, the older place's age."""
    slot.own_m, slot.other_m, slot.age_s = gap.own_m, gap.her_m, gap.age_s
    still = me.rest_fixes >= SETTLED_PLACE
    slot.doubts = slot.doubts | STILL if still else slot.doubts & ~STILL


@inner
def measure_closing(slot: np.record, at_ms: int, metres: float) -> None:
    """How fast the two close in, over the last minute or so; NaN = not known yet."""
    if slot.apart_ms == NEVER:
        slot.closing_now_mps = math.nan
    elapsed_ms = at_ms - slot.apart_ms
    if slot.apart_ms != NEVER and elapsed_ms < CLOSING_MS:
        return
    if slot.apart_ms != NEVER:
        slot.closing_now_mps = 1000.0 * (slot.apart_m - metres) / elapsed_ms
    slot.apart_ms, slot.apart_m = at_ms, metres


@inner
def cross_pair(law: Law, wearer: int, number: int, look: Look, hers: bool) -> None:
    """Say *possible*, once, where one side's straight way passed too near the other's place."""
    rule = law.rows[number]
    mover = law.pairs[rule.pair] if hers else law.wearers[wearer]
    other = law.wearers[wearer] if hers else law.pairs[rule.pair]
    if law.slots[number].state != states.CLEAR or rule.places > 0:
        return
    if not may_cross(law.limits, mover, look):
        return
    share, nearest_m = nearest_on_way(mover, other, look)
    ends_m = min(
        geodesic_m(mover.lon, mover.lat, other.lon, other.lat),
        geodesic_m(look.lon, look.lat, other.lon, other.lat),
    )
    if nearest_m >= rule.buffer_m or ends_m < rule.buffer_m:
        return
    entry_ms = mover.fix_ms + int(share * (look.time_ms - mover.fix_ms))
    if entry_ms >= law.spans[law.cursors[number], 0]:
        way_m = flat_m(look.east, look.lon - mover.lon, look.lat - mover.lat)
        deepest_m = rule.buffer_m - nearest_m
        p = crossed_probability(deepest_m, way_m, look.way.turned)
        way = Crossing(look.time_ms, entry_ms, deepest_m, p)
        say_crossing(law, wearer, number, way)


@inner
def nearest_on_way(mover: np.record, other: np.record, look: Look) -> tuple[float, float]:
    """The share of a side's last leg at which it was nearest to the other's place, and how near."""
    way_x, way_y = (look.lon - mover.lon) * look.east, look.lat - mover.lat
    to_x, to_y = (other.lon - mover.lon) * look.east, other.lat - mover.lat
    way2 = way_x * way_x + way_y * way_y
    share = min(1.0, max(0.0, (to_x * way_x + to_y * way_y) / way2)) if way2 > 0.0 else 0.0
    lon = mover.lon + share * (look.lon - mover.lon)
    lat = mover.lat + share * (look.lat - mover.lat)
    return share, flat_m(look.east, other.lon - lon, other.lat - lat)
