"""A version row and the engine's frozen condition say the same; this turns one into the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

from ringfence.desk.cases.models import ConditionVersion
from ringfence.engine.conditions import Absence, Condition, Kind, Weekly


def columns_of(condition: Condition) -> dict[str, Any]:
    """What a `ConditionVersion` row keeps of an engine condition."""
    return {
        "from_at": condition.from_at,
        "to_at": condition.to_at,
        "geometry": condition.geometry,
        "radius_m": condition.radius_m,
        "width_m": condition.width_m,
        "buffer_m": condition.buffer_m,
        "when": [
            {"days": list(w.days), "start": _clock(w.start), "end": _clock(w.end)}
            for w in condition.when
        ],
        "absences": [
            {"from": _instant(a.from_at), "to": _instant(a.to_at), "why": a.why}
            for a in condition.absences
        ],
        "timezone": condition.timezone,
        "distance_m": condition.distance_m,
        "except_places": list(condition.except_places),
    }


def condition_of(row: ConditionVersion, until_at: datetime | None = None) -> Condition | None:
    """The engine condition that `row` holds between its `effective_at` and `until_at`.

    Args:
        row: with `condition`, `condition__order__wearer` and `condition__victim` at hand.
        until_at: when the next version takes over; None = it has no successor.

    Returns:
        None where nothing is left of it: it had ended, or not begun, by then.
    """
    parent = row.condition
    from_at = max(row.from_at, row.effective_at)
    to_at = min((t for t in (row.to_at, until_at) if t is not None), default=None)
    if to_at is not None and to_at <= from_at:
        return None
    return Condition(
        id=parent.key,
        wearer=parent.order.wearer.crn,
        kind=Kind(parent.kind),
        from_at=from_at,
        to_at=to_at,
        geometry=row.geometry,
        radius_m=row.radius_m,
        width_m=row.width_m,
        buffer_m=row.buffer_m,
        when=tuple(_weekly(w) for w in row.when),
        absences=tuple(_absence(a) for a in row.absences),
        timezone=row.timezone,
        victim=parent.victim.label if parent.victim else None,
        distance_m=row.distance_m,
        except_places=tuple(row.except_places),
        version=row.version,
    )


def same_rule(a: Condition, b: Condition) -> bool:
    """Whether two conditions say the same, whatever their version numbers."""
    return replace(a, version=1) == replace(b, version=1)


def _clock(at: time) -> str:
    return at.isoformat("minutes" if at.second == 0 else "seconds")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _weekly(said: dict[str, Any]) -> Weekly:
    return Weekly(
        tuple(said["days"]), time.fromisoformat(said["start"]), time.fromisoformat(said["end"])
    )


def _absence(said: dict[str, Any]) -> Absence:
    return Absence(
        datetime.fromisoformat(said["from"]), datetime.fromisoformat(said["to"]), said["why"]
    )
