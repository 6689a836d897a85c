"""The rows of an imported file that are kept under reports, read again.

How a person said that the file is to be read is not kept with the rows: each way is tried, and the
one that gives what is stored is the one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from ringfence.desk.cases.models import Tag
from ringfence.desk.monitoring.gatekeeper import known_tag
from ringfence.desk.monitoring.import_rows import sealed
from ringfence.gateway.codecs import owntracks
from ringfence.gateway.report import MalformedError, Report
from ringfence.trail.fix_row import rows_of
from ringfence.trail.reports import Reading, to_reports
from ringfence.trail.table import FixesFileError, Piece
from ringfence.trail.wall_clock import Twice, WallClock

READINGS: Final = (
    Reading(),
    *(Reading(WallClock.of("Europe/London", twice)) for twice in (Twice.FIRST, Twice.SECOND)),
    Reading(WallClock.of("UTC")),
)
"""Times with a zone first; then those without, by London's clock and by Greenwich's."""


class ImportedRow(NamedTuple):
    """A row of the file, and the report that it comes to."""

    number: int
    report: Report
    fields: dict[str, Any]
    """As they stand in the file."""


def imported_row(raw: bytes, tag: Tag, digest: int) -> ImportedRow | None:
    """The row that a stored report came from, if any reading of them gives it.

    Args:
        raw: the frame, as `import_rows.raw_lines` wrote it.
        tag: whose it is.
        digest: of the stored report.
    """
    try:
        names, *rows = (json.loads(line) for line in raw.decode().split("\n"))
    except (ValueError, UnicodeDecodeError):
        return None
    for found in _readings(names, rows, tag):
        if digest in (found.report.digest, ~found.report.digest):  # the latter came before its time
            return found
    return None


def _readings(names: list[str], rows: list[list[Any]], tag: Tag) -> Iterator[ImportedRow]:
    if names == ["row", "line"]:
        yield from _recorded(rows, tag)
        return
    numbers = np.array([row[0] for row in rows], np.int64)
    columns = [
        pa.array([None if v is None else str(v) for v in column], pa.string())
        for column in list(zip(*rows, strict=True))[1:]
    ]
    by_number = {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in rows}
    for reading in READINGS:
        try:
            read = to_reports(Piece(pa.table(columns, names=names[1:]), numbers, []), reading)
        except FixesFileError:
            continue
        for number, row in zip(read.numbers.tolist(), rows_of(read.table), strict=True):
            yield ImportedRow(number, sealed(row), by_number[number])


def _recorded(rows: list[list[Any]], tag: Tag) -> Iterator[ImportedRow]:
    box = known_tag(tag).box
    for number, line in rows:
        try:
            decoded = owntracks.decode(str(line).split("\t", 2)[-1].encode(), box)
        except MalformedError:
            continue
        for report in decoded.reports:
            yield ImportedRow(number, report, {"line": line})
