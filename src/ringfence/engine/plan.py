"""Conditions compiled to arrays for the kernel: one row per wearer and rule."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.engine.conditions import KEEP_IN, Condition, ConditionError, Kind
from ringfence.engine.fix import victim_number
from ringfence.engine.profiles import STANDARD, Profile
from ringfence.engine.schedule import in_force_spans, to_ms
from ringfence.engine.words import DEVICE_KIND, DEVICE_RULES, FIRST_DEVICE, How
from ringfence.geo.edges import build_edge_table
from ringfence.geo.metric import LAT_M_MIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from ringfence.geo.edges import Arrays
    from ringfence.geo.shapes import Shape

EXCLUSION: Final = 0
KEEP_INSIDE: Final = 1
ATTENDANCE: Final = 2
RING: Final = 3
DEVICE: Final = 4
NEAR: Final = 5
"""From here on rules are about a pair: how far the wearer is from a victim's device."""
NEAR_RING: Final = 6

MARGIN_M: Final = 1_000.0
"""So far from a zone, belief is at its floor and a fix changes nothing: the kernel skips it."""

RULE_ROW: Final = np.dtype(
    [
        ("first_span", np.int64),
        ("spans_end", np.int64),
        ("buffer_m", np.float64),
        ("role", np.int32),
        ("zone", np.int32),
        ("condition", np.int32),
        ("wearer", np.int32),
        ("pair", np.int32),
        ("places", np.int32),
    ],
    align=True,
)
"""One rule of one wearer; `condition` = -1 for device rules, `zone` counts in the edge table. Of a
proximity: `buffer_m` is its distance, `pair` its row among the pairs, `zone` the first of so many
`places` in which it is not judged."""


class Rules(NamedTuple):
    """The plan as the kernel reads it."""

    first_slot: NDArray[np.int64]
    """(wearers + 1): a wearer's rules are rows `first_slot[w]` to `first_slot[w + 1]`; the last
    `DEVICE_RULES` of them are about the tag."""
    rows: np.recarray
    boxes: NDArray[np.float64]
    """(rules, 4): west, south, east, north, degrees; outside it a settled rule is skipped."""
    spans: NDArray[np.int64]
    """(spans, 3): start and end, UTC ms, and 1 where an authorised absence ends it."""
    edges: Arrays
    first_pair: NDArray[np.int64]
    """(wearers + 1): a wearer's pairs are rows `first_pair[w]` to `first_pair[w + 1]`."""
    pair_victim: NDArray[np.int32]
    """(pairs,): the `victim_number` of the device that a pair's wearer is to keep away from."""


class RuleName(NamedTuple):
    """What names a rule of a wearer in every plan."""

    condition: str | None
    """None for a rule about the tag."""
    version: int
    kind: str
    role: int
    """For a rule about the tag, its `How`."""
    reach_m: float = 0.0
    """Of a proximity: how near is too near; for its ring twice that."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is judged by what, between which instants, by which profile."""

    wearers: tuple[str, ...]
    """Sorted; `Batch.wearer` counts in it."""
    conditions: tuple[Condition, ...]
    profile: Profile
    start_ms: int
    end_ms: int
    rules: Rules
    heads: dict[int, bytes] = field(default_factory=dict, compare=False, repr=False)
    """What `State.to_bytes` writes before a wearer's rows, kept once it is made."""

    def index_of(self, wearer: str) -> int:
        """Where a wearer stands in `wearers`; -1 = not in this plan."""
        at = bisect_left(self.wearers, wearer)
        return at if at < len(self.wearers) and self.wearers[at] == wearer else -1

    def slots_of(self, wearer: int) -> range:
        """The rows of a wearer's rules."""
        first = self.rules.first_slot
        return range(int(first[wearer]), int(first[wearer + 1]))

    def pairs_of(self, wearer: int) -> range:
        """The rows of a wearer's pairs with victims' devices."""
        first = self.rules.first_pair
        return range(int(first[wearer]), int(first[wearer + 1]))


def compile_plan(
    conditions: Iterable[Condition],
    profile: Profile = STANDARD,
    *,
    start_at: datetime,
    end_at: datetime,
    wearers: Sequence[str] = (),
) -> Plan:
    """Compile conditions for judging items between two instants.

    The horizon only has to cover the items and the clock: its choice changes no judgement.

    Args:
        conditions: any number of people's, several versions of one id included.
        profile: the thresholds to judge by.
        start_at: aware; items before it are not judged.
        end_at: aware; items and clocks after it are not judged.
        wearers: more people, without a condition, whose tags are watched all the same.

    Raises:
        ConditionError: two conditions share id and version.
    """
    ordered = sorted(conditions, key=lambda c: (c.wearer, c.id, c.version))
    _refuse(ordered)
    people = tuple(sorted({*wearers, *(c.wearer for c in ordered)}))
    first_pair, pair_victim = _pairs(ordered, people)
    pairs = (first_pair, pair_victim)
    rows, first_slot, spans, shapes = _lay_out(ordered, people, (start_at, end_at), pairs)
    table = build_edge_table(shapes)
    # Geometry alone needs to know only on which side a fix lies.
    margin_m = 0.0 if profile.geometric else MARGIN_M
    boxes = _boxes(rows, table.shapes, margin_m)
    rules = Rules(first_slot, rows, boxes, spans, table.arrays(), first_pair, pair_victim)
    return Plan(people, tuple(ordered), profile, to_ms(start_at), to_ms(end_at), rules)


