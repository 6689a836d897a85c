"""Conditions compiled to arrays for the kernel: one row per wearer and rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringfence.engine.conditions import KEEP_IN, Condition, ConditionError, Kind
from ringfence.engine.profiles import STANDARD, Profile
from ringfence.engine.schedule import in_force_spans, to_ms
from ringfence.engine.words import DEVICE_KIND, DEVICE_RULES, FIRST_DEVICE, How
from ringfence.geo.edges import build_edge_table
from ringfence.geo.metric import LAT_M_MIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

EXCLUSION: Final = 0
KEEP_INSIDE: Final = 1
ATTENDANCE: Final = 2
RING: Final = 3
DEVICE: Final = 4

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
    ],
    align=True,
)
"""One rule of one wearer; `condition` = -1 for device rules, `zone` counts in the edge table."""


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
    edges: tuple[NDArray[np.void], NDArray[np.float64], NDArray[np.int64]]


class RuleName(NamedTuple):
    """What names a rule of a wearer in every plan."""

    condition: str | None
    """None for a rule about the tag."""
    version: int
    kind: str
    role: int
    """For a rule about the tag, its `How`."""


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

    def index_of(self, wearer: str) -> int:
        """Where a wearer stands in `wearers`; -1 = not in this plan."""
        at = int(np.searchsorted(np.asarray(self.wearers, dtype=object), wearer))
        return at if at < len(self.wearers) and self.wearers[at] == wearer else -1

    def slots_of(self, wearer: int) -> range:
        """The rows of a wearer's rules."""
        first = self.rules.first_slot
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
        ConditionError: two conditions share id and version, or a kind can't be judged yet.
    """
    ordered = sorted(conditions, key=lambda c: (c.wearer, c.id, c.version))
    _refuse(ordered)
    people = tuple(sorted({*wearers, *(c.wearer for c in ordered)}))
    rows, first_slot, spans = _lay_out(ordered, people, (start_at, end_at))
    table = build_edge_table([c.shape for c in ordered if c.shape is not None])
    # Geometry alone needs to know only on which side a fix lies.
    margin_m = 0.0 if profile.geometric else MARGIN_M
    boxes = _boxes(rows, table.shapes, margin_m)
    rules = Rules(first_slot, rows, boxes, spans, table.arrays())
    return Plan(people, tuple(ordered), profile, to_ms(start_at), to_ms(end_at), rules)


def rule_name(plan: Plan, number: int) -> RuleName:
    """The name of rule `number` of a plan."""
    rule = plan.rules.rows[number]
    if rule.role == DEVICE:
        which = FIRST_DEVICE + number - (plan.slots_of(int(rule.wearer)).stop - DEVICE_RULES)
        return RuleName(None, 0, DEVICE_KIND[How(which)], which)
    condition = plan.conditions[int(rule.condition)]
    return RuleName(condition.id, condition.version, str(condition.kind), int(rule.role))


def _refuse(ordered: list[Condition]) -> None:
    seen: set[tuple[str, str, int]] = set()
    for condition in ordered:
        if condition.kind is Kind.PROXIMITY:
            raise ConditionError(
                f"condition {condition.id!r}: proximity can't be judged by this version: "
                "leave it out, or draw an exclusion zone"
            )
        name = (condition.wearer, condition.id, condition.version)
        if name in seen:
            raise ConditionError(
                f"condition {condition.id!r} stands twice as version {condition.version}: "
                "give each its own id, or the later one the next version"
            )
        seen.add(name)


def _lay_out(
    ordered: list[Condition], people: tuple[str, ...], horizon: tuple[datetime, datetime]
) -> tuple[np.recarray, NDArray[np.int64], NDArray[np.int64]]:
    """Rows of rules wearer by wearer, where each wearer's begin, and all spans."""
    numbers = {person: i for i, person in enumerate(people)}
    laid: list[list[tuple[int, int, float, int, int, int, int]]] = [[] for _ in people]
    spans: list[tuple[int, int, bool]] = []
    shape = 0
    for number, condition in enumerate(ordered):
        if condition.shape is None:
            continue
        first = len(spans)
        spans.extend(in_force_spans(condition, *horizon))
        wearer = numbers[condition.wearer]
        for role in _roles(condition):
            buffer_m = condition.buffer_m if role == RING else 0.0
            laid[wearer].append((first, len(spans), buffer_m, role, shape, number, wearer))
        shape += 1
    for wearer, rules in enumerate(laid):
        rules.extend([(0, 0, 0.0, DEVICE, -1, -1, wearer)] * DEVICE_RULES)
    first_slot = np.concatenate([[0], np.cumsum([len(rules) for rules in laid])]).astype(np.int64)
    rows = np.array([row for rules in laid for row in rules], RULE_ROW).view(np.recarray)
    return rows, first_slot, np.array(spans, np.int64).reshape(-1, 3)


def _roles(condition: Condition) -> tuple[int, ...]:
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
