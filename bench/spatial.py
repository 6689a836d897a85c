"""DuckDB with its spatial extension from the package, not from the network; one thread."""

from __future__ import annotations

from pathlib import Path

import duckdb
import duckdb_extension_spatial


def connection() -> duckdb.DuckDBPyConnection:
    """A database in memory that knows geometries."""
    folder = Path(duckdb_extension_spatial.__file__).parent
    [extension] = folder.rglob("spatial.duckdb_extension")
    db = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 1})
    db.execute(f"load '{extension}'")
    return db