def rule_name(plan: Plan, number: int) -> RuleName:
    """The name of rule `number` of a plan."""
    rule = plan.rules.rows[number]
    if rule.role == DEVICE:
        which = FIRST_DEVICE + number - (plan.slots_of(int(rule.wearer)).stop - DEVICE_RULES)
        return RuleName(None, 0, DEVICE_KIND[How(which)], which)
    condition = plan.conditions[int(rule.condition)]
    reach_m = float(condition.distance_m or 0.0) * {NEAR: 1, NEAR_RING: 2}.get(rule.role, 0)
    kind = str(condition.kind)
    return RuleName(condition.id, condition.version, kind, int(rule.role), reach_m)


def _refuse(ordered: list[Condition]) -> None:
    seen: set[tuple[str, str, int]] = set()
    for condition in ordered:
        name = (condition.wearer, condition.id, condition.version)
        if name in seen:
            raise ConditionError(
                f"condition {condition.id!r} stands twice as version {condition.version}: "
                "give each its own id, or the later one the next version"
            )
        seen.add(name)


def _pairs(
    ordered: list[Condition], people: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Where each wearer's pairs begin, and each pair's victim, in the order of their numbers."""
    named: dict[int, str] = {}
    kept_away: dict[str, set[int]] = {person: set() for person in people}
    for condition in ordered:
        if condition.victim is None or condition.kind is not Kind.PROXIMITY:
            continue
        number = victim_number(condition.victim)
        if named.setdefault(number, condition.victim) != condition.victim:
            raise ConditionError(
                f"condition {condition.id!r}: victim: {condition.victim!r} and {named[number]!r} "
                "have the same number (a chance of one in two billion): rename one of them"
            )
        kept_away[condition.wearer].add(number)
    victims = [sorted(kept_away[person]) for person in people]
    first_pair = np.concatenate([[0], np.cumsum([len(v) for v in victims])]).astype(np.int64)
    return first_pair, np.array([n for numbers in victims for n in numbers], np.int32)


def _lay_out(
    ordered: list[Condition],
    people: tuple[str, ...],
    horizon: tuple[datetime, datetime],
    pairs: tuple[NDArray[np.int64], NDArray[np.int32]],
) -> tuple[np.recarray, NDArray[np.int64], NDArray[np.int64], list[Shape]]:
    """Rows of rules wearer by wearer, where each wearer's begin, all spans, all shapes."""
    numbers = {person: i for i, person in enumerate(people)}
    laid: list[list[tuple[int | float, ...]]] = [[] for _ in people]
    spans: list[tuple[int, int, bool]] = []
    shapes: list[Shape] = []
    for number, condition in enumerate(ordered):
        if condition.kind is Kind.TRAIL:
            continue
        first = len(spans)
        spans.extend(in_force_spans(condition, *horizon))
        wearer = numbers[condition.wearer]
        pair = _pair_of(condition, wearer, pairs)
        for role in _roles(condition):
            within = (first, len(spans), _band_m(condition, role), role)
            laid[wearer].append((*within, len(shapes), number, wearer, pair, len(condition.places)))
        shapes.extend(condition.places if condition.shape is None else [condition.shape])
    for wearer, rules in enumerate(laid):
        rules.extend([(0, 0, 0.0, DEVICE, -1, -1, wearer, -1, 0)] * DEVICE_RULES)
    first_slot = np.concatenate([[0], np.cumsum([len(rules) for rules in laid])]).astype(np.int64)
    rows = np.array([row for rules in laid for row in rules], RULE_ROW).view(np.recarray)
    return rows, first_slot, np.array(spans, np.int64).reshape(-1, 3), shapes


def _pair_of(
    condition: Condition, wearer: int, pairs: tuple[NDArray[np.int64], NDArray[np.int32]]
) -> int:
    """The row of a proximity's pair; −1 for other kinds."""
    if condition.kind is not Kind.PROXIMITY or condition.victim is None:
        return -1
    first_pair, pair_victim = pairs
    mine = pair_victim[first_pair[wearer] : first_pair[wearer + 1]]
    return int(first_pair[wearer] + np.searchsorted(mine, victim_number(condition.victim)))


def _band_m(condition: Condition, role: int) -> float:
    """How wide the band is in which a rule is broken, from its edge inwards."""
    if role in (NEAR, NEAR_RING):
        return condition.distance_m or 0.0
    return condition.buffer_m if role == RING else 0.0


def _roles(condition: Condition) -> tuple[int, ...]:
    if condition.kind is Kind.PROXIMITY:
        return (NEAR, NEAR_RING)
    if condition.kind is Kind.ATTENDANCE:
        return (ATTENDANCE,)
    if condition.kind in KEEP_IN:
        return (KEEP_INSIDE,)
    return (EXCLUSION, RING) if condition.buffer_m > 0 else (EXCLUSION,)


def _boxes(rows: np.recarray, shapes: NDArray[np.void], margin_m: float) -> NDArray[np.float64]:
    """Each rule's box with its margin; the whole world for rules that ask to be inside."""
    boxes = np.empty((len(rows), 4))
    boxes[:] = (-np.inf, -np.inf, np.inf, np.inf)
    skippable = np.flatnonzero((rows.role == EXCLUSION) | (rows.role == RING))
    shape = shapes[rows.zone[skippable]] if len(skippable) else shapes[:0]
    reach_m = margin_m + rows.buffer_m[skippable]
    # `lon_per_m` is never too few degrees, so the box is never too small.
    side, up = reach_m * shape["lon_per_m"], reach_m / LAT_M_MIN
    boxes[skippable, 0], boxes[skippable, 2] = shape["west"] - side, shape["east"] + side
    boxes[skippable, 1], boxes[skippable, 3] = shape["south"] - up, shape["north"] + up
    return boxes
