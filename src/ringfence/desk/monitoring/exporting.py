"""Takes stored reports out as CSV, any number of them, also while the platform runs."""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from django.db.models import Max, QuerySet

from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.models import Tag, Wearer
from ringfence.desk.cases.queries import FittingSpan, all_fittings
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.models import PoisonReport, Report
from ringfence.desk.monitoring.rows import FUTURE_MS
from ringfence.trail.export_csv import FixRow, write_fixes

PIECE = 20_000
"""Rows read at once: each piece is a transaction of its own, so that no long one holds up the
database's housekeeping. Rows are only ever added, so the pieces still show one instant."""

_FIELDS = (
    "id", "tag_id", "seq", "time_ms", "received_ms", "lat_e7", "lon_e7", "accuracy_m", "source",
    "speed_mps", "course_deg", "altitude_m", "satellites", "hdop", "battery_pct", "signals",
)  # fmt: skip


def stored_fixes(
    *,
    tag: Tag | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> Iterator[FixRow]:
    """Every report stored by now, in order of arrival; a wearer by the fitting at its own time.

    Args:
        tag: of this one only.
        from_at: not earlier than this, by the tag's own time.
        to_at: earlier than this.
    """
    rows = Report.objects.all()
    if tag is not None:
        rows = rows.filter(tag=tag)
    if from_at is not None:
        rows = rows.filter(time_ms__gte=to_ms(from_at))
    if to_at is not None:
        rows = rows.filter(time_ms__lt=to_ms(to_at))
    tags = dict(Tag.objects.values_list("id", "name"))
    wearers = _Wearers()
    poison = set(PoisonReport.objects.values_list("report_id", flat=True))
    for report_id, tag_id, seq, time_ms, received_ms, *rest in _pieces(rows):
        crn = wearers.crn(tag_id, time_ms)
        why = "poison" if report_id in poison else _kept_apart(crn, time_ms, received_ms)
        said = FixRow(tags[tag_id], crn, seq, time_ms, received_ms, *rest)
        yield said._replace(not_judged=why)


def _kept_apart(crn: str, time_ms: int, received_ms: int) -> str:
    """Why detection leaves a report out; the rules are `rows.is_future`'s and the fittings'."""
    if time_ms > received_ms + FUTURE_MS:
        return "future"
    return "" if crn else "nobody"


def export_fixes(
    out: Path,
    *,
    by: str,
    tag: Tag | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> int:
    """Write `stored_fixes` to `out`, which appears whole or not at all.

    Args:
        out: the file.
        by: who takes the data out; recorded before anything is read.
        tag: as in `stored_fixes`.
        from_at: as in `stored_fixes`.
        to_at: as in `stored_fixes`.

    Returns:
        How many rows were written.

    Raises:
        OSError: the file can't be written.
    """
    with _written(out) as file:
        _record(by, tag, from_at, to_at)
        return write_fixes(file, stored_fixes(tag=tag, from_at=from_at, to_at=to_at))


@action
def _record(by: str, tag: Tag | None, from_at: datetime | None, to_at: datetime | None) -> None:
    detail = {
        "from": from_at.isoformat() if from_at else None,
        "to": to_at.isoformat() if to_at else None,
    }
    subject = f"tag:{tag.pk}" if tag else "fixes"
    record(by=by, event=Event.FIXES_EXPORTED, subject=subject, detail=detail)


@contextmanager
def _written(out: Path) -> Iterator[TextIO]:
    """A file beside `out` that takes its place once it is whole and on the disk."""
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _pieces(rows: QuerySet[Report]) -> Iterator[tuple[Any, ...]]:
    last = Report.objects.aggregate(last=Max("id"))["last"] or 0
    position = 0
    while True:
        piece = list(
            rows.filter(id__gt=position, id__lte=last).order_by("id").values_list(*_FIELDS)[:PIECE]
        )
        if not piece:
            return
        yield from piece
        position = piece[-1][0]


class _Wearers:
    """Who wore which tag when, from one reading of all fittings."""

    def __init__(self) -> None:
        self._crns = dict(Wearer.objects.values_list("id", "crn"))
        self._spans: dict[int, list[FittingSpan]] = defaultdict(list)
        for span in all_fittings():
            self._spans[span.tag_id].append(span)

    def crn(self, tag_id: int, time_ms: int) -> str:
        """The wearer's CRN; empty where the tag was on nobody."""
        spans = self._spans.get(tag_id, [])
        at = bisect_right(spans, time_ms, key=lambda s: s.from_ms) - 1
        return self._crns[spans[at].wearer_id] if at >= 0 and time_ms < spans[at].to_ms else ""
