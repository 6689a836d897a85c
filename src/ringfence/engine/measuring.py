"""How far past a rule's edge a place is, and what is remembered of it for the places after."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.engine import plan
from ringfence.engine.compiling import inner
from ringfence.engine.saying import Law
from ringfence.engine.trust import M_IN_DEGREE, Look
from ringfence.geo.distance import BEYOND_M, signed_distance_m, signed_of
from ringfence.geo.edges import AREA
from ringfence.geo.near import box_gap_m
from ringfence.geo.nearest import none_within, search, spot_at, with_block

if TYPE_CHECKING:
    from ringfence.geo.edges import Arrays

EXCLUSION: Final = plan.EXCLUSION
RING: Final = plan.RING
MARGIN_M: Final = plan.MARGIN_M
AWAY_MOST_M: Final = 20_000.0
"""Steps are measured as on a plane, which is good enough so far …"""
EAST_LEAST: Final = 0.09
"""… and up to latitude 84."""
LONGER: Final = 1.05
"""A step may be so much longer than it measures on that plane …"""
SHORTER: Final = 0.98
"""… and a distance so much shorter than it is."""


class Reading(NamedTuple):
    """A fix measured against a rule."""

    look: Look
    depth_m: float
    """Past the nearest edge; negative = kept."""
    past: bool
    ahead_m: float
    """The same of where the track puts the tag, if the fix carries on its way …"""
    odds: float
    """… and the log-odds of its being past the edge."""


@inner
def reach_of(radius_m: float) -> float:
    """How far from an edge a fix with such a circle is measured."""
    return max(MARGIN_M, 3.0 * radius_m)


@inner
def depth_of(rule: np.record, signed_m: float, reach_m: float) -> float:
    """Metres past the edge of what is allowed; negative = kept, `-BEYOND_M` beyond `reach_m`.

    For a ring, past its outer edge: more than `buffer_m` is in the zone itself, and kept again.
    Past any other edge it is exact, however deep.
    """
    if rule.role == RING:
        reach_m += rule.buffer_m
    told_m = signed_m
    if not abs(signed_m) <= reach_m:
        told_m = BEYOND_M if signed_m >= 0.0 else -BEYOND_M
    if rule.role == RING:
        return float(told_m + rule.buffer_m)
    depth = told_m if rule.role == EXCLUSION else -told_m
    return abs(signed_m) if depth == BEYOND_M else depth


@inner
def past_edge(rule: np.record, depth_m: float) -> bool:
    """Whether a depth is past the edge; the edge itself belongs to the zone, or to the ring."""
    if rule.role == RING:
        return bool(0.0 <= depth_m < rule.buffer_m)
    return depth_m >= 0.0 if rule.role == EXCLUSION else depth_m > 0.0


@inner
def within(slot: np.record, place: tuple[float, float], east: float, spare_m: float) -> bool:
    """Whether a place is surely less than `spare_m` from where a rule was measured last."""
    if not spare_m > 0.0 or east < EAST_LEAST:
        return False
    dx, dy = (place[0] - slot.far_lon) * east, place[1] - slot.far_lat
    step_deg = spare_m / (LONGER * M_IN_DEGREE)
    return bool(dx * dx + dy * dy < step_deg * step_deg)


@inner
def signed_near(
    edges: Arrays, rule: np.record, slot: np.record, place: tuple[float, float], east: float
) -> tuple[float, int]:
    """Signed metres to the edge of a rule's shape, exact however far, and the nearest block.

    What the last measuring tells saves work, and changes no digit: the likeliest block; and the
    side, for who hasn't come as far as the edge was. Beside its box nobody is inside.
    """
    shape, (lon, lat) = edges[0][rule.zone], place
    if shape["form"] != AREA:
        return signed_distance_m(edges, rule.zone, lon, lat, math.inf), -1
    spot, found, side = spot_at(lon, lat), none_within(math.inf, 1), 0
    if 0 <= slot.block < shape["blocks"]:
        found = with_block(edges[1], spot, found, shape["first_block"] + slot.block)
    found = search(edges, rule.zone, spot, found)
    if lon < shape["west"] or lon > shape["east"] or lat < shape["south"] or lat > shape["north"]:
        side = -1
    elif within(slot, place, east, SHORTER * slot.away_m - 1.0):
        side = 1 if slot.inside == 1 else -1
    signed_m = signed_of(edges, rule.zone, place, math.sqrt(found.first2), side)
    return signed_m, found.first - shape["first_block"]


@inner
def measure(edges: Arrays, rule: np.record, slot: np.record, look: Look) -> Reading:
    """Measure a fix against one rule, and note how far the edge is from there.

    Called with no more than it needs, not laid into the kernel's loop: handing over the whole law
    costs as much as measuring, and laying all geometry in doubles the time of an install.
    """
    place, reach_m = (look.lon, look.lat), reach_of(look.radius_m)
    buffer_m = rule.buffer_m if rule.role == RING else 0.0
    signed_m = math.inf
    if rule.role in (EXCLUSION, RING):
        signed_m = -box_gap_m(edges[0][rule.zone], look.lon, look.lat)
    if -signed_m <= LONGER * (reach_m + buffer_m):  # else its box alone is farther than it matters
        signed_m, slot.block = signed_near(edges, rule, slot, place, look.east)
    depth = slot.last_depth_m = depth_of(rule, signed_m, reach_m)
    past = past_edge(rule, depth)
    if rule.role == RING:
        depth = min(depth, rule.buffer_m - depth)  # the nearer of its two edges decides
    slot.far_lon, slot.far_lat, slot.due = look.lon, look.lat, 0
    slot.past, slot.inside = past, signed_m >= 0.0
    slot.away_m = min(abs(signed_m), abs(signed_m + buffer_m), AWAY_MOST_M)
    slot.most_m = 1.001 * slot.last_depth_m + 1.0
    return Reading(look, depth, past, depth, 0.0)


@inner
def depth_at(
    edges: Arrays, rule: np.record, slot: np.record, place: tuple[float, float], east: float
) -> float:
    """Metres past the nearest edge of what is allowed, at a place that is no fix."""
    signed_m, _ = signed_near(edges, rule, slot, place, east)
    if rule.role == EXCLUSION:
        return signed_m
    if rule.role == RING:
        return float(min(signed_m + rule.buffer_m, -signed_m))
    return -signed_m


@inner
def catch_up(law: Law, wearer: int, number: int, fix: tuple[float, float, float]) -> None:
    """Measure what was put off for the last fix (degrees, circle); to be asked where it was."""
    rule, slot, me = law.rows[number], law.slots[number], law.wearers[wearer]
    signed_m, _ = signed_near(law.edges, rule, slot, (fix[0], fix[1]), 1.0)
    slot.last_depth_m = depth_of(rule, signed_m, reach_of(fix[2]))
    slot.due = 0
    if not math.isnan(slot.ahead_m):
        track = (me.track_lon, me.track_lat)
        slot.ahead_m = depth_at(law.edges, rule, slot, track, 1.0)
