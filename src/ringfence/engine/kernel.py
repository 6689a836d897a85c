"""The compiled loop: state and items in, state and events out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.again import bears_out, judge_again
from ringfence.engine.belief import keep_fix, weigh
from ringfence.engine.compiling import inner, merged
from ringfence.engine.crossing import cross
from ringfence.engine.deadlines import fire, hearing_due_ms, place_cursor, schedule_due_ms
from ringfence.engine.device import hear, hear_satellites, read_signals
from ringfence.engine.far import Need, is_far, need_of, prepare_sure, take_far
from ringfence.engine.fix import E7, Signal, Source
from ringfence.engine.fix import NO_POSITION as _NO_POSITION
from ringfence.engine.items import Items, compared, is_read, remember_item
from ringfence.engine.judging import deepen, foresee, says_nothing, speak, take_in
from ringfence.engine.measuring import catch_up, measure
from ringfence.engine.memory import FROZEN_AFTER, NEVER
from ringfence.engine.pairs import NO_PAIR, judge_pair, pair_of
from ringfence.engine.profiles import NEVER_MS, Thresholds
from ringfence.engine.saying import Law
from ringfence.engine.spoofing import compare_sources, notice_teleport
from ringfence.engine.trust import (
    CELL,
    NULL_ISLAND,
    Look,
    east_of,
    is_null_island,
    look_at,
    radius_m,
    with_doubts,
)
from ringfence.engine.words import DEVICE_RULES, Doubt
from ringfence.geo.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_POSITION: Final = int(_NO_POSITION)
GNSS: Final = int(Source.GNSS)
SAYS_MOTION: Final = int(Signal.MOTION)
SAYS_MOCKED: Final = int(Signal.MOCK_POSITION)
MOCKED: Final = int(Doubt.MOCKED)
BORNE_OUT: Final = int(Doubt.BORNE_OUT)
MARGIN_M: Final = plan.MARGIN_M
NEAR: Final = plan.NEAR
CLEAR: Final = states.CLEAR
EXCLUSION: Final = plan.EXCLUSION
FOREVER: Final = np.iinfo(np.int64).max
SPARE_EVENTS: Final = 2 * DEVICE_RULES + 4


@compiled
def run(law: Law, items: Items, stands_at: NDArray[np.int64]) -> bool:
    """Judge a batch, from where it stands; False = no room for more events, call again.

    Args:
        law: the plan, read; state and events, written.
        items: the batch.
        stands_at: (2,): wearer and row to go on from, written.
    """
    prepare_sure(law.limits, law.sure)
    for wearer in range(stands_at[0], len(law.wearers)):
        stands_at[0] = wearer
        first, last = items.rows_from[wearer], items.rows_from[wearer + 1]
        if first == last and _stands_still(law, wearer, items.until_ms[wearer]):
            continue
        stands_at[1] = max(stands_at[1], first)
        if not _run_wearer(law, items, stands_at):
            return False
    return True


@inner
def _stands_still(law: Law, wearer: int, until_ms: int) -> bool:
    """Whether there is no instant to advance the clock of a wearer without items to."""
    if until_ms == NEVER:
        return True  # most people of a live batch: so much is told without looking at their row
    clock_ms = law.wearers[wearer].clock_ms
    # Advancing to where the clock stands says when to wake, under a plan that changed.
    return bool(until_ms < clock_ms or clock_ms == NEVER)


@merged
def _run_wearer(law: Law, items: Items, stands_at: NDArray[np.int64]) -> bool:
    """Judge one wearer's rows and advance the clock; False = no room for more events."""
    wearer = stands_at[0]
    me = law.wearers[wearer]
    for number in range(law.first_slot[wearer], law.first_slot[wearer + 1] - DEVICE_RULES):
        place_cursor(law, wearer, number)
    if not _read_rows(law, wearer, items, stands_at):
        return False
    if me.item_ms == NEVER:
        # Nothing was ever heard, so no clock runs yet.
        law.wake_ms[wearer] = FOREVER
        return True
    until_ms = items.until_ms[wearer]
    due_ms = _advance(law, wearer, until_ms, schedule_due_ms(law, wearer))
    if due_ms <= until_ms:
        return False
    me.clock_ms = max(me.clock_ms, until_ms)
    wake_ms = min(due_ms, hearing_due_ms(law, wearer))
    law.wake_ms[wearer] = FOREVER if wake_ms >= NEVER_MS else wake_ms
    return True


