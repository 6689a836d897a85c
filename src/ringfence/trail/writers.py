"""The ways out for stored fixes: one function a format, and which is meant."""

from __future__ import annotations

from enum import StrEnum
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from ringfence.trail.export_csv import write_csv
from ringfence.trail.gpx import write_gpx
from ringfence.trail.mf_json import write_mf_json
from ringfence.trail.parquet_fixes import write_geoparquet, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ringfence.trail.fix_row import FixRow


class Format(StrEnum):
    """What a file of fixes may be written as."""

    CSV = "csv"
    PARQUET = "parquet"
    GEOPARQUET = "geoparquet"
    GPX = "gpx"
    MF_JSON = "mf-json"

    @property
    def label(self) -> str:
        """How people write it."""
        return {"parquet": "Parquet", "geoparquet": "GeoParquet"}.get(self, self.upper())


class FormatError(ValueError):
    """No such format; the text says which there are."""


class Writer(NamedTuple):
    """How a format is written."""

    write: Callable[[IO[bytes], Iterable[FixRow]], None]
    by_tag: bool = False
    """It takes rows tag by tag, each in order of time; else in order of arrival."""
    places_only: bool = False
    """It has no room for a report without a position."""


WRITERS: Final = {
    Format.CSV: Writer(write_csv),
    Format.PARQUET: Writer(write_parquet),
    Format.GEOPARQUET: Writer(write_geoparquet),
    Format.GPX: Writer(write_gpx, by_tag=True, places_only=True),
    Format.MF_JSON: Writer(write_mf_json, by_tag=True),
}
SUFFIXES: Final = {
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".geoparquet": Format.GEOPARQUET,
    ".gpx": Format.GPX,
    ".mfjson": Format.MF_JSON,
    ".json": Format.MF_JSON,
}


def format_of(path: Path, name: str | None = None, *, geo: bool = False) -> Format:
    """The format that is asked for: by its name, or by how the file is called; else CSV.

    Args:
        path: the file.
        name: one of `Format`; it outdoes the file's own.
        geo: a Parquet file shall have points.

    Raises:
        FormatError: no such format, or one that can't have points.
    """
    try:
        found = Format(name) if name else SUFFIXES.get(path.suffix.lower(), Format.CSV)
    except ValueError:
        known = ", ".join(Format)
        raise FormatError(f"--format {name} is none of {known}") from None
    if not geo:
        return found
    if found not in (Format.PARQUET, Format.GEOPARQUET):
        raise FormatError(f"--geo is for Parquet, and {path.name} would be {found.label}")
    return Format.GEOPARQUET


class Written(NamedTuple):
    """What went into a file."""

    rows: int
    left_out: int
    """Reports without a position, where the format has no room for them."""


def write_rows(file: IO[bytes], rows: Iterable[FixRow], format_: Format) -> Written:
    """Write rows one after the other, so that any number fits, and count them.

    Args:
        file: where to.
        rows: as `Writer.by_tag` asks.
        format_: as what.
    """
    writer = WRITERS[format_]
    counts = {True: 0, False: 0}

    def counted() -> Iterator[FixRow]:
        for row in rows:
            fits = row.has_position or not writer.places_only
            counts[fits] += 1
            if fits:
                yield row

    writer.write(file, counted())
    return Written(counts[True], counts[False])
