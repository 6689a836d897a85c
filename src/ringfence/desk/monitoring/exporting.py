"""Takes stored reports out to a file, any number of them, also while the platform runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db.models import Max, Min, Q, QuerySet

from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.models import Tag
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.doubting import doubted_reports
from ringfence.desk.monitoring.models import PoisonReport, Report
from ringfence.desk.monitoring.wearing import Wearing
from ringfence.gateway.report import FUTURE_MS
from ringfence.trail.fix_row import FixRow
from ringfence.trail.writers import WRITERS, Format, Written, write_rows

PIECE = 20_000
"""Rows read at once: each piece is a transaction of its own, so that no long one holds up the
database's housekeeping. Rows are only ever added, so the pieces still show one instant."""

_FIELDS = (
    "id", "tag_id", "seq", "time_ms", "received_ms", "lat_e7", "lon_e7", "accuracy_m", "source",
    "speed_mps", "course_deg", "altitude_m", "satellites", "hdop", "battery_pct", "signals",
)  # fmt: skip


@dataclass(slots=True)
class Withheld:
    """What an export leaves out."""

    victims: int = 0
    """Reports of devices that victims carried then."""


def stored_fixes(
    *,
    tag: Tag | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    by_tag: bool = False,
    withheld: Withheld | None = None,
) -> Iterator[FixRow]:
    """Every report stored by now; a wearer by the fitting at its own time.

    Args:
        tag: of this one only.
        from_at: not earlier than this, by the tag's own time.
        to_at: earlier than this.
        by_tag: tag by tag, each in order of time; else in order of arrival.
        withheld: leave out what devices reported while victims carried them, and count it here;
            None = it is there, too, as no wearer's (`not_judged` says `victim`).
    """
    # First of all: whatever is read after it knows of every tag and fitting that these need.
    rows = Report.objects.filter(id__lte=Report.objects.aggregate(last=Max("id"))["last"] or 0)
    if tag is not None:
        rows = rows.filter(tag=tag)
    if from_at is not None:
        rows = rows.filter(time_ms__gte=to_ms(from_at))
    if to_at is not None:
        rows = rows.filter(time_ms__lt=to_ms(to_at))
    tags = dict(Tag.objects.values_list("id", "name"))
    wearers = Wearing()
    poison = set(PoisonReport.objects.values_list("report_id", flat=True))
    doubted = _doubted(rows, tag)
    pieces = _by_tag(rows) if by_tag else _by_arrival(rows)
    for report_id, tag_id, seq, time_ms, received_ms, *rest in pieces:
        crn, hers = wearers.crn(tag_id, time_ms), wearers.is_victims(tag_id, time_ms)
        if hers and withheld is not None:
            withheld.victims += 1
            continue
        why = _kept_apart("victim" if hers else crn and "wearer", time_ms, received_ms)
        why = "poison" if report_id in poison else why
        said = FixRow(tags[tag_id], crn, seq, time_ms, received_ms, *rest)
        yield said._replace(not_judged=why, doubts="" if why else doubted.get(report_id, ""))


def _doubted(rows: QuerySet[Report], tag: Tag | None) -> dict[int, str]:
    seen = rows.aggregate(first=Min("time_ms"), last=Max("time_ms"), up_to=Max("id"))
    if seen["up_to"] is None:
        return {}
    return doubted_reports(seen["first"], seen["last"], seen["up_to"], tag=tag)


def _kept_apart(whose: str, time_ms: int, received_ms: int) -> str:
    """Why a report is no wearer's trail; the rules are `rows.is_future`'s and the fittings'."""
    if time_ms > received_ms + FUTURE_MS:
        return "future"
    return {"wearer": "", "victim": "victim"}.get(whose, "nobody")


def export_fixes(
    out: Path,
    *,
    by: str,
    format_: Format = Format.CSV,
    tag: Tag | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    victims: bool = False,
) -> tuple[Written, Withheld]:
    """Write `stored_fixes` to `out`, which appears whole or not at all.

    Args:
        out: the file.
        by: who takes the data out; recorded before anything is read.
        format_: as what.
        tag: as in `stored_fixes`.
        from_at: as in `stored_fixes`.
        to_at: as in `stored_fixes`.
        victims: also what devices reported while victims carried them.

    Returns:
        How many rows were written, and how many the format has no room for; what was left out.

    Raises:
        OSError: the file can't be written.
    """
    with _written(out) as file:
        _record(by, tag, from_at=from_at, to_at=to_at, victims=victims)
        withheld = Withheld()
        by_tag = WRITERS[format_].by_tag
        rows = stored_fixes(
            tag=tag,
            from_at=from_at,
            to_at=to_at,
            by_tag=by_tag,
            withheld=None if victims else withheld,
        )
        return write_rows(file, rows, format_), withheld


@action
def _record(
    by: str,
    tag: Tag | None,
    *,
    from_at: datetime | None,
    to_at: datetime | None,
    victims: bool,
) -> None:
    detail = {
        "victims": victims,
        "from": from_at.isoformat() if from_at else None,
        "to": to_at.isoformat() if to_at else None,
    }
    subject = f"tag:{tag.pk}" if tag else "fixes"
    record(by=by, event=Event.FIXES_EXPORTED, subject=subject, detail=detail)


@contextmanager
def _written(out: Path) -> Iterator[IO[bytes]]:
    """A file beside `out` that takes its place once it is whole and on the disk."""
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _by_arrival(rows: QuerySet[Report]) -> Iterator[tuple[Any, ...]]:
    rows = rows.order_by("id")
    position = 0
    while piece := list(rows.filter(id__gt=position).values_list(*_FIELDS)[:PIECE]):
        yield from piece
        position = piece[-1][0]


def _by_tag(rows: QuerySet[Report]) -> Iterator[tuple[Any, ...]]:
    for tag_id in Tag.objects.order_by("name").values_list("id", flat=True):
        of_tag = rows.filter(tag_id=tag_id).order_by("time_ms", "id")
        piece = list(of_tag.values_list(*_FIELDS)[:PIECE])
        while piece:
            yield from piece
            last_id, time_ms = piece[-1][0], piece[-1][3]
            after = Q(time_ms__gt=time_ms) | Q(time_ms=time_ms, id__gt=last_id)
            piece = list(of_tag.filter(after, time_ms__gte=time_ms).values_list(*_FIELDS)[:PIECE])
