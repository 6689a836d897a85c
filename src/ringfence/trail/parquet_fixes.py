"""Parquet and GeoParquet files of fixes, a piece at a time, in and out."""

from __future__ import annotations

import json
import struct
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from ringfence.engine.fix import E7
from ringfence.trail.csv_fixes import KNOWN
from ringfence.trail.fix_row import FixRow, table_of
from ringfence.trail.schema import FIXES
from ringfence.trail.spellings import our_names
from ringfence.trail.table import FixesFileError, Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PIECE = 16_384
"""Rows of a piece and of a row group."""
LARGE_PIECE = 1 << 20
LONGEST_TEXT = 16_384
"""Bytes of a cell; a point has 21."""
LARGEST_PART = 1 << 30
"""Bytes of one column of a row group, unpacked; writers make row groups of about 128 MiB."""
BUFFER = 1 << 20
"""Bytes of each column that are read at once."""
GEOMETRY = "geometry"
GEO = {
    "version": "1.1.0",
    "primary_column": GEOMETRY,
    # No crs: OGC:CRS84, longitude and latitude in WGS84.
    "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": ["Point"]}},
}
"""GeoParquet 1.1.0 (https://geoparquet.org/releases/v1.1.0/)."""
_POINT = struct.Struct("<BIdd")


def parquet_pieces(
    path: Path, *, everything: bool = False, rows: int = LARGE_PIECE
) -> Iterator[Piece]:
    """Read a Parquet file; its first row is 1.

    Args:
        path: the file.
        everything: also the columns that no judgement needs.
        rows: most rows of a piece of what a judgement needs.

    Raises:
        FixesFileError: not a Parquet file, a damaged one, or one of other shapes than points.
        OSError: the file can't be read.
    """
    try:
        # Buffered: a row group of any length is read as it is needed, not at once.
        # A text that stands there once for many rows stays one, in a dictionary: the faster to
        # read, and a small file of a large text for each of a billion rows does no harm.
        texts = [f.name for f in parquet.read_schema(path) if _is_text(f.type)]
        with parquet.ParquetFile(path, buffer_size=BUFFER, read_dictionary=texts) as file:
            _refuse_bombs(file.metadata)
            names = file.schema_arrow.names
            geometry = _point_column(file)
            wanted = [
                name
                for name, ours in zip(names, our_names(names), strict=True)
                if everything or ours in KNOWN or name == geometry
            ]
            first = 1
            yield Piece(file.schema_arrow.empty_table().select(wanted), np.arange(0), [])
            # Who judges needs much of it at once anyway, and large pieces are read faster.
            size = PIECE if everything else rows
            for read in _gathered(file.iter_batches(size, columns=wanted), size):
                _refuse_long_texts(read)
                table = _with_places(read, geometry)
                yield Piece(table, np.arange(first, first + len(table)), [])
                first += len(table)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise FixesFileError("not a Parquet file, or a damaged one: write it again") from None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _refuse_bombs(about: parquet.FileMetaData) -> None:
    for number in range(about.num_row_groups):
        group = about.row_group(number)
        for i in range(group.num_columns):
            column = group.column(i)
            if column.total_uncompressed_size > LARGEST_PART:
                raise FixesFileError(
                    f"column {column.path_in_schema} unpacks to "
                    f"{column.total_uncompressed_size >> 20:,} MiB in one row group: write smaller "
                    "row groups"
                )


def _refuse_long_texts(table: pa.Table) -> None:
    for name, column in zip(table.column_names, table.columns, strict=True):
        for chunk in column.chunks:
            if not pa.types.is_dictionary(chunk.type) or not _is_text(chunk.type.value_type):
                continue
            if (pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0) > LONGEST_TEXT:
                raise FixesFileError(
                    f"column {name} holds a text of more than {LONGEST_TEXT:,} bytes: leave it out"
                )


def _gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Batches end with their row group, however short: `rows` or more at a time."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= rows:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def write_parquet(file: IO[bytes], rows: Iterable[FixRow]) -> None:
    """Write rows as `schema.FIXES`, a row group at a time."""
    with parquet.ParquetWriter(file, FIXES, compression="zstd") as writer:
        for table in _tables(rows):
            writer.write_table(table)


def write_geoparquet(file: IO[bytes], rows: Iterable[FixRow]) -> None:
    """Write rows as `schema.FIXES` and a column of points, null where there is no position."""
    schema = FIXES.append(pa.field(GEOMETRY, pa.binary())).with_metadata({"geo": json.dumps(GEO)})
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in _tables(rows):
            places = zip(table["lat_e7"].to_pylist(), table["lon_e7"].to_pylist(), strict=True)
            points = pa.array([_wkb(lat, lon) for lat, lon in places], pa.binary())
            writer.write_table(table.append_column(GEOMETRY, points).cast(schema))


def _tables(rows: Iterable[FixRow]) -> Iterator[pa.Table]:
    rows = iter(rows)
    while piece := list(islice(rows, PIECE)):
        yield table_of(piece)


def _wkb(lat_e7: int | None, lon_e7: int | None) -> bytes | None:
    if lat_e7 is None or lon_e7 is None:
        return None
    return _POINT.pack(1, 1, lon_e7 / E7, lat_e7 / E7)


def _point_column(file: parquet.ParquetFile) -> str | None:
    """The column that says where, if latitude and longitude do not stand in columns of their own.

    Raises:
        FixesFileError: other shapes than points, another encoding, or not WGS84.
    """
    names = set(our_names(file.schema_arrow.names))
    told = (file.schema_arrow.metadata or {}).get(b"geo")
    if told is None or {"lat", "latitude", "lat_e6", "lat_e7"} & names:
        return None
    try:
        geo = json.loads(told)
        column = str(geo["primary_column"])
        about = dict(geo["columns"][column])
    except (ValueError, KeyError, TypeError):
        raise FixesFileError("its GeoParquet metadata is damaged: write it again") from None
    if about.get("encoding") != "WKB" or set(about.get("geometry_types", ())) - {
        "Point",
        "Point Z",
    }:
        raise FixesFileError("its geometries are not points as WKB: give one point a row")
    crs = about.get("crs", GEO)  # absent is WGS84; null is unknown
    if crs is not GEO and (_authority(crs) not in {"OGC:CRS84", "EPSG:4326"}):
        raise FixesFileError("its places are not in WGS84: convert them to EPSG:4326")
    return column


def _authority(crs: Any) -> str:
    name = crs.get("id") if isinstance(crs, dict) else None
    return f"{name.get('authority')}:{name.get('code')}" if isinstance(name, dict) else ""


def _with_places(table: pa.Table, geometry: str | None) -> pa.Table:
    if geometry is None:
        return table
    points = [_place(wkb) for wkb in table[geometry].to_pylist()]
    lons, lats = ([p[i] for p in points] for i in (0, 1))
    return table.append_column("lon", pa.array(lons, pa.float64())).append_column(
        "lat", pa.array(lats, pa.float64())
    )


def _place(wkb: bytes | None) -> tuple[float | None, float | None]:
    """Longitude and latitude of a point; NaN where it is none."""
    if wkb is None:
        return None, None
    try:
        order = "<" if wkb[0] == 1 else ">"
        (shape,) = struct.unpack_from(f"{order}I", wkb, 1)
        # Point, and Point Z as ISO and as EWKB write it.
        if shape not in (1, 1001, 0x80000001):
            return np.nan, np.nan
        lon, lat = struct.unpack_from(f"{order}dd", wkb, 5)
    except (struct.error, IndexError):
        return np.nan, np.nan
    return lon, lat