@inner
def _read_rows(law: Law, wearer: int, items: Items, stands_at: NDArray[np.int64]) -> bool:
    """Read one wearer's rows, each at its own instant; False = no room for more events."""
    me = law.wearers[wearer]
    due_ms = schedule_due_ms(law, wearer)
    soonest_ms = min(law.limits.quiet_ms, law.limits.silence_ms, law.limits.no_fix_ms)
    if law.first_pair[wearer] < law.first_pair[wearer + 1]:
        soonest_ms = 0  # a victim's device has limits of its own
    last_read = -1
    for row in range(stands_at[1], items.rows_from[wearer + 1]):
        at_ms = items.time_ms[row]
        if last_read < 0 and at_ms <= me.clock_ms and is_read(me, items, row):
            items.late[row] = not (at_ms == me.item_ms and compared(me, items, row) == 0)
            continue
        # Sooner than the shortest limit after a fix, not hearing can't have become anything.
        if at_ms >= due_ms or at_ms - me.fix_ms >= soonest_ms:
            due_ms = _advance(law, wearer, at_ms, due_ms)
        if due_ms <= at_ms or not _has_room(law, wearer):
            remember_item(me, items, last_read)
            stands_at[1] = row
            return False
        _read(law, wearer, items, row)
        last_read = row
    remember_item(me, items, last_read)
    stands_at[1] = items.rows_from[wearer + 1]
    return True


@inner
def _has_room(law: Law, wearer: int) -> bool:
    """Whether the events of one more item, or one more instant, fit."""
    slots = law.first_slot[wearer + 1] - law.first_slot[wearer]
    return bool(law.said[0] + 4 * slots + SPARE_EVENTS <= len(law.events))


@inner
def _advance(law: Law, wearer: int, to_ms: int, schedule_ms: int) -> int:
    """Fire every deadline due by `to_ms`, each at its own instant; return the schedule's next.

    Stops early, with a return that is not after `to_ms`, where events find no more room.
    """
    while True:
        due_ms = min(schedule_ms, hearing_due_ms(law, wearer))
        if due_ms > to_ms:
            return schedule_ms
        if not _has_room(law, wearer):
            return due_ms
        fire(law, wearer, due_ms)
        schedule_ms = schedule_due_ms(law, wearer)


@merged
def _read(law: Law, wearer: int, items: Items, row: int) -> None:
    """Read one item at its own instant: that it came, its signals, its position."""
    me = law.wearers[wearer]
    me.clock_ms = me.item_ms = items.time_ms[row]
    located = _is_located(law.limits, items, row)
    pair = NO_PAIR
    if items.victim[row] != 0:
        pair = pair_of(law, wearer, items.victim[row])
        located = located and pair != NO_PAIR
    else:
        _hear_of(law, wearer, items, row, located)
    if located:
        _read_place(law, wearer, pair, items, row)
    else:
        # A place that is not even taken in as one is 0°, 0°, or made up by the phone's own word.
        items.doubts[row] = _doubts_of_nowhere(items, row)


@merged
def _hear_of(law: Law, wearer: int, items: Items, row: int, located: bool) -> None:
    """Take in that a tag reported, and its signals."""
    me, at_ms, signals = law.wearers[wearer], items.time_ms[row], items.signals[row]
    hear(law, wearer, at_ms, located and not _is_held(me, items, row))
    if signals != 0:
        read_signals(law, wearer, signals, at_ms)
    if located and items.source[row] == GNSS:
        hear_satellites(law, wearer, signals, at_ms)


@merged
def _read_place(law: Law, wearer: int, pair: int, items: Items, row: int) -> None:
    """Weigh a place of the wearer's, or of the victim's device of a pair; judge and remember it.

    Hers moves the wearer's clock, and is judged by the rules about that pair.
    """
    hers = pair != NO_PAIR
    me = law.pairs[pair] if hers else law.wearers[wearer]
    look = _look_of(law.limits, items, row)
    if not law.limits.geometric:
        if not hers:
            compare_sources(law, wearer, look)
        if bears_out(law.limits, me, look):
            if not hers:
                notice_teleport(law, wearer, look)
            judge_again(law, wearer, pair)
            look = with_doubts(look, BORNE_OUT)
        look = weigh(law.limits, me, look, np.float64(items.accuracy_m[row]))
    if hers:
        _judge_hers(law, wearer, pair, look)
    else:
        _judge_all(law, wearer, look)
    keep_fix(law.limits, me, look)
    items.doubts[row] = me.raw_doubts


@inner
def _is_located(limits: Thresholds, items: Items, row: int) -> bool:
    """Whether an item holds a place at all."""
    if items.signals[row] & SAYS_MOCKED and not limits.geometric:
        return False
    lat_e7 = items.lat_e7[row]
    return lat_e7 != NO_POSITION and not is_null_island(lat_e7 / E7, items.lon_e7[row] / E7)


