"""Parquet and GeoParquet files of fixes, a piece at a time, in and out."""

from __future__ import annotations

import json
import struct
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
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
OF_FEW = ["wearer", "subject", "source", "role", "signals"]
"""Columns of few different texts: read as numbers into a dictionary, as the file holds them."""
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
        few = [name for name in parquet.read_schema(path).names if name in OF_FEW]
        with parquet.ParquetFile(path, buffer_size=BUFFER, read_dictionary=few) as file:
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
                table = _with_places(read, geometry)
                yield Piece(table, np.arange(first, first + len(table)), [])
                first += len(table)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise FixesFileError("not a Parquet file, or a damaged one: write it again") from None


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
