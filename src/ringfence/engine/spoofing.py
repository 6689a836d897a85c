"""Positive evidence that satellite signals are false; a missing signal is never evidence of it."""

from __future__ import annotations

from typing import Final

import numpy as np

from ringfence.engine.compiling import inner
from ringfence.engine.fix import Source
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.saying import Law, end_device, number_of_device, open_device
from ringfence.engine.trust import CELL, IMPOSSIBLE_SPEED, Look, believed, flat_m
from ringfence.engine.words import Doubt, EndedBy, How

GNSS: Final = int(Source.GNSS)
UNKNOWN: Final = int(Source.UNKNOWN)
SPOOFED: Final = int(How.GNSS_SPOOFED)
AGREED: Final = int(EndedBy.AGREED)
TELEPORTED: Final = int(Doubt.TELEPORTED)

TOGETHER_MS: Final = 20_000
"""Fixes no farther apart in time than this may be compared."""
IN_A_ROW: Final = 3
CIRCLES: Final = 3.0
"""So many times both circles, which hold 95 %, are past any error that they speak of …"""
BEYOND_M: Final = 500.0
"""… and so much more, which no tag at rest in the traces was ever off by [M: 321 m]."""
MOVED_MPS: Final = 40.0
"""A road's speed, for the time between the two fixes."""
TELEPORT_MPS: Final = 340.0
"""Faster than any airliner: 252 km/h is only doubted, and this is the speed of sound."""
TELEPORT_M: Final = 10_000.0
SURE_M: Final = 50.0
"""Circles of a teleport are at most this: a fix that is unsure of itself may lie anywhere."""


@inner
def compare_sources(law: Law, wearer: int, look: Look) -> None:
    """Compare a fix with the last one of the other sort, satellite or not, where they are together.

    Each fix is compared once, so that three contradictions are three fixes of either sort.
    """
    me = law.wearers[wearer]
    if look.source == UNKNOWN:
        return
    other_sort = (me.lone_source == GNSS) != (look.source == GNSS)
    together = me.lone_ms != NEVER and look.time_ms - me.lone_ms <= TOGETHER_MS
    if not (other_sort and together):
        me.lone_ms, me.lone_lat, me.lone_lon = look.time_ms, look.lat, look.lon
        me.lone_radius_m, me.lone_source = wide_m(law.limits, look), look.source
        return
    contradicted = contradicts(law.limits, me, look)
    me.lone_ms = NEVER
    if contradicted:
        me.contradicted, me.agreed = min(me.contradicted + 1, 1000), 0
        if me.contradicted >= IN_A_ROW:
            suspect(law, wearer, look.time_ms, 0)
        return
    me.contradicted, me.agreed = 0, min(me.agreed + 1, 1000)
    number = number_of_device(law, wearer, SPOOFED)
    if me.agreed >= IN_A_ROW and law.slots[number].open == 1:
        end_device(law, wearer, number, AGREED, look.time_ms)


@inner
def wide_m(limits: Thresholds, look: Look) -> float:
    """The circle to hold against a satellite fix: a cell's claim is not taken below the usual."""
    if look.source == CELL:
        return float(max(look.radius_m, limits.default_radius_m[CELL]))
    return float(look.radius_m)


@inner
def contradicts(limits: Thresholds, me: np.record, look: Look) -> bool:
    """Whether two fixes of different sorts can't both be near the truth."""
    moved_m = MOVED_MPS * (look.time_ms - me.lone_ms) / 1000.0
    apart_m = flat_m(look.east, look.lon - me.lone_lon, look.lat - me.lone_lat)
    return bool(apart_m - moved_m > CIRCLES * (me.lone_radius_m + wide_m(limits, look)) + BEYOND_M)


@inner
def notice_teleport(law: Law, wearer: int, look: Look) -> None:
    """Two sure satellite fixes, borne out at both ends, farther apart than anything flies."""
    me = law.wearers[wearer]
    if look.source != GNSS or me.source != GNSS or me.steady == 0:
        return
    if me.raw_doubts & IMPOSSIBLE_SPEED == 0 or not believed(look.doubts):
        return
    elapsed_ms = me.raw_ms - me.fix_ms
    way_m = flat_m(look.east, me.raw_lon - me.lon, me.raw_lat - me.lat)
    back = flat_m(look.east, look.lon - me.lon, look.lat - me.lat) <= TELEPORT_M
    if back:
        return
    sure = max(me.radius_m, me.raw_radius_m, look.radius_m) <= SURE_M
    if sure and way_m > TELEPORT_M and way_m > TELEPORT_MPS * elapsed_ms / 1000.0:
        suspect(law, wearer, look.time_ms, TELEPORTED)


@inner
def suspect(law: Law, wearer: int, at_ms: int, doubts: int) -> None:
    """Open the suspicion, or count what bears it out."""
    number = number_of_device(law, wearer, SPOOFED)
    if law.slots[number].open == 0:
        open_device(law, wearer, number, SPOOFED, at_ms)
        law.slots[number].doubts = doubts
    law.slots[number].fixes += 1
    law.slots[number].last_ms = at_ms