@inner
def _is_held(me: np.record, items: Items, row: int) -> bool:
    """Whether a place is held to the last digit while the tag says that it moves: it is none."""
    if items.signals[row] & SAYS_MOTION == 0 or me.repeats < FROZEN_AFTER:
        return False
    lat, lon = items.lat_e7[row] / E7, items.lon_e7[row] / E7
    return bool(lat == me.raw_lat and lon == me.raw_lon)


@inner
def _doubts_of_nowhere(items: Items, row: int) -> int:
    if items.lat_e7[row] == NO_POSITION:
        return 0
    return MOCKED if items.signals[row] & SAYS_MOCKED else NULL_ISLAND


@inner
def _look_of(limits: Thresholds, items: Items, row: int) -> Look:
    """An item's position, nothing weighed yet."""
    lat, lon = items.lat_e7[row] / E7, items.lon_e7[row] / E7
    accuracy_m, speed_mps = np.float64(items.accuracy_m[row]), np.float64(items.speed_mps[row])
    source = np.int64(items.source[row])
    place = (lat, lon, radius_m(limits, accuracy_m, source))
    east = 1.0 if limits.geometric else east_of(lat)
    return look_at(items.time_ms[row], place, source, speed_mps, east)


@merged
def _judge_hers(law: Law, wearer: int, pair: int, look: Look) -> None:
    """Judge one position of a victim's device by every rule about that pair."""
    for number in range(law.first_slot[wearer], law.first_slot[wearer + 1] - DEVICE_RULES):
        if law.rows[number].pair == pair and law.cursors[number] < law.rows[number].spans_end:
            judge_pair(law, wearer, number, look, True)


@merged
def _judge_all(law: Law, wearer: int, look: Look) -> None:
    """Judge one position by every rule that it may touch."""
    me = law.wearers[wearer]
    span = (look.lon, look.lat, look.lon, look.lat)
    exact = law.limits.geometric
    far_seeing = exact or (3.0 * look.radius_m <= MARGIN_M and look.source != CELL)
    if not exact and me.fix_ms != NEVER:
        span = (
            min(look.lon, me.lon),
            min(look.lat, me.lat),
            max(look.lon, me.lon),
            max(look.lat, me.lat),
        )
    need = need_of(law.limits, me, look)
    for number in range(law.first_slot[wearer], law.first_slot[wearer + 1] - DEVICE_RULES):
        if far_seeing and law.slots[number].settled == 1 and _misses(law.boxes, number, span):
            continue
        if law.cursors[number] >= law.rows[number].spans_end:
            continue
        if law.rows[number].role >= NEAR:
            judge_pair(law, wearer, number, look, False)
            continue
        _judge_zone(law, wearer, number, look, need)


@inner
def _misses(
    boxes: NDArray[np.float64], number: int, span: tuple[float, float, float, float]
) -> bool:
    """Whether a box of places and a rule's box (west, south, east, north) lie apart."""
    west, south, east, north = span
    return bool(
        east < boxes[number, 0]
        or west > boxes[number, 2]
        or north < boxes[number, 1]
        or south > boxes[number, 3]
    )


@merged
def _judge_zone(law: Law, wearer: int, number: int, look: Look, need: Need) -> None:
    """Judge one position by one rule about a zone."""
    slot = law.slots[number]
    if is_far(slot, law.rows[number].role, look, need):
        past = take_far(law, number, look)
    else:
        past = _take_near(law, wearer, number, look, need)
    if not says_nothing(law.limits, slot, look, past):
        if slot.due == 1:
            catch_up(law, wearer, number, (look.lon, look.lat, look.radius_m))
        speak(law, wearer, number, look, past)
    elif slot.open == 1 and slot.due == 0:
        deepen(slot, look, past)


@inner
def _take_near(law: Law, wearer: int, number: int, look: Look, need: Need) -> bool:
    """Take a fix into a rule by measuring; say whether it is past the edge."""
    rule, slot = law.rows[number], law.slots[number]
    reading = measure(law.edges, rule, slot, look)
    if is_far(slot, rule.role, look, need):
        return take_far(law, number, look)
    if rule.role == EXCLUSION and slot.state == CLEAR and not law.limits.geometric:
        cross(law, wearer, number, look)
    if look.way.carries_on:
        reading = foresee(law, wearer, number, reading)
    take_in(law.limits, slot, reading)
    return bool(reading.past)
