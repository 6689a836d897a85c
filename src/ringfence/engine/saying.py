"""What is said when a state changes: a violation opens, is confirmed, ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.belief import probability
from ringfence.engine.compiling import inner
from ringfence.engine.memory import FROZEN_AFTER, MOST_IN_ROW, NEVER
from ringfence.engine.track import SIGMAS_IN_CIRCLE
from ringfence.engine.words import DEVICE_RULES, FIRST_DEVICE, Doubt, EndedBy, How
from ringfence.geo.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.engine.profiles import Thresholds
    from ringfence.geo.edges import Arrays

ENTERED: Final = int(How.ENTERED)
LEFT: Final = int(How.LEFT)
PRESENT_AT_START: Final = int(How.PRESENT_AT_START)
ABSENT_AT_START: Final = int(How.ABSENT_AT_START)
ABSENT: Final = int(How.ABSENT)
LATE: Final = int(How.LATE)
APPROACHED: Final = int(How.APPROACHED)
CLEARED: Final = int(EndedBy.CLEARED)
CONDITION_ENDED: Final = int(EndedBy.CONDITION_ENDED)
AUTHORISED: Final = int(EndedBy.AUTHORISED)
BEFORE_GAP: Final = int(Doubt.BEFORE_GAP)
FIRST_KNOWN: Final = int(Doubt.FIRST_KNOWN)
BATTERY_FLAT: Final = int(Doubt.BATTERY_FLAT)
SWITCHED_OFF: Final = int(Doubt.SWITCHED_OFF)
FROZEN: Final = int(Doubt.FROZEN)
BATTERY_CRITICAL: Final = int(How.BATTERY_CRITICAL)
POWER_OFF: Final = int(How.POWER_OFF)
SILENCE: Final = int(How.SILENCE)
NO_FIX: Final = int(How.NO_FIX)
EXCLUSION: Final = plan.EXCLUSION
ATTENDANCE: Final = plan.ATTENDANCE
RING: Final = plan.RING
NEAR: Final = plan.NEAR
NEAR_RING: Final = plan.NEAR_RING


class Law(NamedTuple):
    """All that the kernel reads and writes: the plan, the thresholds, the state, the events."""

    first_slot: NDArray[np.int64]
    """This and the next six are `plan.Rules`, read only."""
    rows: np.recarray
    boxes: NDArray[np.float64]
    spans: NDArray[np.int64]
    edges: Arrays
    first_pair: NDArray[np.int64]
    pair_victim: NDArray[np.int32]
    limits: Thresholds
    wearers: np.recarray
    slots: np.recarray
    pairs: np.recarray
    cursors: NDArray[np.int64]
    """(slots,): the span that a rule is in, or the next one it will be in."""
    wake_ms: NDArray[np.int64]
    events: np.recarray
    said: NDArray[np.int64]
    """(1,): how many of `events` are written."""
    sure: NDArray[np.float64]
    """(2, 5): what far on either side of an edge says, see `far`."""


class Cause(NamedTuple):
    """Why a step is taken."""

    at_ms: int
    starting: bool
    """The rule comes into force at this instant."""
    ended_by: int
    """What to say if a violation ends."""


@inner
def emit(law: Law, wearer: int, slot_number: int, act: int, at_ms: int) -> None:
    """Write one event with the violation as it stands. The caller has made sure of room."""
    slot = law.slots[slot_number]
    event = law.events[law.said[0]]
    law.said[0] += 1
    event.at_ms, event.slot, event.wearer, event.act = at_ms, slot_number, wearer, act
    event.begin_ms, event.confirmed_ms = slot.begin_ms, slot.confirmed_ms
    event.first_ms, event.confirming_ms = slot.first_ms, slot.confirming_ms
    event.deepest_ms, event.last_ms = slot.deepest_ms, slot.last_ms
    event.probability, event.depth_m, event.radius_m = (
        slot.probability,
        slot.depth_m,
        slot.radius_m,
    )
    event.fixes, event.cell_fixes, event.doubts = slot.fixes, slot.cell_fixes, slot.doubts
    event.how, event.ended_by = slot.how, slot.ended_by
    event.in_row, event.on_way = slot.in_row, slot.on_way
    event.own_m, event.other_m = slot.own_m, slot.other_m
    event.age_s, event.closing_mps = slot.age_s, slot.closing_mps


@compiled
def how_of(role: int, starting: bool, arrived: bool) -> int:
    """How a violation of this role begins."""
    if role in (RING, NEAR_RING):
        return APPROACHED
    if role in (EXCLUSION, NEAR):
        return PRESENT_AT_START if starting else ENTERED
    if role == ATTENDANCE:
        return LEFT if arrived and not starting else LATE
    return ABSENT_AT_START if starting else LEFT


@inner
def begin(law: Law, wearer: int, number: int, cause: Cause) -> None:
    """Open a violation: when it began, how, and the fixes so far."""
    slot, rule, me = law.slots[number], law.rows[number], law.wearers[wearer]
    span_start_ms = law.spans[law.cursors[number], 0]
    run_ms = slot.run_ms if slot.run_ms != NEVER else cause.at_ms
    # A run that began before the rule's time shows a presence at its start.
    starting = cause.starting or run_ms < span_start_ms
    slot.open = 1
    slot.begin_ms = span_start_ms if starting else run_ms
    slot.how = how_of(rule.role, starting, slot.arrived == 1)
    slot.confirmed_ms = NEVER
    slot.confirming_ms = NEVER
    slot.first_ms = run_ms if slot.run_ms != NEVER else me.fix_ms
    slot.deepest_ms = slot.last_ms = me.fix_ms
    slot.fixes = 0 if cause.starting else max(0, slot.run_fixes - 1)
    slot.cell_fixes = 0
    slot.depth_m, slot.radius_m = slot.last_depth_m, me.radius_m
    slot.probability = 0.0
    slot.own_m = slot.other_m = slot.age_s = np.nan
    slot.closing_mps = slot.closing_now_mps
    # `me` does not hold the deciding fix yet: the one that opens is the first of all.
    slot.doubts = FIRST_KNOWN if me.fix_ms == NEVER else 0
    slot.ended_by = slot.in_row = slot.on_way = 0


@inner
def note_decided(law: Law, wearer: int, number: int) -> None:
    """Note what carries a confirmation: how many fixes in a row, and where the way led."""
    slot = law.slots[number]
    slot.in_row = min(slot.run_fixes, MOST_IN_ROW)
    if np.isnan(slot.ahead_m):
        return
    slot.on_way = 1 + slot.strayed
    if law.rows[number].role < NEAR:
        slot.own_m = slot.ahead_m
        slot.other_m = SIGMAS_IN_CIRCLE * np.sqrt(law.wearers[wearer].var_pp)


@inner
def say(law: Law, wearer: int, number: int, act: int, cause: Cause) -> None:
    """Do what the table tells: the violation must be open already."""
    slot = law.slots[number]
    slot.probability = max(slot.probability, probability(slot.log_odds))
    if act == states.CONFIRM:
        slot.confirmed_ms = cause.at_ms
        slot.closing_mps = slot.closing_now_mps
        # A fix that decides is not yet the wearer's last one; a rule that starts decides on that.
        slot.confirming_ms = law.wearers[wearer].fix_ms if cause.starting else cause.at_ms
        if not cause.starting:
            note_decided(law, wearer, number)
    elif act == states.END:
        slot.ended_by = cause.ended_by
        if cause.ended_by <= CLEARED and slot.confirmed_ms == NEVER:
            slot.ended_by = CLEARED
    emit(law, wearer, number, act, cause.at_ms)
    if act == states.END:
        slot.open = 0
        if cause.ended_by not in (CONDITION_ENDED, AUTHORISED):
            slot.run_ms, slot.run_fixes, slot.run_cells, slot.with_it = NEVER, 0, 0, 0


@inner
def step(law: Law, wearer: int, number: int, word: int, cause: Cause) -> None:
    """Move one rule's state by the table, and say what it tells to say."""
    slot = law.slots[number]
    act = states.ACTS[slot.state, word]
    move(slot, word)
    if act == states.NOTHING:
        return
    if slot.open == 0:
        begin(law, wearer, number, cause)
    say(law, wearer, number, act, cause)


