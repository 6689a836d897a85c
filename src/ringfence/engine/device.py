"""What a tag says of itself: strap, case, power, battery, jamming, and its silences."""

from __future__ import annotations

from typing import Final

from ringfence.engine.fix import Signal
from ringfence.engine.memory import NEVER
from ringfence.engine.plan import Rules
from ringfence.engine.profiles import NEVER_MS, Thresholds
from ringfence.engine.saying import Book, end_device, number_of_device, open_device
from ringfence.engine.words import Doubt, EndedBy, How
from ringfence.geo.compiled import compiled

SILENCE: Final = int(How.SILENCE)
NO_FIX: Final = int(How.NO_FIX)
JAMMED: Final = int(How.GNSS_JAMMED)
POWER_OFF: Final = int(How.POWER_OFF)
BATTERY_LOW: Final = int(How.BATTERY_LOW)
BATTERY_CRITICAL: Final = int(How.BATTERY_CRITICAL)
STRAP_CUT: Final = int(How.STRAP_CUT)
CASE_OPEN: Final = int(How.CASE_OPEN)

SAYS_STRAP_CUT: Final = int(Signal.STRAP_CUT)
SAYS_STRAP_OK: Final = int(Signal.STRAP_OK)
SAYS_CASE_OPEN: Final = int(Signal.CASE_OPEN)
SAYS_BATTERY_LOW: Final = int(Signal.BATTERY_LOW)
SAYS_BATTERY_CRITICAL: Final = int(Signal.BATTERY_CRITICAL)
SAYS_CHARGING: Final = int(Signal.CHARGING)
SAYS_POWER_OFF: Final = int(Signal.POWER_OFF)
SAYS_JAMMED: Final = int(Signal.GNSS_JAMMED)
SAYS_INSPECTED: Final = int(Signal.TAMPER_INSPECTED)

BY_CHARGE: Final = int(EndedBy.CHARGED)
BY_PERSON: Final = int(EndedBy.INSPECTED)
BY_REPORT: Final = int(EndedBy.REPORTED)
BY_FIX: Final = int(EndedBy.LOCATED)
STRAP_OK: Final = int(Doubt.STRAP_OK)


@compiled
def _begin(book: Book, rules: Rules, wearer: int, how: int, at_ms: int) -> None:
    """Open a device violation, or count one more report of it."""
    number = number_of_device(rules, wearer, how)
    slot = book.slots[number]
    if slot.open == 0:
        open_device(book, wearer, number, how, at_ms)
    slot.fixes += 1
    slot.last_ms = at_ms


@compiled
def _end(book: Book, rules: Rules, wearer: int, how: int, ended_by: int, at_ms: int) -> None:
    """Note the end of a device violation that is open."""
    number = number_of_device(rules, wearer, how)
    if book.slots[number].open == 1:
        end_device(book, wearer, number, ended_by, at_ms)


@compiled
def read_signals(book: Book, rules: Rules, wearer: int, signals: int, at_ms: int) -> None:
    """Every signal of a report speaks for itself: a low battery hides no cut strap."""
    if signals & SAYS_INSPECTED:
        for how in (STRAP_CUT, CASE_OPEN, POWER_OFF):
            _end(book, rules, wearer, how, BY_PERSON, at_ms)
    if signals & SAYS_CHARGING:
        for how in (BATTERY_LOW, BATTERY_CRITICAL):
            _end(book, rules, wearer, how, BY_CHARGE, at_ms)
    if signals & SAYS_STRAP_CUT:
        _begin(book, rules, wearer, STRAP_CUT, at_ms)
    if signals & SAYS_CASE_OPEN:
        _begin(book, rules, wearer, CASE_OPEN, at_ms)
    if signals & SAYS_POWER_OFF:
        _begin(book, rules, wearer, POWER_OFF, at_ms)
    if signals & SAYS_BATTERY_LOW:
        _begin(book, rules, wearer, BATTERY_LOW, at_ms)
    if signals & SAYS_BATTERY_CRITICAL:
        _begin(book, rules, wearer, BATTERY_CRITICAL, at_ms)
    if signals & SAYS_JAMMED:
        _begin(book, rules, wearer, JAMMED, at_ms)
    if signals & SAYS_STRAP_OK:
        # A strap that is cut and taped says so too: noted, never believed.
        cut = book.slots[number_of_device(rules, wearer, STRAP_CUT)]
        if cut.open == 1:
            cut.doubts |= STRAP_OK


@compiled
def hear(
    book: Book, rules: Rules, limits: Thresholds, wearer: int, at_ms: int, located: bool
) -> None:
    """A report came, with or without a position: silence ends, and perhaps `no_fix`."""
    me = book.wearers[wearer]
    _end(book, rules, wearer, SILENCE, BY_REPORT, at_ms)
    if me.located_ms == NEVER:
        me.located_ms = at_ms
    if located:
        _end(book, rules, wearer, NO_FIX, BY_FIX, at_ms)
        me.located_ms = at_ms
    me.heard_ms = at_ms
    if not located and at_ms >= no_fix_due_ms(book, rules, limits, wearer):
        open_device(book, wearer, number_of_device(rules, wearer, NO_FIX), NO_FIX, at_ms)


@compiled
def hear_satellites(book: Book, rules: Rules, wearer: int, signals: int, at_ms: int) -> None:
    """A satellite fix without a word of jamming: it is over."""
    if signals & SAYS_JAMMED == 0:
        _end(book, rules, wearer, JAMMED, BY_FIX, at_ms)


@compiled
def silence_due_ms(book: Book, rules: Rules, limits: Thresholds, wearer: int) -> int:
    """When silence becomes a violation if nothing is heard; `NEVER_MS` if it is one already."""
    heard_ms = book.wearers[wearer].heard_ms
    if heard_ms == NEVER or book.slots[number_of_device(rules, wearer, SILENCE)].open == 1:
        return NEVER_MS
    return heard_ms + limits.silence_ms


@compiled
def no_fix_due_ms(book: Book, rules: Rules, limits: Thresholds, wearer: int) -> int:
    """When reports without a position become a violation if they go on as they are."""
    me = book.wearers[wearer]
    if me.heard_ms <= me.located_ms:
        return NEVER_MS
    if book.slots[number_of_device(rules, wearer, NO_FIX)].open == 1:
        return NEVER_MS
    return max(me.located_ms + limits.no_fix_ms, me.heard_ms)
