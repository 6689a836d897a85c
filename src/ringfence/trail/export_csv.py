"""Write stored fixes as CSV: what `ringfence export fixes` gives, and `evaluate` reads."""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING

from ringfence.engine.fix import NO_POSITION
from ringfence.trail.csv_cells import quoted
from ringfence.trail.fix_row import FixRow, degrees_text, instant_text, signals_text, source_text
from ringfence.trail.schema import CSV_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_csv(file: IO[bytes], rows: Iterable[FixRow]) -> None:
    """Write a header and the rows, one at a time, so that any number fits.

    Numbers are written with the fewest digits that read back the same; no text is a formula.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        writer.writerow(_fields(row))
    text.detach()  # flushes, and leaves the file to whoever opened it


def _fields(row: FixRow) -> tuple[object, ...]:
    return (
        quoted(row.tag),
        quoted(row.wearer),
        row.seq,
        instant_text(row.time_ms),
        instant_text(row.received_ms),
        _degrees(row.lat_e7),
        _degrees(row.lon_e7),
        row.accuracy_m,
        source_text(row.source),
        *row[9:15],
        signals_text(row.signals),
        row.not_judged,
        row.doubts,
    )


def _degrees(e7: int | None) -> str:
    return "" if e7 is None or e7 == NO_POSITION else degrees_text(e7)