@inner
def move(slot: np.record, word: int) -> None:
    """Move a rule's state by the table."""
    slot.state = states.FOLLOWING[slot.state, word]
    if slot.state == states.CLEAR:
        slot.arrived = 1


@inner
def number_of_device(law: Law, wearer: int, how: int) -> int:
    """The row of one device rule of a wearer."""
    return int(law.first_slot[wearer + 1]) - DEVICE_RULES + how - FIRST_DEVICE


@inner
def known_before(law: Law, wearer: int, how: int) -> int:
    """What was known of a tag before its silence, or of its places, and may explain them."""
    if how == NO_FIX:
        return FROZEN if law.wearers[wearer].repeats >= FROZEN_AFTER else 0
    if how != SILENCE:
        return 0
    flat = law.slots[number_of_device(law, wearer, BATTERY_CRITICAL)].open == 1
    power = law.slots[number_of_device(law, wearer, POWER_OFF)]
    off = power.open == 1 and power.how == POWER_OFF
    return (BATTERY_FLAT if flat else 0) | (SWITCHED_OFF if off else 0)


@inner
def open_device(law: Law, wearer: int, number: int, how: int, at_ms: int) -> None:
    """A device rule is broken: at once, from the signal or the deadline alone."""
    slot = law.slots[number]
    slot.open, slot.state = 1, states.CONFIRMED
    slot.how, slot.ended_by = how, 0
    slot.doubts = known_before(law, wearer, how)
    slot.begin_ms = slot.confirmed_ms = at_ms
    heard_ms = law.wearers[wearer].heard_ms
    slot.first_ms = slot.confirming_ms = slot.deepest_ms = slot.last_ms = heard_ms
    slot.fixes = slot.cell_fixes = 0
    slot.probability, slot.depth_m, slot.radius_m = 1.0, np.nan, np.nan
    slot.own_m = slot.other_m = slot.age_s = slot.closing_mps = np.nan
    slot.in_row = slot.on_way = 0
    emit(law, wearer, number, states.CONFIRM, at_ms)


@inner
def end_device(law: Law, wearer: int, number: int, ended_by: int, at_ms: int) -> None:
    """A device rule is kept again."""
    slot = law.slots[number]
    slot.ended_by = ended_by
    emit(law, wearer, number, states.END, at_ms)
    slot.open, slot.state = 0, states.CLEAR
