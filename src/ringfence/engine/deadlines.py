"""What the clock alone decides: a rule's time begins or ends, no fix came, nothing was heard."""

from __future__ import annotations

from typing import Final

import numpy as np

from ringfence.engine import states
from ringfence.engine.compiling import inner
from ringfence.engine.device import (
    NO_FIX,
    SILENCE,
    no_fix_due_ms,
    silence_due_ms,
)
from ringfence.engine.judging import take_in
from ringfence.engine.measuring import catch_up, measure
from ringfence.engine.memory import NEVER
from ringfence.engine.pairs import learn_pair
from ringfence.engine.profiles import NEVER_MS
from ringfence.engine.saying import (
    ABSENT,
    ATTENDANCE,
    AUTHORISED,
    BEFORE_GAP,
    CONDITION_ENDED,
    LATE,
    Cause,
    Law,
    number_of_device,
    open_device,
    step,
)
from ringfence.engine.trust import Look, look_at
from ringfence.engine.words import DEVICE_RULES, EndedBy

NO_DATA: Final = int(EndedBy.NO_DATA)


@inner
def place_cursor(law: Law, wearer: int, number: int) -> None:
    """Find the span that a rule is in, or the next one; a rule new to the wearer looks back."""
    me, slot, rule = law.wearers[wearer], law.slots[number], law.rows[number]
    cursor = rule.first_span
    if slot.seen == 1:
        low, high = cursor, rule.spans_end
        while low < high:
            middle = (low + high) // 2
            if law.spans[middle, 1] > me.clock_ms:
                high = middle
            else:
                low = middle + 1
        cursor = low
    else:
        slot.seen = 1
        slot.run_ms = NEVER
        slot.log_odds = law.limits.unknown
        if me.fix_ms != NEVER:
            look_back(law, wearer, number)
    law.cursors[number] = cursor


@inner
def look_back(law: Law, wearer: int, number: int) -> None:
    """Let a rule that is new to the wearer learn from the last known place."""
    look = last_look(law, wearer)
    if law.rows[number].pair < 0:
        slot = law.slots[number]
        take_in(law.limits, slot, measure(law.edges, law.rows[number], slot, look))
    else:
        learn_pair(law, wearer, number, look)


@inner
def last_look(law: Law, wearer: int) -> Look:
    """The last believed fix, as if it came alone."""
    me = law.wearers[wearer]
    place = (me.lat, me.lon, me.radius_m)
    return look_at(me.fix_ms, place, np.int64(me.source), me.speed_mps, 1.0)


@inner
def boundary_ms(law: Law, number: int) -> int:
    """The next instant at which a rule comes into force or stops; `NEVER_MS` = none."""
    cursor = law.cursors[number]
    if cursor >= law.rows[number].spans_end:
        return NEVER_MS
    asleep = law.slots[number].state == states.ASLEEP
    return min(NEVER_MS, int(law.spans[cursor, 0 if asleep else 1]))


@inner
def schedule_due_ms(law: Law, wearer: int) -> int:
    """The next boundary of any of a wearer's law."""
    due_ms = NEVER_MS
    for number in range(law.first_slot[wearer], law.first_slot[wearer + 1] - DEVICE_RULES):
        due_ms = min(due_ms, boundary_ms(law, number))
    return due_ms


@inner
def hearing_due_ms(law: Law, wearer: int) -> int:
    """The next instant at which not hearing, or not finding the tag, changes anything."""
    me = law.wearers[wearer]
    due_ms = min(silence_due_ms(law, wearer), no_fix_due_ms(law, wearer))
    if me.fix_ms != NEVER and me.quiet == 0:
        due_ms = min(due_ms, me.fix_ms + law.limits.quiet_ms)
    for number in range(law.first_pair[wearer], law.first_pair[wearer + 1]):
        her = law.pairs[number]
        if her.fix_ms != NEVER and her.quiet == 0:
            due_ms = min(due_ms, her.fix_ms + law.limits.quiet_ms)
    return due_ms


