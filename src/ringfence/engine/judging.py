"""One fix against one rule: how far past the edge, what to believe, which word to say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.belief import after, before, odds_on_way, probability, share_past
from ringfence.engine.compiling import inner
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.saying import Cause, Law, move, step
from ringfence.engine.track import SIGMAS_IN_CIRCLE
from ringfence.engine.trust import CELL, FROZEN, Look, counts, flat_m
from ringfence.engine.words import EndedBy
from ringfence.geo.distance import BEYOND_M, contains, signed_distance_m

if TYPE_CHECKING:
    from ringfence.geo.edges import Arrays

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
    odds: float
    """… and the log-odds of its being past the edge."""


@inner
def reach_of(radius_m: float) -> float:
    """How far from an edge a fix with such a circle is measured."""
    return max(MARGIN_M, 3.0 * radius_m)


@inner
def depth_m(edges: Arrays, rule: np.record, place: tuple[float, float], reach_m: float) -> float:
    """Metres past the edge of what is allowed; negative = kept, `-BEYOND_M` beyond `reach_m`.

    For a ring, past its outer edge: more than `buffer_m` is in the zone itself, and kept again.
    Past any other edge it is exact, however deep.
    """
    if rule.role == RING:
        reach_m += rule.buffer_m
    signed = signed_distance_m(edges, rule.zone, place[0], place[1], reach_m)
    if rule.role == RING:
        return float(signed + rule.buffer_m)
    depth = signed if rule.role == EXCLUSION else -signed
    if depth == BEYOND_M:
        return abs(signed_distance_m(edges, rule.zone, place[0], place[1], np.inf))
    return depth


@inner
def depth_at(edges: Arrays, rule: np.record, lon: float, lat: float) -> float:
    """Metres past the nearest edge of what is allowed, at a place that is no fix."""
    signed = signed_distance_m(edges, rule.zone, lon, lat, np.inf)
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
def measure(edges: Arrays, rule: np.record, slot: np.record, look: Look) -> Reading:
    """Measure a fix against one rule.

    Called with no more than it needs, not laid into the kernel's loop: handing over the whole law
    costs as much as measuring, and laying all geometry in doubles the time of an install.
    """
    depth = depth_m(edges, rule, (look.lon, look.lat), reach_of(look.radius_m))
    past = past_edge(rule, depth)
    slot.last_depth_m = depth
    if rule.role == RING:
        depth = min(depth, rule.buffer_m - depth)  # the nearer of its two edges decides
    return Reading(look, depth, past, depth, 0.0)


@inner
def foresee(law: Law, rule: np.record, me: np.record, reading: Reading) -> Reading:
    """Add to a fix that carries on its way where the track puts the tag, and how probably past."""
    look, share = reading.look, share_ahead(law, rule, me, reading.look)
    return Reading(
        look,
        reading.depth_m,
        reading.past,
        depth_at(law.edges, rule, me.track_lon, me.track_lat),
        odds_on_way(law.limits, share, look.strayed),
    )


@inner
def share_ahead(law: Law, rule: np.record, me: np.record, look: Look) -> float:
    """Of where a tag on its way may be, the share past the edge.

    Either the fix's circle is true, or its error is one of the wide ones: the better the fix fits
    where the track was leading, the likelier the first. Both places lie between the two.
    """
    limits = law.limits
    narrow_m = look.radius_m / SIGMAS_IN_CIRCLE
    noise_m2, wide_m2 = narrow_m * narrow_m, (narrow_m + limits.tail_m) ** 2
    if look.strayed:  # it was expected nowhere: its own error is all that there is to weigh
        depth = depth_at(law.edges, rule, look.lon, look.lat)
        share = share_past(depth, narrow_m)
        return share + limits.tail * (share_past(depth, math.sqrt(wide_m2)) - share)
    both_m2 = (1.0 - limits.tail) * noise_m2 + limits.tail * wide_m2
    left = 1.0 - me.var_pp / both_m2  # of the way from the fix to where it was expected
    lon, lat = (me.track_lon - look.lon) / left, (me.track_lat - look.lat) / left
    off_m2, before_m2 = flat_m(look.east, lon, lat) ** 2, me.var_pp / left
    shares = weights = 0.0
    for part, error_m2 in ((1.0 - limits.tail, noise_m2), (limits.tail, wide_m2)):
        spread_m2 = before_m2 + error_m2
        weight = part / spread_m2 * math.exp(-0.5 * off_m2 / spread_m2)
        back = error_m2 / spread_m2
        depth = depth_at(law.edges, rule, look.lon + back * lon, look.lat + back * lat)
        shares += weight * share_past(depth, math.sqrt(before_m2 * back))
        weights += weight
    return shares / weights


@inner
def take_in(limits: Thresholds, slot: np.record, reading: Reading) -> None:
    """Take a fix, measured against a rule, into the belief of that rule."""
    look, past = reading.look, reading.past
    carries_on = look.on_way and counts(look.doubts, past)
    slot.ahead_m = reading.ahead_m if carries_on else np.nan
    slot.strayed = look.strayed
    if not tally(limits, slot, look, past):
        return
    if carries_on:
        slot.log_odds = reading.odds
        return
    left = before(limits, slot.log_odds, look)
    slot.log_odds = after(limits, left, look, reading.depth_m, past)


@inner
def tally(limits: Thresholds, slot: np.record, look: Look, past: bool) -> bool:
    """Count a fix among those in a row; say whether it may change what is believed."""
    decided = limits.geometric or look.source != CELL
    if decided and counts(look.doubts, past):
        count_in_row(slot, look, past)
    elif slot.state == states.CONFIRMED and not past:
        # What satellite fixes decided, a cell fix or a doubted one does not undo.
        return False
    if past:
        slot.run_ms = look.time_ms if slot.run_ms == NEVER else slot.run_ms
        slot.run_fixes = min(slot.run_fixes + 1, 1_000_000)
        if look.source == CELL:
            slot.run_cells = min(slot.run_cells + 1, 10_000)
    return True


@inner
def count_in_row(slot: np.record, look: Look, past: bool) -> None:
    """Count a fix that decides among those in a row on either side."""
    # A fix on the way that others show counts for two: they bear it out.
    more = 2 if look.on_way else 1
    slot.with_it = min(slot.with_it + more, 1000) if past else 0
    slot.against = 0 if past else min(slot.against + more, 1000)
    if not past:
        slot.run_ms, slot.run_fixes, slot.run_cells = NEVER, 0, 0


@inner
def says_nothing(limits: Thresholds, slot: np.record, look: Look, past: bool) -> bool:
    """Settle a fix that is taken in, if nothing is to be said; `deepen` is the caller's."""
    if look.doubts & FROZEN and not past:
        return True  # held to the last digit: it clears nobody, so quiet will make it `no_data`
    word = states.word_of(limits, slot.log_odds, slot.with_it, slot.against)
    if states.ACTS[slot.state, word] != states.NOTHING:
        return False
    move(slot, word)
    if slot.open == 1:
        count(slot, look, past)
        slot.probability = max(slot.probability, probability(slot.log_odds))
    note_settled(limits, slot)
    return True


@inner
def speak(law: Law, wearer: int, number: int, look: Look, past: bool) -> None:
    """Settle a fix that is taken in, and say what there is to say."""
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
        deepen(slot, look, past)
        slot.probability = max(slot.probability, probability(slot.log_odds))
    note_settled(law.limits, slot)


@inner
def note_settled(limits: Thresholds, slot: np.record) -> None:
    """Note whether a rule is kept, as surely as can be."""
    calm = slot.state == states.CLEAR or slot.state == states.ASLEEP  # noqa: PLR1714 - faster
    slot.settled = calm and slot.with_it == 0 and slot.log_odds <= limits.floor


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


@inner
def deepen(slot: np.record, look: Look, past: bool) -> None:
    """Note a fix that lies as far past the edge as any in the violation that is open."""
    if past and counts(look.doubts, past) and slot.last_depth_m >= slot.depth_m:
        slot.depth_m, slot.radius_m = slot.last_depth_m, look.radius_m
        slot.deepest_ms = look.time_ms
