"""A report as evidence: its bytes, what they say today, what is stored, and how it was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from ringfence.desk.cases.carrying import carrying_at
from ringfence.desk.cases.models import Victim, Wearer
from ringfence.desk.cases.queries import wearer_of
from ringfence.desk.kit.clock import from_ms
from ringfence.desk.monitoring.evidence import is_unchanged
from ringfence.desk.monitoring.fitted import Fitted
from ringfence.desk.monitoring.imported_rows import imported_row
from ringfence.desk.monitoring.inspecting import inspected
from ringfence.desk.monitoring.models import (
    DESK_DOOR,
    IMPORT_DOOR,
    Cursor,
    Redecoding,
    Report,
    Violation,
)
from ringfence.desk.monitoring.prospects import reread_frame
from ringfence.desk.monitoring.queries import STAGE, TrailPoint, trail
from ringfence.engine.conditions import Kind
from ringfence.gateway.report import FUTURE_MS, kept_digest
from ringfence.gateway.report import Report as Said
from ringfence.gateway.rereading import is_read_here

LOOK_BACK = timedelta(hours=12)
"""What the engine doubts about a fix hangs on those before it: on a still tag, for hours."""
AGREES = "agrees"
DIFFERS = "differs"
ABSENT = "absent"
ALTERED = "altered"
NOT_READ = "not read anew"
"""How what the bytes say today stands to what is stored."""
WORDS = {
    AGREES: "today’s codec reads the same",
    DIFFERS: "read alone, today’s codec reads this frame differently: it was mended since, or what "
    "came before it on its connection counted",
    ABSENT: "read alone, today’s codec finds no report of this instant: it was mended since, or "
    "what came before it on its connection counted",
    ALTERED: "the stored report was changed: its own hash is of what the bytes say, and it says "
    "something else",
    NOT_READ: "no codec reads what this door takes in",
}
ROLES = {
    "first_fix_at": "first",
    "confirming_fix_at": "confirming",
    "deepest_fix_at": "deepest",
    "last_fix_at": "last",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A violation that the report is a part of."""

    violation: Violation
    as_what: tuple[str, ...]
    """`first`, `confirming`, `deepest`, `last`."""


@dataclass(frozen=True, slots=True)
class ReportEvidence:
    """All that is known of one report."""

    report: Report
    unchanged: bool
    """Whether the frame's bytes have their hash."""
    redecoding: Redecoding | None
    """Out of the quarantine by this."""
    stands: str
    """`AGREES`, …"""
    today: Said | None
    """What the bytes say today of the instant of this report."""
    unnamed: dict[str, Any]
    detail: str
    """Why today's codec can't use all of the frame; empty = it can."""
    of_frame: int
    """How many reports the frame comes to today."""
    siblings: tuple[int, ...]
    """Ids of the frame's other reports; of those that were known when it came, only the first
    frame has them."""
    wearer: Wearer | None
    victim: Victim | None
    """Who carried the device then."""
    no_part: str
    """Why it took no part in any decision; empty = it was judged."""
    point: TrailPoint | None
    parts: tuple[Part, ...]

    @property
    def differing(self) -> list[str]:
        """The fields in which today's reading is another."""
        return [] if self.today is None else differing(self.report, self.today)


def differing(stored: Report, said: Said) -> list[str]:
    """The fields in which a stored report and what bytes say are not the same."""
    fields = (said._asdict() | {"digest": kept_digest(said, stored.received_ms)}).items()
    return [name for name, value in fields if value != getattr(stored, name)]


