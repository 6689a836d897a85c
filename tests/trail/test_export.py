"""What is exported reads back as what was stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ringfence.engine.fix import NO_POSITION, Signal, Source
from ringfence.trail.csv_cells import quoted, unquoted
from ringfence.trail.csv_fixes import csv_pieces
from ringfence.trail.fix_row import FixRow
from ringfence.trail.readers import read_fixes
from ringfence.trail.schema import CSV_COLUMNS, FIXES
from ringfence.trail.writers import Format, Written, write_rows

ROWS = [
    FixRow("T1", "W1", 17, 1_772_359_320_000, 1_772_359_321_250, 515_000_001, -1_000_003, 8.3, 1),
    FixRow("T1", "W1", 18, 1_772_359_380_500, None, None, None, signals=int(Signal.STRAP_CUT)),
    FixRow("T1", "W1", None, 1_772_359_440_000, None, -1, 1, None, Source.CELL, 1.5, 359.9),
    FixRow("T1", "W1", None, 1_772_359_500_000, None, 0, NO_POSITION),
]


def test_the_columns_are_the_issues(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with path.open("wb") as file:
        assert write_rows(file, ROWS[:2], Format.CSV) == Written(2, 0)
    header, first, second = path.read_text().splitlines()
    assert header == (
        "tag,wearer,seq,time,received,lat,lon,accuracy_m,source,speed_mps,course_deg,altitude_m,"
        "satellites,hdop,battery_pct,signals,not_judged,doubts"
    )
    assert first == (
        "T1,W1,17,2026-03-01T10:02:00Z,2026-03-01T10:02:01.250Z,51.5000001,-0.1000003,8.3,gnss,"
        ",,,,,,,,"
    )
    assert second == "T1,W1,18,2026-03-01T10:03:00.500Z,,,,,,,,,,,,strap_cut,,"
    assert len(CSV_COLUMNS) == len(FIXES) == len(FixRow._fields)


def test_what_is_written_reads_back_to_the_digit(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with path.open("wb") as file:
        write_rows(file, ROWS[:3], Format.CSV)
    fixes = read_fixes(path)
    assert fixes.refused == ()
    assert fixes.batch.time_ms.tolist() == [row.time_ms for row in ROWS[:3]]
    assert fixes.batch.lat_e7.tolist() == [515_000_001, NO_POSITION, -1]
    assert fixes.batch.lon_e7.tolist() == [-1_000_003, NO_POSITION, 1]
    assert fixes.batch.accuracy_m[0] == np.float32(8.3)
    assert fixes.batch.signals.tolist() == [0, Signal.STRAP_CUT, 0]
    assert fixes.batch.source.tolist() == [Source.GNSS, Source.UNKNOWN, Source.CELL]
    assert fixes.batch.course_deg[2] == np.float32(359.9)


def test_half_a_position_is_none(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with path.open("wb") as file:
        write_rows(file, ROWS[3:], Format.CSV)
    assert [r.why for r in read_fixes(path).refused] == ["no longitude"]


FORMULAS = ["=1+1", "+44", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''+1"]
"""What a spreadsheet runs, and what looks as if it were kept from that already."""


@pytest.mark.parametrize("name", [*FORMULAS, "W1", "'W1", "'", "", "O'=x"])
def test_a_cell_gives_every_text_back_and_none_is_a_formula(name: str) -> None:
    assert quoted(name)[:1] not in {*"=+-@\t\r\n＝"}
    assert unquoted(pa.chunked_array([[quoted(name)]])).to_pylist() == [name]
    assert (quoted(name) != name) == (name in FORMULAS)


def test_names_that_look_like_formulas_go_out_and_come_in_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    named = [ROWS[0]._replace(tag="=cmd|' /C calc'!A0", wearer="@W1"), ROWS[0]]
    with path.open("wb") as file:
        write_rows(file, named, Format.CSV)
    first = path.read_text().splitlines()[1]
    assert first.startswith("'=cmd|' /C calc'!A0,'@W1,17,")
    assert ",-0.1000003," in first
    table = pa.concat_tables([piece.table for piece in csv_pieces(path, everything=True)])
    assert table["tag"].to_pylist() == ["=cmd|' /C calc'!A0", "T1"]
    assert read_fixes(path).wearers == ("@W1", "W1")
