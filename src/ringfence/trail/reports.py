"""Pieces of a file become reports in the one schema; impossible rows are refused by number.

The same reading as for judging (`rows`), of everything that a report keeps, and discreet: reasons
never show what a row holds. Times without a zone need a person's word (`wall_clock`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from ringfence.engine.fix import NO_POSITION, Signal
from ringfence.trail.columns import as_floats, as_ints, as_texts
from ringfence.trail.rows import positions, signal_bits, sources
from ringfence.trail.schema import FIXES, INSTANT
from ringfence.trail.table import Columns, Piece, Refusal, Sieve
from ringfence.trail.times import Times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.trail.wall_clock import WallClock

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

NOT_KNOWN: Final = -1.0
"""How phones say that a speed, a course or a count is not known."""
LIMITS: Final = {
    "accuracy_m": (-1e7, 1e7),
    "speed_mps": (0.0, 1e7),
    "course_deg": (0.0, 360.0),
    "altitude_m": (-1e7, 1e7),
    "hdop": (0.0, 1e7),
    "battery_pct": (0.0, 100.0),
}
"""As at the gateway: beyond them, somebody mixed up units."""
WHOLE_LIMITS: Final = {"seq": (0, 2**63 - 1), "satellites": (0, 1000)}


class Reports(NamedTuple):
    """What a piece of a file says."""

    table: pa.Table
    """In `schema.FIXES`; `not_judged` is empty: that is for this platform to find."""
    numbers: Ints
    refused: list[Refusal]
    noted: list[Refusal]
    """Rows that are taken, with what was decided about them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a person says that a file is to be read."""

    clock: WallClock | None = None
    """For times without a zone; None = refuse the file if it has any."""
    tags_column: str | None = None
    """The column that names the tags; None = `tag`, or the Ministry's device id."""


def to_reports(piece: Piece, reading: Reading) -> Reports:
    """Read a piece.

    Raises:
        FixesFileError: a column that is needed is missing, or stands twice.
        NoZoneError: a time says no zone, and `reading.clock` neither.
    """
    columns, sieve = Columns(piece.table), Sieve(piece.numbers, discreet=True)
    times = Times(columns, sieve, reading.clock)
    told: dict[str, Any] = {"time": times.happened_ms()}
    told["received"], known = times.received_ms()
    lat, lon, nowhere = positions(columns, sieve)
    nowhere |= lat == NO_POSITION
    told["signals"] = signal_bits(columns, sieve)
    inspected = (told["signals"] & int(Signal.TAMPER_INSPECTED)) != 0
    sieve.refuse(inspected, "tamper_inspected: no file clears a tamper: close its alert instead")
    told["source"] = sources(columns, sieve)
    absent = {"received": ~known, "lat_e7": nowhere, "lon_e7": nowhere}
    told["lat_e7"], told["lon_e7"] = lat, lon
    for name in LIMITS:
        told[name], absent[name] = _measure(columns, sieve, name)
    for name in WHOLE_LIMITS:
        told[name], absent[name] = _count(columns, sieve, name)
    for name in ("tag", "wearer"):
        own = reading.tags_column if name == "tag" else None
        told[name] = _texts(columns, name, own)
    rows = len(piece.numbers)
    table = pa.Table.from_arrays(
        [_array(f, told.get(f.name), absent.get(f.name), rows) for f in FIXES], schema=FIXES
    )
    refused = sorted([*piece.odd, *sieve.refused])
    gone = {row for row, _ in refused}
    noted = [note for note in times.noted if note.row not in gone]
    return Reports(table.filter(pa.array(sieve.kept)), piece.numbers[sieve.kept], refused, noted)


def _array(field: pa.Field, values: Any, absent: Mask | None, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, field.type)
    if isinstance(values, pa.Array):
        return values
    kind = pa.int64() if field.type == INSTANT else field.type
    return pa.array(values, mask=absent).cast(kind).cast(field.type)


def _measure(columns: Columns, sieve: Sieve, name: str) -> tuple[NDArray[np.float64], Mask]:
    column, scale = columns.find(name), 1.0
    if name == "speed_mps" and column is None:
        column, scale = columns.find("speed_kmh"), 3.6
    if column is None:
        return np.zeros(len(sieve.numbers)), np.ones(len(sieve.numbers), np.bool_)
    read = as_floats(column)
    sieve.refuse(read.faulty, f"{name} is not a number: correct it, or leave it empty")
    low, high = LIMITS[name]
    absent = read.absent | np.isnan(read.values) | ((low == 0) & (read.values == NOT_KNOWN))
    values = np.where(absent, 0.0, read.values / scale)
    hint = ", degrees clockwise from north, no radians" if name == "course_deg" else ""
    sieve.refuse(~((values >= low) & (values <= high)), f"{name} is outside {low:g}…{high:g}{hint}")
    return values, absent


def _count(columns: Columns, sieve: Sieve, name: str) -> tuple[Ints, Mask]:
    column = columns.find(name)
    if column is None:
        return np.zeros(len(sieve.numbers), np.int64), np.ones(len(sieve.numbers), np.bool_)
    read = as_ints(column)
    sieve.refuse(read.faulty, f"{name} is not a whole number: correct it, or leave it empty")
    low, high = WHOLE_LIMITS[name]
    absent = read.absent | (read.values == NOT_KNOWN)
    sieve.refuse(
        ~absent & ((read.values < low) | (read.values > high)), f"{name} is outside {low}…{high}"
    )
    return np.where(sieve.kept, read.values, 0), absent


def _texts(columns: Columns, name: str, own: str | None) -> pa.Array | None:
    column = columns.called(own) if own is not None else columns.find(name)
    if column is None:
        return None
    codes, texts = as_texts(column)
    return pa.array([texts[code] or None for code in codes], pa.string())
