"""A trail for the map and for the table that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.desk.kit.clock import to_ms
from ringfence.desk.kit.words import clock_time, london_exact, metres, span
from ringfence.desk.monitoring.queries import TrailPoint

GAP = timedelta(minutes=5)
"""The Ministry's map calls as much "missing data" and dots the line."""
SOURCES = {
    "gnss": "satellite",
    "wifi": "wireless network",
    "cell": "phone mast",
    "rf": "home beacon",
    "unknown": "not said",
}


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One report, and how long nothing was known before it."""

    point: TrailPoint
    source: str
    gap_before: str
    """“23 min” where more than five minutes lie between this fix and the one before; else empty."""
    late: str
    """How long after the fact it was received, where that is more than five minutes."""
    mark: str
    doubts: tuple[str, ...]


def trail_rows(
    points: Sequence[TrailPoint], marks: Mapping[datetime, str] | None = None
) -> list[TrailRow]:
    """Rows in order of time. `marks` names the fixes that carried a decision, by their instant."""
    rows: list[TrailRow] = []
    before: datetime | None = None
    for point in points:
        gap = point.at - before if before and point.lat is not None else timedelta()
        delay = point.received_at - point.at
        rows.append(
            TrailRow(
                point=point,
                source=SOURCES.get(point.source, point.source),
                gap_before=span(gap.total_seconds()) if gap > GAP else "",
                late=span(delay.total_seconds()) if delay > GAP else "",
                mark=(marks or {}).get(point.at, ""),
                doubts=doubts_of(point),
            )
        )
        if point.lat is not None:
            before = point.at
    return rows


def doubts_of(point: TrailPoint) -> tuple[str, ...]:
    """Why a fix is believed less, or not at all; plain words."""
    if point.judged:
        return point.doubts
    return (*point.doubts, "Not judged: dated from the future, or unreadable to the engine")


def trail_json(
    points: Sequence[TrailPoint], marks: Mapping[datetime, str] | None = None
) -> dict[str, Any]:
    """The located reports for the map's JavaScript (`frontend/js/map/trail.js`)."""
    return {"fixes": [_fix(row) for row in trail_rows(points, marks) if row.point.lat is not None]}


def _fix(row: TrailRow) -> dict[str, Any]:
    point = row.point
    return {
        "time_ms": to_ms(point.at),
        "at": london_exact(point.at),
        "lat": point.lat,
        "lon": point.lon,
        "accuracy_m": point.accuracy_m,
        "doubts": list(row.doubts),
        "text": f"{row.source}, circle {metres(point.accuracy_m)}",
        "mark": "deciding" if row.mark else "",
        "mark_text": f"{row.mark} {clock_time(point.at)}" if row.mark else "",
    }
