"""CSV files as tables of texts, with the number of each row as a person counts it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ringfence.trail.csv_cells import unquoted
from ringfence.trail.schema import ALIASES
from ringfence.trail.spellings import our_names
from ringfence.trail.table import FixesFileError, Piece, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

KNOWN = frozenset(alias for aliases in ALIASES.values() for alias in aliases)
NAMES = frozenset({*ALIASES["wearer"], "tag"})
LONGEST_HEADER = 65_536
BLOCK = 1 << 20
LONGEST_ROW = 1 << 20
"""Bytes read at once; no row is longer."""


def csv_pieces(path: Path, *, everything: bool = False) -> Iterator[Piece]:
    """Read a CSV file with a header, a piece at a time; all columns are texts.

    Args:
        path: the file; its header is row 1. Rows with too few or too many fields are `Piece.odd`.
        everything: also the columns that no judgement needs.

    Raises:
        FixesFileError: not a CSV file with a header.
        OSError: the file can't be read.
    """
    _refuse_other_texts(path)
    header, has_rows = _header(path)
    wanted = [n for n, ours in zip(header, our_names(header), strict=True) if ours in KNOWN]
    if not has_rows:
        empty = pa.table({n: pa.array([], pa.string()) for n in header})
        yield Piece(empty, np.arange(0), [])
        return
    odd: dict[int, str] = {}

    def note(row: csv.InvalidRow) -> str:
        odd[row.number] = f"{row.actual_columns} fields where the header has {len(header)}"
        return "skip"

    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()),
        include_columns=header if everything else wanted,
        strings_can_be_null=False,
    )
    try:
        yield from _numbered(_reader(path, header, note, convert), odd)
    except pa.ArrowInvalid:
        # Arrow's own words may quote a row, which may hold a place.
        raise FixesFileError(
            "not CSV: it is damaged, a quotation mark is open, or a row is longer than 1 MiB"
        ) from None


def _reader(
    path: Path,
    header: list[str],
    note: Callable[[csv.InvalidRow], str],
    convert: csv.ConvertOptions,
) -> csv.CSVStreamingReader:
    return csv.open_csv(
        path,
        # One thread: only so does Arrow say which row is odd.
        read_options=csv.ReadOptions(
            use_threads=False, column_names=header, skip_rows=1, block_size=LONGEST_ROW
        ),
        parse_options=csv.ParseOptions(invalid_row_handler=note, ignore_empty_lines=False),
        convert_options=convert,
    )


def _numbered(reader: csv.CSVStreamingReader, odd: dict[int, str]) -> Iterator[Piece]:
    """Give each row its number, past those that are odd; Arrow tells them by the batch's end."""
    last = 1
    for batch in reader:
        table = _as_said(pa.Table.from_batches([batch]))
        numbers = np.arange(last + 1, last + 1 + len(table) + len(odd))
        numbers = np.setdiff1d(numbers, list(odd))[: len(table)] if odd else numbers
        last = int(numbers[-1]) if len(table) else last
        filled = _filled(table)
        told = [Refusal(row, odd.pop(row)) for row in sorted(odd) if row <= last]
        yield Piece(table.filter(filled), numbers[filled], told)
    if odd:
        rest = [Refusal(*pair) for pair in sorted(odd.items())]
        yield Piece(reader.schema.empty_table(), np.arange(0), rest)


def _as_said(table: pa.Table) -> pa.Table:
    """Names as they were before an export kept them from being formulas."""
    for i, ours in enumerate(our_names(table.column_names)):
        if ours in NAMES:
            table = table.set_column(i, table.column_names[i], unquoted(table.column(i)))
    return table


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
    if not KNOWN & set(our_names(names)):
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
