"""Parquet files as tables, only the columns that are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from ringfence.trail.csv_fixes import KNOWN
from ringfence.trail.table import FixesFileError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_parquet(path: Path) -> tuple[pa.Table, NDArray[np.int64]]:
    """Read the columns that the contract knows; rows count from 1.

    Raises:
        FixesFileError: not a Parquet file, or a damaged one.
        OSError: the file can't be read.
    """
    try:
        with parquet.ParquetFile(path) as file:
            wanted = [name for name in file.schema_arrow.names if name.strip() in KNOWN]
            table = file.read(columns=wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise FixesFileError("not a Parquet file, or a damaged one: write it again") from None
    return table, np.arange(1, table.num_rows + 1)
