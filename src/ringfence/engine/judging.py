"""One fix against one rule: how far past the edge, what to believe, which word to say."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.belief import after, before, on_track
from ringfence.engine.compiling import inner
from ringfence.engine.memory import NEVER
from ringfence.engine.saying import Cause, Law, step
from ringfence.engine.trust import CELL, FROZEN, Look, counts
from ringfence.engine.words import EndedBy
from ringfence.geo.distance import BEYOND_M, contains, signed_distance_m

EXCLUSION: Final = plan.EXCLUSION
RING: Final = plan.RING
MARGIN_M: Final = plan.MARGIN_M
LEFT: Final = int(EndedBy.LEFT)
RETURNED: Final = int(EndedBy.RETURNED)
ENTERED: Final = int(EndedBy.ENTERED)


class Reading(NamedTuple):
    """A fix measured against a rule."""

    look: Look
    depth_m: float
    """Past the nearest edge; negative = kept."""
    past: bool
    ahead_m: float
    """The same of where the track puts the tag, if the fix carries on its way …"""
    spread_m: float
    """… and how surely: standard deviation along one axis."""


@inner
def inside_m(law: Law, shape: int, look: Look, reach_m: float) -> float:
    """Signed metres to the edge, positive inside; exact within `reach_m` and wherever inside."""
    signed = signed_distance_m(law.edges, shape, look.lon, look.lat, reach_m)
    if signed == BEYOND_M:
        return signed_distance_m(law.edges, shape, look.lon, look.lat, np.inf)
    return signed


@inner
def depth_m(law: Law, rule: np.record, look: Look, reach_m: float) -> float:
    """Metres past the edge of what is allowed; negative = kept.

    For a ring, past its outer edge: more than `buffer_m` is in the zone itself, and kept again.
    """
    if rule.role == EXCLUSION:
        return inside_m(law, rule.zone, look, reach_m)
    if rule.role == RING:
        reach_m += rule.buffer_m
        signed = signed_distance_m(law.edges, rule.zone, look.lon, look.lat, reach_m)
        return float(signed + rule.buffer_m)
    return -signed_distance_m(law.edges, rule.zone, look.lon, look.lat, reach_m)


@inner
def depth_at(law: Law, rule: np.record, lon: float, lat: float) -> float:
    """Metres past the nearest edge of what is allowed, at a place that is no fix."""
    signed = signed_distance_m(law.edges, rule.zone, lon, lat, np.inf)
    if rule.role == EXCLUSION:
        return signed
    if rule.role == RING:
        return float(min(signed + rule.buffer_m, -signed))
    return -signed


@inner
def past_edge(rule: np.record, depth_m: float) -> bool:
    """Whether a depth is past the edge; the edge itself belongs to the zone, or to the ring."""
    if rule.role == RING:
        return bool(0.0 <= depth_m < rule.buffer_m)
    return depth_m >= 0.0 if rule.role == EXCLUSION else depth_m > 0.0


@inner
def learn(law: Law, wearer: int, number: int, look: Look) -> bool:
    """Take one fix into the belief of one rule; say whether it lies past the edge."""
    rule, me = law.rows[number], law.wearers[wearer]
    depth = depth_m(law, rule, look, max(MARGIN_M, 3.0 * look.radius_m))
    past = past_edge(rule, depth)
    if past and depth == BEYOND_M:
        depth = -signed_distance_m(law.edges, rule.zone, look.lon, look.lat, np.inf)
    law.slots[number].last_depth_m = depth
    if rule.role == RING:
        depth = min(depth, rule.buffer_m - depth)  # the nearer of its two edges decides
    ahead_m = depth
    if look.on_way:
        ahead_m = depth_at(law, rule, me.track_lon, me.track_lat)
    take_in(law, number, Reading(look, depth, past, ahead_m, math.sqrt(me.var_pp)))
    return past


@inner
def take_in(law: Law, number: int, reading: Reading) -> None:
    """Take a fix, measured against a rule, into the belief of that rule."""
    slot = law.slots[number]
    look, depth, past = reading.look, reading.depth_m, reading.past
    carries_on = look.on_way and counts(look.doubts, past)
    slot.ahead_m = reading.ahead_m if carries_on else np.nan
    decided = law.limits.geometric or look.source != CELL
    if decided and counts(look.doubts, past):
        # A fix on the way that others show counts for two: they bear it out.
        more = 2 if look.on_way else 1
        slot.with_it = min(slot.with_it + more, 1000) if past else 0
        slot.against = 0 if past else min(slot.against + more, 1000)
        if not past:
            slot.run_ms, slot.run_fixes, slot.run_cells = NEVER, 0, 0
    elif slot.state == states.CONFIRMED and not past:
        # What satellite fixes decided, a cell fix or a doubted one does not undo.
        return
    if past:
        slot.run_ms = look.time_ms if slot.run_ms == NEVER else slot.run_ms
        slot.run_fixes = min(slot.run_fixes + 1, 1_000_000)
        if look.source == CELL:
            slot.run_cells = min(slot.run_cells + 1, 10_000)
    if carries_on:
        slot.log_odds = on_track(law.limits, reading.spread_m, reading.ahead_m)
        return
    left = before(law.limits, slot.log_odds, look)
    slot.log_odds = after(law.limits, left, look, depth, past)


@inner
def judge(law: Law, wearer: int, number: int, look: Look) -> None:
    """Judge one fix by one rule and say what follows."""
    past = learn(law, wearer, number, look)
    open_and_kept = law.slots[number].open == 1 and not past
    ending = ended_by(law, law.rows[number], look) if open_and_kept else LEFT
    settle(law, wearer, number, Reading(look, 0.0, past, 0.0, 0.0), ending)


@inner
def settle(law: Law, wearer: int, number: int, reading: Reading, ending: int) -> None:
    """Say what follows from a fix that is taken in; `ending` = what an end would be by."""
    slot, look, past = law.slots[number], reading.look, reading.past
    if look.doubts & FROZEN and not past:
        return  # held to the last digit: it clears nobody, so quiet will make it `no_data`
    word = states.word_of(law.limits, slot.log_odds, slot.with_it, slot.against)
    cause = Cause(look.time_ms, False, ending)
    was_open = slot.open
    step(law, wearer, number, word, cause)
    if slot.open == 1:
        if was_open == 0:
            slot.cell_fixes = slot.run_cells - (1 if past and look.source == CELL else 0)
        count(slot, look, past)
    calm = slot.state == states.CLEAR or slot.state == states.ASLEEP  # noqa: PLR1714 - faster
    slot.settled = calm and slot.with_it == 0 and slot.log_odds <= law.limits.floor


@inner
def ended_by(law: Law, rule: np.record, look: Look) -> int:
    """What a violation of this role ends by when a fix ends it."""
    if rule.role == RING:
        return ENTERED if contains(law.edges, rule.zone, look.lon, look.lat) else LEFT
    return LEFT if rule.role == EXCLUSION else RETURNED


@inner
def count(slot: np.record, look: Look, past: bool) -> None:
    """Note a fix in the violation that is open."""
    slot.doubts |= look.doubts
    if not past:
        return
    slot.fixes += 1
    slot.last_ms = look.time_ms
    if look.source == CELL:
        slot.cell_fixes += 1
    if counts(look.doubts, past) and slot.last_depth_m >= slot.depth_m:
        slot.depth_m, slot.radius_m = slot.last_depth_m, look.radius_m
        slot.deepest_ms = look.time_ms