@inner
def fall_quiet(law: Law, side: np.record, due_ms: int) -> bool:
    """Note, once, that a device's last place is older than the limit."""
    if side.fix_ms == NEVER or side.quiet == 1 or side.fix_ms + law.limits.quiet_ms > due_ms:
        return False
    side.quiet = 1
    return True


@inner
def fire(law: Law, wearer: int, due_ms: int) -> None:
    """Do everything that is due at one instant: the tag first, then rule by rule."""
    if silence_due_ms(law, wearer) == due_ms:
        open_device(law, wearer, number_of_device(law, wearer, SILENCE), SILENCE, due_ms)
    if no_fix_due_ms(law, wearer) == due_ms:
        open_device(law, wearer, number_of_device(law, wearer, NO_FIX), NO_FIX, due_ms)
    me = law.wearers[wearer]
    quiet = fall_quiet(law, me, due_ms)
    for number in range(law.first_pair[wearer], law.first_pair[wearer + 1]):
        if fall_quiet(law, law.pairs[number], due_ms):
            lose_pair(law, wearer, number, due_ms)
    for number in range(law.first_slot[wearer], law.first_slot[wearer + 1] - DEVICE_RULES):
        if quiet:
            go_quiet(law, wearer, number, due_ms)
        # A span may end where the next begins: stop, then start.
        while boundary_ms(law, number) == due_ms:
            if law.slots[number].state == states.ASLEEP:
                start(law, wearer, number)
            else:
                stop(law, wearer, number)
    me.clock_ms = max(me.clock_ms, due_ms)


@inner
def lose_pair(law: Law, wearer: int, pair: int, at_ms: int) -> None:
    """Nothing is known of a victim's device for too long: nobody is near it, and nobody is not."""
    for number in range(law.first_slot[wearer], law.first_slot[wearer + 1] - DEVICE_RULES):
        if law.rows[number].pair == pair:
            go_quiet(law, wearer, number, at_ms)


@inner
def go_quiet(law: Law, wearer: int, number: int, at_ms: int) -> None:
    """No fix for longer than the limit."""
    slot = law.slots[number]
    slot.settled = 0
    if slot.open == 1:
        slot.doubts |= BEFORE_GAP
    step(law, wearer, number, states.QUIET, Cause(at_ms, False, NO_DATA))


@inner
def start(law: Law, wearer: int, number: int) -> None:
    """A rule comes into force: what was known at that instant may already break it."""
    me, slot = law.wearers[wearer], law.slots[number]
    at_ms = law.spans[law.cursors[number], 0]
    cause = Cause(at_ms, True, NO_DATA)
    slot.arrived = slot.settled = 0
    step(law, wearer, number, states.STARTS, cause)
    known = me.fix_ms != NEVER and me.quiet == 0 and me.fix_ms <= at_ms
    if law.rows[number].pair >= 0:
        her = law.pairs[law.rows[number].pair]
        known = known and her.fix_ms != NEVER and her.quiet == 0
    if known:
        if slot.due == 1:
            catch_up(law, wearer, number, (me.raw_lon, me.raw_lat, me.raw_radius_m))
        word = states.word_of(law.limits, slot.log_odds, slot.with_it, slot.against)
        step(law, wearer, number, word, cause)


@inner
def stop(law: Law, wearer: int, number: int) -> None:
    """A rule's time is over; what is still open ends with it."""
    slot = law.slots[number]
    span = law.cursors[number]
    ended_by = AUTHORISED if law.spans[span, 2] == 1 else CONDITION_ENDED
    if slot.open == 1 and law.rows[number].role == ATTENDANCE and slot.how == LATE:
        slot.how = ABSENT
    cause = Cause(law.spans[span, 1], False, ended_by)
    step(law, wearer, number, states.STOPS, cause)
    law.cursors[number] = span + 1
