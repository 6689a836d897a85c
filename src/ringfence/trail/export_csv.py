"""Write stored fixes as CSV: what `ringfence export fixes` gives, and `evaluate` reads."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple, TextIO

from ringfence.engine.fix import NO_POSITION, Signal, Source
from ringfence.trail.instants import from_ms, write_instant
from ringfence.trail.schema import CSV_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable


class FixRow(NamedTuple):
    """One stored report, in the order of `schema.FIXES`; None = not said."""

    tag: str
    wearer: str
    """Empty = no fitting at that time; such a row is nobody's, and `evaluate` refuses it."""
    seq: int | None
    time_ms: int
    received_ms: int | None
    lat_e7: int | None
    lon_e7: int | None
    accuracy_m: float | None = None
    source: int = Source.UNKNOWN
    speed_mps: float | None = None
    course_deg: float | None = None
    altitude_m: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    battery_pct: float | None = None
    signals: int = 0
    not_judged: str = ""
    """Why it took no part in any decision, as in `schema.FIXES`; empty = it did."""


def write_fixes(file: TextIO, rows: Iterable[FixRow]) -> int:
    """Write a header and the rows, one at a time, so that any number fits; returns their count.

    The file must be open with `newline=""`. Numbers are written with the fewest digits that read
    back the same.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for row in rows:
        writer.writerow(_fields(row))
        count += 1
    return count


def _fields(row: FixRow) -> tuple[object, ...]:
    return (
        *row[:3],
        _instant(row.time_ms),
        _instant(row.received_ms),
        _degrees(row.lat_e7),
        _degrees(row.lon_e7),
        row.accuracy_m,
        Source(row.source).name.lower() if row.source else "",
        *row[9:15],
        " ".join(Signal(row.signals).names()),
        row.not_judged,
    )


def _instant(ms: int | None) -> str:
    return "" if ms is None else write_instant(from_ms(ms))


def _degrees(e7: int | None) -> str:
    if e7 is None or e7 == NO_POSITION:
        return ""
    sign, whole = "-" if e7 < 0 else "", abs(e7)
    return f"{sign}{whole // 10_000_000}.{whole % 10_000_000:07d}"
