"""A trail for the map and for the table that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.desk.kit.clock import to_ms
from ringfence.desk.kit.words import clock_time, london_exact, metres, span
from ringfence.desk.monitoring.doubting import WORDS
from ringfence.desk.monitoring.queries import TrailPoint
from ringfence.engine.words import DISBELIEVED

GAP = timedelta(minutes=5)
"""The Ministry's map calls as much "missing data" and dots the line."""
SOURCES = {
    "gnss": "satellite",
    "wifi": "wireless network",
    "cell": "phone mast",
    "rf": "home beacon",
    "unknown": "not said",
}


DISBELIEVED_WORDS = frozenset(text for doubt, text in WORDS.items() if doubt & DISBELIEVED)


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

    @property
    def believed(self) -> bool:
        """Whether the engine lets it decide anything, so that the trail runs through it."""
        return self.point.judged and DISBELIEVED_WORDS.isdisjoint(self.point.doubts)

    @property
    def remarks(self) -> list[str]:
        """What the table says of it beside its figures, a sentence each."""
        said = [
            f"{self.mark} fix of this alert" if self.mark else "",
            f"Nothing known for {self.gap_before} before this" if self.gap_before else "",
            f"Received {self.late} after the fact" if self.late else "",
            *(signal.replace("_", " ").capitalize() for signal in self.point.signals),
            *(doubt.capitalize() for doubt in self.point.doubts),
            "" if self.point.judged else "Not judged: dated from the future, or unreadable",
        ]
        return [one for one in said if one]


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
            )
        )
        if point.lat is not None:
            before = point.at
    return rows


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
        "believed": row.believed,
        "rough": point.source == "cell",
        "text": f"{row.source}, circle {metres(point.accuracy_m)}",
        "remarks": row.remarks,
        "mark": bool(row.mark),
        "mark_text": f"{row.mark} {clock_time(point.at)}" if row.mark else "",
    }
