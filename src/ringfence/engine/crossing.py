"""Two fixes either side of a zone: no fix was inside, yet the way between them led through."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from ringfence.engine import plan, states
from ringfence.engine.belief import probability
from ringfence.engine.compiling import inner
from ringfence.engine.memory import NEVER
from ringfence.engine.profiles import Thresholds
from ringfence.engine.saying import Cause, Law, begin, emit
from ringfence.engine.trust import CELL, Look, believed, flat_m
from ringfence.engine.words import Doubt, EndedBy
from ringfence.geo.compiled import compiled
from ringfence.geo.distance import signed_distance_m
from ringfence.geo.metric import geodesic_m

EXCLUSION: Final = plan.EXCLUSION
CROSSING: Final = int(Doubt.CROSSING)
LEFT: Final = int(EndedBy.LEFT)
CROSSED: Final = 0.6
"""How probable a straight way is at most: people go round what they must not enter."""
DEEP: Final = 0.2
"""A way that leads so deep, as a share of its length, is as sure as it can be."""
TURNED: Final = 0.5
"""What is left of it where the wearer was heading another way before."""
STEPS: Final = 256


class Crossing(NamedTuple):
    """A straight way past an edge between two fixes."""

    at_ms: int
    """Of the second fix."""
    entry_ms: int
    deepest_m: float
    probability: float


@compiled
def crossed_probability(deepest_m: float, way_m: float, turned: bool) -> float:
    """How probably a way led past an edge that the straight line between two fixes crosses.

    Calibrated on made-up lives of people who go round (`make bench-quality`): of those who only
    cut a corner few were inside, and of those who had turned fewer still.
    """
    deep = min(1.0, deepest_m / (DEEP * max(way_m, 1.0)))
    return CROSSED * deep * (TURNED if turned else 1.0)


@inner
def cross(law: Law, wearer: int, number: int, look: Look) -> None:
    """Say *possible*, once, where the way from the last fix to this one led through a zone.

    To be asked of an exclusion zone that a wearer is clear of.
    """
    me, rule = law.wearers[wearer], law.rows[number]
    if not may_cross(law.limits, me, look):
        return
    row = law.edges[0][rule.zone]
    if max(me.lon, look.lon) < row["west"] or min(me.lon, look.lon) > row["east"]:
        return
    if max(me.lat, look.lat) < row["south"] or min(me.lat, look.lat) > row["north"]:
        return
    entry, deepest_m = trace(law, rule.zone, me, look)
    entry_ms = me.fix_ms + int(entry * (look.time_ms - me.fix_ms))
    if entry < 0.0 or entry_ms < law.spans[law.cursors[number], 0]:
        return
    way_m = flat_m(look.east, look.lon - me.lon, look.lat - me.lat)
    p = crossed_probability(deepest_m, way_m, look.way.turned)
    say_crossing(law, wearer, number, Crossing(look.time_ms, entry_ms, deepest_m, p))


@inner
def say_crossing(law: Law, wearer: int, number: int, way: Crossing) -> None:
    """Say that a way may have led past the edge, and is out again; if that is possible at all."""
    if way.probability < probability(law.limits.possible):
        return
    slot = law.slots[number]
    slot.run_ms = way.entry_ms
    begin(law, wearer, number, Cause(way.at_ms, False, LEFT))
    slot.probability, slot.depth_m = way.probability, way.deepest_m
    slot.doubts = CROSSING
    emit(law, wearer, number, states.OPEN, way.at_ms)
    slot.ended_by = LEFT
    emit(law, wearer, number, states.END, way.at_ms)
    slot.open, slot.run_ms = 0, NEVER


@inner
def may_cross(limits: Thresholds, me: np.record, look: Look) -> bool:
    """Whether two fixes are sure enough, and near enough in time, for a way to mean anything."""
    elapsed_ms = look.time_ms - me.fix_ms
    if me.fix_ms == NEVER or elapsed_ms <= 0 or elapsed_ms > limits.quiet_ms:
        return False
    by_cell = look.source == CELL or me.source == CELL  # noqa: PLR1714 - numba: types differ
    if by_cell or not believed(look.doubts):
        return False
    way_m = flat_m(look.east, look.lon - me.lon, look.lat - me.lat)
    if way_m < me.radius_m + look.radius_m:
        return False
    return bool(way_m >= limits.moving_mps * elapsed_ms / 1000.0)


@inner
def trace(law: Law, shape: int, me: np.record, look: Look) -> tuple[float, float]:
    """Walk the straight way, each step as long as the zone is far.

    Returns:
        The share of the way at which it enters, and how deep it goes, metres; the share is −1
        where it stays out, or where either end is inside.
    """
    way_m = geodesic_m(me.lon, me.lat, look.lon, look.lat)
    at, entry, deepest_m = 0.0, -1.0, 0.0
    dlon, dlat = look.lon - me.lon, look.lat - me.lat
    if signed_distance_m(law.edges, shape, look.lon, look.lat, 0.0) >= 0.0:
        return -1.0, 0.0
    while at < 1.0:
        lon, lat = me.lon + at * dlon, me.lat + at * dlat
        signed_m = signed_distance_m(law.edges, shape, lon, lat, way_m)
        if signed_m >= 0.0:
            if at == 0.0:
                return -1.0, 0.0
            entry = at if entry < 0.0 else entry
            deepest_m = max(deepest_m, signed_m)
        at += max(abs(signed_m) / way_m, 1.0 / STEPS)
    return entry, deepest_m
