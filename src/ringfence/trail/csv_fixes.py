"""CSV files as tables of texts, with the number of each row as a person counts it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ringfence.trail.schema import ALIASES
from ringfence.trail.table import FixesFileError, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KNOWN = frozenset(alias for aliases in ALIASES.values() for alias in aliases)
LONGEST_HEADER = 65_536
BLOCK = 1 << 20


def read_csv(path: Path) -> tuple[pa.Table, NDArray[np.int64], list[Refusal]]:
    """Read a CSV file with a header.

    Returns the table (all texts), the number of each of its rows (the header is row 1), and the
    rows that have too few or too many fields.

    Raises:
        FixesFileError: not a CSV file with a header.
        OSError: the file can't be read.
    """
    _refuse_other_texts(path)
    header, has_rows = _header(path)
    if not has_rows:
        return pa.table({n: pa.array([], pa.string()) for n in header}), np.arange(0), []
    odd: dict[int, str] = {}

    def note(row: csv.InvalidRow) -> str:
        odd[row.number] = f"{row.actual_columns} fields where the header has {len(header)}"
        return "skip"

    try:
        table = csv.read_csv(
            path,
            # One thread: only so does Arrow say which row is odd.
            read_options=csv.ReadOptions(use_threads=False, column_names=header, skip_rows=1),
            parse_options=csv.ParseOptions(invalid_row_handler=note, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                include_columns=[n for n in header if n in KNOWN],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        # Arrow's own words may quote a row, which may hold a place.
        raise FixesFileError("not CSV: it is damaged, or a quotation mark is open") from None
    numbers = np.setdiff1d(np.arange(2, 2 + table.num_rows + len(odd)), list(odd))
    filled = _filled(table)
    return table.filter(filled), numbers[filled], [Refusal(*pair) for pair in odd.items()]


def _filled(table: pa.Table) -> NDArray[np.bool_]:
    """An empty line is not a faulty row: it is nothing."""
    filled = np.zeros(table.num_rows, np.bool_)
    for column in table.itercolumns():
        if filled.all():
            break
        filled |= pc.not_equal(column, "").to_numpy()
    return filled


def _header(path: Path) -> tuple[list[str], bool]:
    """The columns' names, and whether anything follows them."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(LONGEST_HEADER).rstrip("\r\n")
        has_rows = bool(file.read(1))
    names = [name.strip().strip('"').strip() for name in first.split(",")]
    if not KNOWN & set(names):
        hint = ": separate them by commas, not semicolons" if ";" in first else ""
        raise FixesFileError(f"the first row is not the columns' names (wearer, time, …){hint}")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise FixesFileError(f"column {twice[0]} stands twice: keep one of them")
    return [name or f"column {i}" for i, name in enumerate(names, 1)], has_rows


def _refuse_other_texts(path: Path) -> None:
    """Before Arrow looks: it could not even say which row has the wrong number of fields."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise FixesFileError("not UTF-8 text: save it as UTF-8") from None
