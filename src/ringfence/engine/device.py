"""What a tag says of itself: strap, case, power, battery, jamming, and its silences."""

from __future__ import annotations

from typing import Final

from ringfence.engine.compiling import inner
from ringfence.engine.fix import Signal
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import NEVER_MS
from ringfence.engine.saying import Law, end_device, number_of_device, open_device
from ringfence.engine.words import Doubt, EndedBy, How

SILENCE: Final = int(How.SILENCE)
NO_FIX: Final = int(How.NO_FIX)
JAMMED: Final = int(How.GNSS_JAMMED)
POWER_OFF: Final = int(How.POWER_OFF)
BATTERY_LOW: Final = int(How.BATTERY_LOW)
BATTERY_CRITICAL: Final = int(How.BATTERY_CRITICAL)
STRAP_CUT: Final = int(How.STRAP_CUT)
CASE_OPEN: Final = int(How.CASE_OPEN)
SPOOFED: Final = int(How.GNSS_SPOOFED)

SAYS_STRAP_OK: Final = int(Signal.STRAP_OK)
SAYS_CHARGING: Final = int(Signal.CHARGING)
SAYS_JAMMED: Final = int(Signal.GNSS_JAMMED | Signal.NETWORK_JAMMED)
SAYS_INSPECTED: Final = int(Signal.TAMPER_INSPECTED)
BEGUN_BY: Final = (
    (int(Signal.STRAP_CUT), STRAP_CUT, STRAP_CUT),
    (int(Signal.CASE_OPEN), CASE_OPEN, CASE_OPEN),
    (int(Signal.POWER_OFF), POWER_OFF, POWER_OFF),
    (int(Signal.BATTERY_LOW), BATTERY_LOW, BATTERY_LOW),
    (int(Signal.BATTERY_CRITICAL), BATTERY_CRITICAL, BATTERY_CRITICAL),
    (int(Signal.GNSS_JAMMED), JAMMED, JAMMED),
    (int(Signal.POWER_CUT), POWER_OFF, int(How.POWER_CUT)),
    (int(Signal.NETWORK_JAMMED), JAMMED, int(How.NETWORK_JAMMED)),
    (int(Signal.MOCK_POSITION), SPOOFED, int(How.MOCK_POSITION)),
)
"""Signals that begin a violation of a device rule: which rule, and how it is said to begin."""

BY_CHARGE: Final = int(EndedBy.CHARGED)
BY_PERSON: Final = int(EndedBy.INSPECTED)
BY_REPORT: Final = int(EndedBy.REPORTED)
BY_FIX: Final = int(EndedBy.LOCATED)
STRAP_OK: Final = int(Doubt.STRAP_OK)


@inner
def _begin(law: Law, wearer: int, rule: int, how: int, at_ms: int) -> None:
    """Open a device violation, or count one more report of it."""
    number = number_of_device(law, wearer, rule)
    slot = law.slots[number]
    if slot.open == 0:
        open_device(law, wearer, number, how, at_ms)
    slot.fixes += 1
    slot.last_ms = at_ms


@inner
def _end(law: Law, wearer: int, how: int, ended_by: int, at_ms: int) -> None:
    """Note the end of a device violation that is open."""
    number = number_of_device(law, wearer, how)
    if law.slots[number].open == 1:
        end_device(law, wearer, number, ended_by, at_ms)


@inner
def read_signals(law: Law, wearer: int, signals: int, at_ms: int) -> None:
    """Every signal of a report speaks for itself: a low battery hides no cut strap."""
    if signals & SAYS_INSPECTED:
        for how in (STRAP_CUT, CASE_OPEN, POWER_OFF, SPOOFED):
            _end(law, wearer, how, BY_PERSON, at_ms)
    if signals & SAYS_CHARGING:
        for how in (BATTERY_LOW, BATTERY_CRITICAL):
            _end(law, wearer, how, BY_CHARGE, at_ms)
    for bit, rule, how in BEGUN_BY:
        if signals & bit:
            _begin(law, wearer, rule, how, at_ms)
    if signals & SAYS_STRAP_OK:
        # A strap that is cut and taped says so too: noted, never believed.
        cut = law.slots[number_of_device(law, wearer, STRAP_CUT)]
        if cut.open == 1:
            cut.doubts |= STRAP_OK


@inner
def hear(law: Law, wearer: int, at_ms: int, located: bool) -> None:
    """A report came, with or without a position: silence ends, and perhaps `no_fix`."""
    me = law.wearers[wearer]
    _end(law, wearer, SILENCE, BY_REPORT, at_ms)
    if me.located_ms == NEVER:
        me.located_ms = at_ms
    if located:
        _end(law, wearer, NO_FIX, BY_FIX, at_ms)
        me.located_ms = at_ms
    me.heard_ms = at_ms
    if not located and at_ms >= no_fix_due_ms(law, wearer):
        open_device(law, wearer, number_of_device(law, wearer, NO_FIX), NO_FIX, at_ms)


@inner
def hear_satellites(law: Law, wearer: int, signals: int, at_ms: int) -> None:
    """A satellite fix without a word of jamming: it is over."""
    if signals & SAYS_JAMMED == 0:
        _end(law, wearer, JAMMED, BY_FIX, at_ms)


@inner
def silence_due_ms(law: Law, wearer: int) -> int:
    """When silence becomes a violation if nothing is heard; `NEVER_MS` if it is one already."""
    heard_ms = law.wearers[wearer].heard_ms
    if heard_ms == NEVER or law.slots[number_of_device(law, wearer, SILENCE)].open == 1:
        return NEVER_MS
    return int(heard_ms + law.limits.silence_ms)


@inner
def no_fix_due_ms(law: Law, wearer: int) -> int:
    """When reports without a position become a violation if they go on as they are."""
    me = law.wearers[wearer]
    if me.heard_ms <= me.located_ms:
        return NEVER_MS
    if law.slots[number_of_device(law, wearer, NO_FIX)].open == 1:
        return NEVER_MS
    return int(max(me.located_ms + law.limits.no_fix_ms, me.heard_ms))