def report_evidence(report_id: int) -> ReportEvidence | None:
    """Everything of a report; None = there is none of this id. Writes nothing: log the look."""
    rows = Report.objects.select_related("tag", "frame__tag", "poison")
    report = rows.filter(pk=report_id).first()
    if report is None:
        return None
    frame = report.frame
    stands, today, unnamed, detail, count = _today(report)
    at = from_ms(report.time_ms)
    wearer, carrying = wearer_of(report.tag, at), carrying_at(report.tag, at)
    judged = [wearer.pk] if wearer else _near(report)
    siblings = Report.objects.filter(frame=frame).exclude(pk=report.pk).order_by("id")
    return ReportEvidence(
        report=report,
        unchanged=is_unchanged(frame),
        redecoding=Redecoding.objects.filter(frame=frame).first(),
        stands=stands,
        today=today,
        unnamed=unnamed,
        detail=detail,
        of_frame=count,
        siblings=tuple(siblings.values_list("id", flat=True)),
        wearer=wearer,
        victim=carrying.victim if carrying else None,
        no_part=_no_part(report, judged, hers=carrying is not None),
        point=_point(report, wearer, at),
        parts=tuple(_parts(judged, at, hers=carrying is not None)),
    )


Today = tuple[str, Said | None, dict[str, Any], str, int]


def _today(report: Report) -> Today:
    """What the frame says now of this report."""
    frame = report.frame
    if frame.door == DESK_DOOR:
        said = inspected(frame.received_ms)
        return _stands(report, said), said, {}, "", 1
    if frame.door == IMPORT_DOOR:
        row = imported_row(bytes(frame.raw), report.tag, report.digest)
        if row is None:
            return NOT_READ, None, {}, "its row can't be found by any reading of the file", 0
        return _stands(report, row.report), row.report, {"row": row.number, **row.fields}, "", 1
    if not is_read_here(frame.door):
        return NOT_READ, None, {}, "", 0
    read = reread_frame(frame)
    same = [n for n, said in enumerate(read.reports) if _is_of(report, said)]
    near = same or [n for n, said in enumerate(read.reports) if said.time_ms == report.time_ms]
    if not near:
        return ABSENT, None, {}, read.detail, len(read.reports)
    at = near[0]
    return (
        _stands(report, read.reports[at]),
        read.reports[at],
        read.unnamed[at],
        read.detail,
        len(read.reports),
    )


def _stands(stored: Report, said: Said) -> str:
    if not differing(stored, said):
        return AGREES
    return ALTERED if _is_of(stored, said) else DIFFERS


def _is_of(stored: Report, said: Said) -> bool:
    return stored.digest == kept_digest(said, stored.received_ms)


def _near(report: Report) -> list[int]:
    """Who was to be judged by it since a victim carried the device: ids of wearers."""
    fitted = Fitted()
    fitted.refresh()
    spans = fitted.carried.heard_of.get(report.tag_id, ())
    return [one.wearer_id for one in spans if one.from_ms <= report.time_ms < one.to_ms]


def _no_part(report: Report, judged: Sequence[int], *, hers: bool) -> str:
    if report.time_ms > report.received_ms + FUTURE_MS:
        return "it is dated more than two minutes after it came: kept, not judged"
    if hasattr(report, "poison"):
        return f"the engine failed on it ({report.poison.why}): set apart"
    if not judged and hers:
        return "a victim carried the device, and no wearer with a tag had to keep away from her"
    if not judged:
        return "nobody wore its tag at its time: kept, not judged"
    position = Cursor.objects.filter(stage=STAGE).values_list("position", flat=True).first() or 0
    return "" if report.pk <= position else "it is not judged yet: it waits its turn"


def _point(report: Report, wearer: Wearer | None, at: datetime) -> TrailPoint | None:
    """As pages show it: with what the engine doubts of it."""
    if wearer is None:
        return None
    points: Sequence[TrailPoint] = trail(wearer, at - LOOK_BACK, at)
    return next((point for point in points if point.report_id == report.pk), None)


def _parts(wearers: Sequence[int], at: datetime, *, hers: bool) -> list[Part]:
    named = Q(*[(field, at) for field in ROLES], _connector=Q.OR)
    rows = Violation.objects.filter(named, wearer__in=wearers).order_by("begin_at", "id")
    if hers:
        rows = rows.filter(kind=Kind.PROXIMITY)
    return [
        Part(row, tuple(role for field, role in ROLES.items() if getattr(row, field) == at))
        for row in rows
    ]
