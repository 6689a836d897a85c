"""One report at rest as a row: what the database gives and every writer takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from ringfence.engine.fix import Signal, Source
from ringfence.trail.instants import from_ms, write_instant
from ringfence.trail.schema import FIXES, INSTANT

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    source: int = int(Source.UNKNOWN)
    speed_mps: float | None = None
    course_deg: float | None = None
    altitude_m: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    battery_pct: float | None = None
    signals: int = 0
    not_judged: str = ""
    """Why it took no part in any decision, as in `schema.FIXES`; empty = it did."""
    doubts: str = ""
    """What the engine doubts about it, as in `schema.FIXES`."""

    @property
    def has_position(self) -> bool:
        """Whether it says where."""
        return self.lat_e7 is not None and self.lon_e7 is not None


def table_of(rows: Sequence[FixRow]) -> pa.Table:
    """Rows as a table in `FIXES`."""
    columns = list(zip(*rows, strict=True)) or [()] * len(FIXES)
    arrays = []
    for field, column in zip(FIXES, columns, strict=True):
        kind = pa.int64() if field.type == INSTANT else field.type
        values = [v or None for v in column] if field.type == pa.string() else column
        arrays.append(pa.array(values, kind).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=FIXES)


def rows_of(table: pa.Table) -> list[FixRow]:
    """A table in `FIXES` as rows."""
    columns = []
    for field, column in zip(FIXES, table.columns, strict=True):
        if field.type == INSTANT:
            columns.append(column.cast(pa.int64()).to_pylist())
        elif field.type == pa.string():
            columns.append(column.fill_null("").to_pylist())
        else:
            columns.append(column.to_pylist())
    return [FixRow(*row) for row in zip(*columns, strict=True)]


def degrees_text(e7: int) -> str:
    """Whole 1e-7 degrees as degrees with seven decimals, without a float on the way."""
    sign, whole = "-" if e7 < 0 else "", abs(e7)
    return f"{sign}{whole // 10_000_000}.{whole % 10_000_000:07d}"


def instant_text(ms: int | None) -> str:
    """An instant as ISO 8601; None is empty."""
    return "" if ms is None else write_instant(from_ms(ms))


def source_text(source: int) -> str:
    """A source's name; unknown is empty."""
    return Source(source).name.lower() if source else ""


def signals_text(signals: int) -> str:
    """Signals' names, separated by spaces."""
    return " ".join(Signal(signals).names())
