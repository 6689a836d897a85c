"""The doors through which files of fixes and signals come in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.trail.csv_fixes import read_csv
from ringfence.trail.parquet_fixes import read_parquet
from ringfence.trail.rows import Fixes, to_fixes, to_signals

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.trail.table import Refusal

PARQUET = b"PAR1"


def read_fixes(path: Path) -> Fixes:
    """Read FIXES: CSV with a header or Parquet, whatever the file is called.

    Impossible rows are in `Fixes.refused`, by number; the rest is judged.

    Raises:
        FixesFileError: the file can't be used at all.
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        is_parquet = file.read(4) == PARQUET
    if is_parquet:
        return to_fixes(*read_parquet(path))
    table, numbers, odd = read_csv(path)
    return _with(to_fixes(table, numbers), odd)


def read_signals(path: Path) -> Fixes:
    """Read SIGNALS: CSV `wearer,time,kind`; as fixes without a position.

    Raises:
        FixesFileError: the file can't be used at all.
        OSError: the file can't be read.
    """
    table, numbers, odd = read_csv(path)
    return _with(to_signals(table, numbers), odd)


def _with(fixes: Fixes, odd: list[Refusal]) -> Fixes:
    refused = tuple(sorted([*fixes.refused, *odd]))
    return replace(fixes, refused=refused, read=fixes.read + len(odd))
