"""One fix against one rule: how far past the edge, what to believe, which word to say."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.belief import after, before, odds_on_way, probability, share_past
from ringfence.engine.compiling import inner
from ringfence.engine.measuring import Reading, depth_at
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.saying import Cause, Law, move, step
from ringfence.engine.track import SIGMAS_IN_CIRCLE
from ringfence.engine.trust import CELL, FROZEN, Look, counts, flat_m
from ringfence.engine.words import EndedBy
from ringfence.geo.distance import contains

EXCLUSION: Final = plan.EXCLUSION
RING: Final = plan.RING
LEFT: Final = int(EndedBy.LEFT)
RETURNED: Final = int(EndedBy.RETURNED)
ENTERED: Final = int(EndedBy.ENTERED)


@inner
def foresee(law: Law, wearer: int, number: int, reading: Reading) -> Reading:
    """Add to a fix that carries on its way where the track puts the tag, and how probably past."""
    look, me = reading.look, law.wearers[wearer]
    rule, slot = law.rows[number], law.slots[number]
    share = share_ahead(law, me, rule, slot, look)
    return Reading(
        look,
        reading.depth_m,
        reading.past,
        depth_at(law.edges, rule, slot, (me.track_lon, me.track_lat), look.east),
        odds_on_way(law.limits, share, look.way.strayed),
    )


@inner
def share_ahead(law: Law, me: np.record, rule: np.record, slot: np.record, look: Look) -> float:
    """Of where a tag on its way may be, the share past the edge.

    Either the fix's circle is true, or its error is one of the wide ones: the better the fix fits
    where the track was leading, the likelier the first. Both places lie between the two.
    """
    limits = law.limits
    narrow_m = look.radius_m / SIGMAS_IN_CIRCLE
    noise_m2, wide_m2 = narrow_m * narrow_m, (narrow_m + limits.tail_m) ** 2
    if look.way.strayed:  # it was expected nowhere: its own error is all that there is to weigh
        depth = depth_at(law.edges, rule, slot, (look.lon, look.lat), look.east)
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
        place = (look.lon + back * lon, look.lat + back * lat)
        depth = depth_at(law.edges, rule, slot, place, look.east)
        shares += weight * share_past(depth, math.sqrt(before_m2 * back))
        weights += weight
    return shares / weights


@inner
def take_in(limits: Thresholds, slot: np.record, reading: Reading) -> None:
    """Take a fix, measured against a rule, into the belief of that rule."""
    look, past = reading.look, reading.past
    carries_on = look.way.carries_on and counts(look.doubts, past)
    slot.ahead_m = reading.ahead_m if carries_on else np.nan
    slot.strayed = look.way.strayed
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
    more = 2 if look.way.carries_on else 1
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
