"""A small file that unpacks to a large one, or never ends: refused with words, in little memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from ringfence.trail import geojson, parquet_fixes
from ringfence.trail.readers import pieces
from ringfence.trail.table import FixesFileError

MANY = 24 << 20
"""Bytes: far beyond every limit, and soon written."""
MEMORY = 2 << 30
"""Bytes of address space that the reading may have."""
READ = """
import resource, sys
from pathlib import Path
from ringfence.trail.readers import pieces
from ringfence.trail.reports import Reading, to_reports
from ringfence.trail.table import FixesFileError
from ringfence.trail.wall_clock import WallClock
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
try:
    for piece in pieces(Path(sys.argv[1]), everything=True):
        to_reports(piece, Reading(WallClock.of("UTC")))
except FixesFileError as error:
    print(error)
"""


def same_text(path: Path) -> None:
    """100,000 rows of one text of 1 MiB: 100 GB, in a file of about 1 MB."""
    rows = 100_000
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * (1 << 20)])
    times = pa.array([1_772_359_320_000] * rows, pa.int64())
    table = pa.table({"tag": texts, "time_ms": times, "lat": [51.5] * rows, "lon": [0.0] * rows})
    parquet.write_table(table, path)


def one_tag(path: Path) -> None:
    path.write_text("<gpx><wpt lat='" + "5" * MANY)


def one_comment(path: Path) -> None:
    path.write_text("<gpx><!--" + "5" * MANY)


def nested(path: Path) -> None:
    path.write_text("<gpx>" + "<a>" * 100_000)


def one_line(path: Path) -> None:
    path.write_text("wearer,time,lat,lon\nW1," + "5" * MANY)


def one_header(path: Path) -> None:
    path.write_text("wearer,time,lat,lon," + "5" * MANY)


def one_string(path: Path) -> None:
    path.write_text('{"type":"FeatureCollection","features":[{"type":"' + "5" * (70 << 20))


BOMBS: list[tuple[Callable[[Path], None], str]] = [
    (same_text, "column tag holds a text of more than 16,384 bytes"),
    (one_tag, "a tag that is longer than 1 MiB"),
    (one_comment, "a tag that is longer than 1 MiB"),
    (nested, "nested more than 256 deep"),
    (one_line, "longer than 1 MiB"),
    (one_header, ""),
    (one_string, "a feature is longer than 64 MiB"),
]


@pytest.mark.parametrize(("write", "why"), BOMBS, ids=[w.__name__ for w, _ in BOMBS])
def test_a_bomb_is_refused_in_little_memory(
    tmp_path: Path, write: Callable[[Path], None], why: str
) -> None:
    path = tmp_path / "file"
    write(path)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(MEMORY)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-400:]
    assert why in done.stdout
    assert len(done.stdout) < 300
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < MEMORY >> 10


def test_a_row_group_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 50_000
    table = pa.table({"wearer": ["W1"] * rows, "time_ms": list(range(rows))})
    parquet.write_table(table, tmp_path / "file", use_dictionary=False)
    monkeypatch.setattr(parquet_fixes, "LARGEST_PART", 1 << 18)
    with pytest.raises(FixesFileError, match="in one row group: write smaller row groups"):
        list(pieces(tmp_path / "file"))


def test_many_features_may_be_longer_than_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson, "LONGEST", 1 << 18)
    monkeypatch.setattr(geojson, "CHUNK", 1 << 16)
    one = '{"type":"Feature","geometry":null,"properties":{"wearer":"W1","time_ms":1}}'
    count = 20_000
    path = tmp_path / "file"
    path.write_text('{"type":"FeatureCollection","features":[' + ",".join([one] * count) + "]}")
    assert sum(len(piece.table) for piece in pieces(path)) == count
