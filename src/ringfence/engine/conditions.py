"""Orders' enforceable rules as frozen values, validated at birth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a condition asks of a wearer."""

    EXCLUSION = "exclusion"
    INCLUSION = "inclusion"
    RESTRICTION = "restriction"
    CURFEW = "curfew"
    ATTENDANCE = "attendance"
    PROXIMITY = "proximity"
    TRAIL = "trail"


@dataclass(frozen=True, slots=True)
class Weekly:
    """A weekly time in the condition's own time zone; `end` ≤ `start` runs past midnight."""

    days: tuple[str, ...]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Absence:
    """Authorised absence or passage: the condition sleeps between these instants."""

    from_at: datetime
    to_at: datetime
    why: str = ""


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
    when: tuple[Weekly, ...] = ()
    """Empty = always."""
    absences: tuple[Absence, ...] = ()
    timezone: str = "Europe/London"
    victim: str | None = None
    distance_m: float | None = None
    version: int = 1
    """Versions of one id follow each other in time; each is judged between its own instants."""
    extra: dict[str, Any] = field(default_factory=dict, compare=False)


class ConditionError(ValueError):
    """A condition that can't be judged; the text names the field and says what to do."""
