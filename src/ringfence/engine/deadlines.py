"""What the clock alone decides: a rule's time begins or ends, no fix came, nothing was heard."""

from __future__ import annotations

from typing import Final

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.device import (
    NO_FIX,
    SILENCE,
    no_fix_due_ms,
    silence_due_ms,
)
from ringfence.engine.judging import learn
from ringfence.engine.memory import NEVER
from ringfence.engine.plan import Rules
from ringfence.engine.profiles import NEVER_MS, Thresholds
from ringfence.engine.saying import (
    ABSENT,
    ATTENDANCE,
    AUTHORISED,
    BEFORE_GAP,
    CONDITION_ENDED,
    LATE,
    Book,
    Cause,
    number_of_device,
    open_device,
    step,
)
from ringfence.engine.trust import Look
from ringfence.engine.words import EndedBy
from ringfence.geo.compiled import compiled

DEVICE_RULES: Final = plan.DEVICE_RULES
NO_DATA: Final = int(EndedBy.NO_DATA)


@compiled
def place_cursor(book: Book, rules: Rules, limits: Thresholds, wearer: int, number: int) -> None:
    """Find the span that a rule is in, or the next one; a rule new to the wearer looks back."""
    me, slot, rule = book.wearers[wearer], book.slots[number], rules.rows[number]
    cursor = rule.first_span
    if slot.seen == 1:
        low, high = cursor, rule.spans_end
        while low < high:
            middle = (low + high) // 2
            if rules.spans[middle, 1] > me.clock_ms:
                high = middle
            else:
                low = middle + 1
        cursor = low
    else:
        slot.seen = 1
        slot.run_ms = NEVER
        slot.log_odds = limits.unknown
        if me.fix_ms != NEVER:
            learn(book, rules, limits, number, last_look(book, wearer))
    book.cursors[number] = cursor


@compiled
def last_look(book: Book, wearer: int) -> Look:
    """The last believed fix, as if it came alone."""
    me = book.wearers[wearer]
    source = np.int64(me.source)
    return Look(me.fix_ms, me.lat, me.lon, me.radius_m, source, me.speed_mps, 0, 1.0, 0.0)


@compiled
def boundary_ms(book: Book, rules: Rules, number: int) -> int:
    """The next instant at which a rule comes into force or stops; `NEVER_MS` = none."""
    cursor = book.cursors[number]
    if cursor >= rules.rows[number].spans_end:
        return NEVER_MS
    asleep = book.slots[number].state == states.ASLEEP
    return min(NEVER_MS, rules.spans[cursor, 0 if asleep else 1])


@compiled
def schedule_due_ms(book: Book, rules: Rules, wearer: int) -> int:
    """The next boundary of any of a wearer's rules."""
    due_ms = NEVER_MS
    for number in range(rules.first_slot[wearer], rules.first_slot[wearer + 1] - DEVICE_RULES):
        due_ms = min(due_ms, boundary_ms(book, rules, number))
    return due_ms


@compiled
def hearing_due_ms(book: Book, rules: Rules, limits: Thresholds, wearer: int) -> int:
    """The next instant at which not hearing, or not finding the tag, changes anything."""
    me = book.wearers[wearer]
    due_ms = min(
        silence_due_ms(book, rules, limits, wearer), no_fix_due_ms(book, rules, limits, wearer)
    )
    if me.fix_ms != NEVER and me.quiet == 0:
        due_ms = min(due_ms, me.fix_ms + limits.quiet_ms)
    return due_ms


@compiled
def fire(book: Book, rules: Rules, limits: Thresholds, wearer: int, due_ms: int) -> None:
    """Do everything that is due at one instant: the tag first, then rule by rule."""
    if silence_due_ms(book, rules, limits, wearer) == due_ms:
        open_device(book, wearer, number_of_device(rules, wearer, SILENCE), SILENCE, due_ms)
    if no_fix_due_ms(book, rules, limits, wearer) == due_ms:
        open_device(book, wearer, number_of_device(rules, wearer, NO_FIX), NO_FIX, due_ms)
    me = book.wearers[wearer]
    quiet = me.fix_ms != NEVER and me.quiet == 0 and me.fix_ms + limits.quiet_ms <= due_ms
    if quiet:
        me.quiet = 1
    for number in range(rules.first_slot[wearer], rules.first_slot[wearer + 1] - DEVICE_RULES):
        if quiet:
            go_quiet(book, rules, wearer, number, due_ms)
        # A span may end where the next begins: stop, then start.
        while boundary_ms(book, rules, number) == due_ms:
            if book.slots[number].state == states.ASLEEP:
                start(book, rules, limits, wearer, number)
            else:
                stop(book, rules, wearer, number)
    me.clock_ms = max(me.clock_ms, due_ms)


@compiled
def go_quiet(book: Book, rules: Rules, wearer: int, number: int, at_ms: int) -> None:
    """No fix for longer than the limit."""
    slot = book.slots[number]
    slot.settled = 0
    if slot.open == 1:
        slot.doubts |= BEFORE_GAP
    step(book, rules, wearer, number, states.QUIET, Cause(at_ms, False, NO_DATA))


@compiled
def start(book: Book, rules: Rules, limits: Thresholds, wearer: int, number: int) -> None:
    """A rule comes into force: what was known at that instant may already break it."""
    me, slot = book.wearers[wearer], book.slots[number]
    at_ms = rules.spans[book.cursors[number], 0]
    cause = Cause(at_ms, True, NO_DATA)
    slot.arrived = slot.settled = 0
    step(book, rules, wearer, number, states.STARTS, cause)
    known = me.fix_ms != NEVER and me.quiet == 0 and me.fix_ms <= at_ms
    if known:
        word = states.word_of(limits, slot.log_odds, slot.with_it, slot.against)
        step(book, rules, wearer, number, word, cause)


@compiled
def stop(book: Book, rules: Rules, wearer: int, number: int) -> None:
    """A rule's time is over; what is still open ends with it."""
    slot = book.slots[number]
    span = book.cursors[number]
    ended_by = AUTHORISED if rules.spans[span, 2] == 1 else CONDITION_ENDED
    if slot.open == 1 and rules.rows[number].role == ATTENDANCE and slot.how == LATE:
        slot.how = ABSENT
    cause = Cause(rules.spans[span, 1], False, ended_by)
    step(book, rules, wearer, number, states.STOPS, cause)
    book.cursors[number] = span + 1
