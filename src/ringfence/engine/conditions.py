"""Orders' enforceable rules as frozen values, validated at birth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ringfence.geo.shapes import Shape, ShapeError, parse_shape

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class ConditionError(ValueError):
    """A condition that can't be judged; the text names the field and says what to do."""


class Kind(StrEnum):
    """What a condition asks of a wearer."""

    EXCLUSION = "exclusion"
    INCLUSION = "inclusion"
    RESTRICTION = "restriction"
    CURFEW = "curfew"
    ATTENDANCE = "attendance"
    PROXIMITY = "proximity"
    TRAIL = "trail"


KEEP_IN = frozenset({Kind.INCLUSION, Kind.RESTRICTION, Kind.CURFEW, Kind.ATTENDANCE})
"""Kinds that are broken outside the zone; an exclusion is broken inside."""
ZONED = KEEP_IN | {Kind.EXCLUSION}


@dataclass(frozen=True, slots=True)
class Weekly:
    """A weekly time in the condition's own time zone; `end` ≤ `start` runs past midnight."""

    days: tuple[str, ...]
    start: time
    end: time

    def __post_init__(self) -> None:
        if not self.days:
            raise ConditionError("when: no days: list at least one of " + ", ".join(DAYS))
        for day in self.days:
            if day not in DAYS:
                raise ConditionError(f"when: day {day!r} is none of " + ", ".join(DAYS))
        if self.start.tzinfo or self.end.tzinfo:
            raise ConditionError(
                "when: start and end are local times: give the zone in `timezone`, not in the time"
            )


@dataclass(frozen=True, slots=True)
class Absence:
    """Authorised absence or passage: the condition sleeps between these instants."""

    from_at: datetime
    to_at: datetime
    why: str = ""

    def __post_init__(self) -> None:
        _check_span("except", self.from_at, self.to_at)


@dataclass(frozen=True, slots=True)
class Condition:
    """One version of one enforceable rule.

    `geometry` is a GeoJSON geometry (a dict) or None; a Point has `radius_m`, a LineString has
    `width_m`. Instants are aware UTC. A faulty value raises `ConditionError`, naming the field.
    """

    id: str
    wearer: str
    kind: Kind
    from_at: datetime
    to_at: datetime | None = None
    geometry: dict[str, Any] | None = None
    radius_m: float | None = None
    width_m: float | None = None
    buffer_m: float = 0.0
    """Ring outside an exclusion zone that gives the early warning; other kinds have none."""
    when: tuple[Weekly, ...] = ()
    """Empty = always."""
    absences: tuple[Absence, ...] = ()
    timezone: str = "Europe/London"
    victim: str | None = None
    distance_m: float | None = None
    except_places: tuple[dict[str, Any], ...] = ()
    """Of a proximity: GeoJSON geometries, as above, with `radius_m` or `width_m` among their
    members; while the wearer is in one of them, nearness is not judged."""
    version: int = 1
    """Versions of one id follow each other in time; each is judged between its own instants."""
    extra: dict[str, Any] = field(default_factory=dict, compare=False)
    shape: Shape | None = field(init=False, compare=False, repr=False, default=None)
    """`geometry`, read and checked."""
    places: tuple[Shape, ...] = field(init=False, compare=False, repr=False, default=())
    """`except_places`, read and checked."""

    def __post_init__(self) -> None:
        if not self.id:
            raise ConditionError("id: empty: give every condition an id of its own")
        if not self.wearer:
            raise ConditionError("wearer: empty: say whose condition this is")
        _check_kind(self)
        _check_span("from", self.from_at, self.to_at)
        _check_timezone(self.timezone)
        if not (isfinite(self.buffer_m) and self.buffer_m >= 0):
            raise ConditionError(f"buffer_m: {self.buffer_m} is not a width: give 0 or more metres")
        if self.kind in ZONED:
            object.__setattr__(self, "shape", _read_shape(self))
        if self.kind is Kind.PROXIMITY:
            object.__setattr__(self, "places", _read_places(self))


def _check_kind(condition: Condition) -> None:
    try:
        kind = Kind(condition.kind)
    except ValueError:
        raise ConditionError(f"kind: {condition.kind!r} is none of " + ", ".join(Kind)) from None
    object.__setattr__(condition, "kind", kind)
    if kind is Kind.PROXIMITY:
        _check_proximity(condition)
    elif condition.except_places:
        raise ConditionError(
            f"except_places: only a proximity has them, not {kind}: cut a hole into the zone"
        )


def _check_proximity(condition: Condition) -> None:
    if not (condition.victim and condition.distance_m):
        raise ConditionError("victim, distance_m: a proximity needs both: whose device, how near")
    if not (isfinite(condition.distance_m) and condition.distance_m > 0):
        raise ConditionError(
            f"distance_m: {condition.distance_m} is not a distance: give more than 0 metres"
        )
    if condition.victim == condition.wearer:
        raise ConditionError("victim: the wearer's own device: give the victim's")


def _check_span(name: str, from_at: datetime, to_at: datetime | None) -> None:
    for at in (from_at, to_at):
        if at is not None and at.utcoffset() is None:
            raise ConditionError(f"{name}: {at.isoformat()} has no offset: write Z or +01:00")
    if to_at is not None and from_at >= to_at:
        raise ConditionError(
            f"{name}: {from_at.isoformat()} is not before {to_at.isoformat()}: swap or correct them"
        )


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name or "")
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        shown = repr(name) if name else "absent"
        raise ConditionError(
            f"timezone: {shown} is not a zone we know: use a name such as Europe/London"
        ) from None


def _read_shape(condition: Condition) -> Shape:
    if condition.geometry is None:
        raise ConditionError(f"geometry: absent: {condition.kind} needs a zone: draw one")
    try:
        return parse_shape(
            condition.geometry, radius_m=condition.radius_m, width_m=condition.width_m
        )
    except ShapeError as error:
        raise ConditionError(f"geometry: {error}") from error


def _read_places(condition: Condition) -> tuple[Shape, ...]:
    shapes = []
    for number, place in enumerate(condition.except_places, 1):
        if not isinstance(place, dict):
            raise ConditionError(f"except_places {number}: not a GeoJSON geometry: draw one")
        sizes = {name: place.get(name) for name in ("radius_m", "width_m")}
        bare = {name: value for name, value in place.items() if name not in sizes}
        try:
            shapes.append(parse_shape(bare, radius_m=sizes["radius_m"], width_m=sizes["width_m"]))
        except ShapeError as error:
            raise ConditionError(f"except_places {number}: {error}") from error
    return tuple(shapes)
