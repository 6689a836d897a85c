"""A fix that was doubted for the way to it is judged again when the next one bears it out.

Out of a tunnel, off a fast train, or after one wrong place that was believed: two fixes that agree
are the truth, and the first of them counts as it would have without the doubt. Nothing is said of
its own instant, which is past: what follows is said with the fix that bears it out.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.belief import after, evidence, is_moving, remember, weight_of
from ringfence.engine.compiling import inner
from ringfence.engine.judging import count_in_row, deepen
from ringfence.engine.measuring import Reading, measure
from ringfence.engine.memory import NEVER
from ringfence.engine.pairs import NO_PAIR, is_fresh, read_pair
from ringfence.engine.profiles import Thresholds
from ringfence.engine.saying import Law
from ringfence.engine.track import follow
from ringfence.engine.trust import (
    CELL,
    OF_THE_WAY,
    OFF_WAY,
    Look,
    believed,
    east_of,
    fastest,
    flat_m,
    look_at,
    travel_doubts,
    way_doubts,
    weighed,
    with_doubts,
)
from ringfence.engine.words import DEVICE_RULES

NEAR: Final = plan.NEAR


@inner
def bears_out(limits: Thresholds, me: np.record, look: Look) -> bool:
    """Whether the last fix was doubted for its way, and this one agrees with it and no other."""
    if me.raw_doubts & OF_THE_WAY == 0 or me.fix_ms == NEVER:
        return False
    return agrees_with_doubted(limits, me, look)


@inner
def agrees_with_doubted(limits: Thresholds, me: np.record, look: Look) -> bool:
    """Whether a fix can be reached from the doubted one, and not from the believed one before."""
    if not believed(me.raw_doubts & ~OF_THE_WAY) or way_doubts(limits, me, look) == 0:
        return False
    way_m = flat_m(look.east, look.lon - me.raw_lon, look.lat - me.raw_lat)
    way_m -= me.raw_radius_m + look.radius_m
    speed_mps = fastest(me.raw_speed_mps, look.speed_mps)
    return travel_doubts(limits, way_m, look.time_ms - me.raw_ms, speed_mps) == 0


@inner
def judge_again(law: Law, wearer: int, pair: int) -> None:
    """Judge the last fix of a wearer, or of the victim's device of a pair, without the doubt."""
    hers = pair != NO_PAIR
    me = law.pairs[pair] if hers else law.wearers[wearer]
    look = weighed_alone(law.limits, me, look_of_last(me))
    for number in range(law.first_slot[wearer], law.first_slot[wearer + 1] - DEVICE_RULES):
        rule = law.rows[number]
        if law.cursors[number] >= rule.spans_end:
            continue
        if rule.role >= NEAR:
            if not hers or rule.pair == pair:
                judge_pair_again(law, wearer, number, look, hers)
        elif not hers:
            reading = measure(law.edges, rule, law.slots[number], look)
            take_again(law.limits, law.slots[number], reading)
    believe_again(law.limits, me, look)


@inner
def judge_pair_again(law: Law, wearer: int, number: int, look: Look, hers: bool) -> None:
    """The same by a rule about a pair; not if the other side was heard of since."""
    other = law.wearers[wearer] if hers else law.pairs[law.rows[number].pair]
    if other.raw_ms <= look.time_ms and is_fresh(law, wearer, number, look.time_ms, hers):
        reading = read_pair(law, wearer, number, look, hers)
        take_again(law.limits, law.slots[number], reading)


@inner
def look_of_last(me: np.record) -> Look:
    """The last fix, believed or not, without the doubt about its way; not weighed."""
    place = (me.raw_lat, me.raw_lon, me.raw_radius_m)
    source, east = np.int64(me.raw_source), east_of(me.raw_lat)
    look = look_at(me.raw_ms, place, source, me.raw_speed_mps, east)
    return with_doubts(look, int(me.raw_doubts) & ~OF_THE_WAY)


@inner
def weighed_alone(limits: Thresholds, me: np.record, look: Look) -> Look:
    """A fix as one that stands alone is weighed, given the believed one before it."""
    moving = is_moving(limits, me, look)
    return weighed(look, weight_of(limits, me, look, moving), 1.0, moving, OFF_WAY)


@inner
def take_again(limits: Thresholds, slot: np.record, reading: Reading) -> None:
    """Take a fix into the belief of a rule in place of what little it said while doubted."""
    look, past = reading.look, reading.past
    undecided = slot.state != states.CONFIRMED or past
    if look.source != CELL:
        count_in_row(slot, look, past)
    elif not undecided:
        return  # what satellite fixes decided, a cell fix does not undo
    if undecided:  # else it said nothing at all
        doubted = with_doubts(look, look.doubts | OF_THE_WAY)
        slot.log_odds -= evidence(limits, doubted, reading.depth_m, past)
    slot.log_odds = after(limits, slot.log_odds, look, reading.depth_m, past)
    if slot.open == 1:
        deepen(slot, look, past)


@inner
def believe_again(limits: Thresholds, me: np.record, look: Look) -> None:
    """Make it the last known place, from which a way begins: that to it shows no speed."""
    if look.source != CELL:
        me.track_ms = NEVER
        follow(limits, me, look)
    remember(limits, me, look)
    me.speed_mps = look.speed_mps
