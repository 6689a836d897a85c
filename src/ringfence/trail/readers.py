"""The doors through which files of fixes and signals come in."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from ringfence.trail.csv_fixes import csv_pieces
from ringfence.trail.geojson import json_pieces
from ringfence.trail.gpx import gpx_pieces
from ringfence.trail.parquet_fixes import parquet_pieces
from ringfence.trail.rows import Fixes, to_fixes, to_signals
from ringfence.trail.table import FixesFileError, Piece, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SNIFFED: Final = 4096
"""Bytes by which a format is known, whatever the file is called."""


class Kind(StrEnum):
    """What a file of fixes is."""

    CSV = "CSV"
    PARQUET = "Parquet"
    GPX = "GPX"
    JSON = "GeoJSON or MF-JSON"
    OWNTRACKS = "OwnTracks recording"


READERS: Final[dict[Kind, Callable[..., Iterator[Piece]]]] = {
    Kind.CSV: csv_pieces,
    Kind.PARQUET: parquet_pieces,
    Kind.GPX: gpx_pieces,
    Kind.JSON: json_pieces,
}


def kind_of(path: Path) -> Kind:
    """Tell by a file's first bytes what it is; what nothing else is, is CSV.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        start = file.read(SNIFFED)
    if start.startswith(b"PAR1"):
        return Kind.PARQUET
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return Kind.GPX
    if text.startswith(b"{"):
        return Kind.JSON
    fields = text.partition(b"\n")[0].split(b"\t")
    if len(fields) >= 3 and fields[2].lstrip().startswith(b"{"):
        return Kind.OWNTRACKS
    return Kind.CSV


def pieces(path: Path, *, everything: bool = False) -> Iterator[Piece]:
    """Read a file of fixes a piece at a time, whatever it is.

    Args:
        path: CSV, Parquet, GPX, GeoJSON or MF-JSON.
        everything: also the columns that no judgement needs.

    Raises:
        FixesFileError: the file can't be used at all.
        OSError: the file can't be read.
    """
    kind = kind_of(path)
    if kind not in READERS:
        raise FixesFileError(
            "an OwnTracks recording: take it in with `ringfence import fixes`, then export it"
        )
    yield from READERS[kind](path, everything=everything)


def read_fixes(path: Path) -> Fixes:
    """Read FIXES for judging, whatever the file is called.

    Impossible rows are in `Fixes.refused`, by number; the rest is judged.

    Raises:
        FixesFileError: the file can't be used at all.
        OSError: the file can't be read.
    """
    table, numbers, odd = _whole(pieces(path))
    return _with(to_fixes(table, numbers), odd)


def read_signals(path: Path) -> Fixes:
    """Read SIGNALS: CSV `wearer,time,kind`; as fixes without a position.

    Raises:
        FixesFileError: the file can't be used at all.
        OSError: the file can't be read.
    """
    table, numbers, odd = _whole(csv_pieces(path))
    return _with(to_signals(table, numbers), odd)


def _whole(parts: Iterable[Piece]) -> tuple[pa.Table, NDArray[np.int64], list[Refusal]]:
    """All pieces as one: whether an id is a victim's is known only when all rows are read."""
    read = list(parts)
    table = pa.concat_tables([piece.table for piece in read], promote_options="permissive")
    numbers = np.concatenate([piece.numbers for piece in read])
    return table, numbers, [refusal for piece in read for refusal in piece.odd]


def _with(fixes: Fixes, odd: list[Refusal]) -> Fixes:
    refused = tuple(sorted([*fixes.refused, *odd]))
    return replace(fixes, refused=refused, read=fixes.read + len(odd))
