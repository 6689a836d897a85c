"""Fixes from files: every alias, every fault, the same batch from every format."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from ringfence.engine.fix import NO_POSITION, Batch, Signal, Source
from ringfence.trail.readers import read_fixes, read_signals
from ringfence.trail.rows import Fixes
from ringfence.trail.table import FixesFileError

HEADER = "wearer,time,lat,lon,accuracy_m,source"
GOOD = "W1,2026-03-01T10:02:00Z,51.5,-0.1,8,gnss"
AT_MS = 1_772_359_320_000


def read(tmp_path: Path, *rows: str, header: str = HEADER) -> Fixes:
    path = tmp_path / "fixes.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_fixes(path)


def same(a: Batch, b: Batch) -> bool:
    return all(getattr(a, f.name).tobytes() == getattr(b, f.name).tobytes() for f in fields(Batch))


def test_a_row_becomes_a_fix(tmp_path: Path) -> None:
    fixes = read(tmp_path, GOOD)
    assert fixes.wearers == ("W1",)
    assert fixes.batch.time_ms.tolist() == [AT_MS]
    assert fixes.batch.lat_e7.tolist() == [515_000_000]
    assert fixes.batch.lon_e7.tolist() == [-1_000_000]
    assert fixes.batch.accuracy_m.tolist() == [8.0]
    assert fixes.batch.source.tolist() == [Source.GNSS]
    assert np.isnan(fixes.batch.speed_mps).all()
    assert fixes.read == 1
    assert fixes.refused == ()


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("wearer,time_ms,lat,lon", f"W1,{AT_MS},51.5,-0.1"),
        ("subject,t_ms,lat_e6,lon_e6", f"W1,{AT_MS},51500000,-100000"),
        ("wearer,time,lat_e7,lon_e7", "W1,2026-03-01T10:02:00Z,515000000,-1000000"),
        ("lon,lat,time,wearer,shoe_size", "-0.1,51.5,2026-03-01T11:02:00+01:00,W1,44"),
        ("wearer , time,lat,lon", "W1 , 2026-03-01 10:02:00.000Z, 51.5 ,-0.1"),
        ('"wearer","time","lat","lon"', '"W1","2026-03-01T10:02Z","51.5","-1e-1"'),
        ("wearer,time_ms,lat,lon", "W1,1772359320000.0,51.49999999999,-0.1"),
    ],
)
def test_every_way_to_write_a_fix_gives_the_same_one(tmp_path: Path, header: str, row: str) -> None:
    plain = read(tmp_path, "W1,2026-03-01T10:02:00Z,51.5,-0.1", header="wearer,time,lat,lon")
    assert same(read(tmp_path, row, header=header).batch, plain.batch)


@pytest.mark.parametrize(
    ("text", "source"),
    [("gps", 1), ("GNSS", 1), ("wifi", 2), ("lbs", 3), ("cell", 3), ("rf", 4), ("", 0), ("3", 3)],
)
def test_sources_have_aliases(tmp_path: Path, text: str, source: int) -> None:
    fixes = read(tmp_path, f"W1,2026-03-01T10:02:00Z,51.5,-0.1,,{text}")
    assert fixes.batch.source.tolist() == [source]


FAULTY = {
    "latitude 91": ("W1,2026-03-01T10:02:00Z,91,-0.1,8,gnss", "latitude 91 is outside −90…90"),
    "longitude": ("W1,2026-03-01T10:02:00Z,51,-180.1,8,gnss", "longitude -180.1 is outside"),
    "NaN": ("W1,2026-03-01T10:02:00Z,nan,-0.1,8,gnss", "latitude is NaN or infinite"),
    "infinity": ("W1,2026-03-01T10:02:00Z,51,inf,8,gnss", "longitude is NaN or infinite"),
    "no latitude": ("W1,2026-03-01T10:02:00Z,,-0.1,8,gnss", "no latitude"),
    "no longitude": ("W1,2026-03-01T10:02:00Z,51,,8,gnss", "no longitude"),
    "words": ("W1,2026-03-01T10:02:00Z,north,-0.1,8,gnss", "lat is not a number"),
    "no time": ("W1,,51.5,-0.1,8,gnss", "no time: a fix needs its instant"),
    "no offset": ("W1,2026-03-01T10:02:00,51.5,-0.1,8,gnss", "has no offset: add Z"),
    "no such day": ("W1,2026-02-30T10:02:00Z,51.5,-0.1,8,gnss", "write ISO 8601 such as"),
    "the year 3000": ("W1,3000-01-01T00:00:00Z,51.5,-0.1,8,gnss", "outside 1980…2100"),
    "no wearer": (",2026-03-01T10:02:00Z,51.5,-0.1,8,gnss", "no wearer"),
    "accuracy": ("W1,2026-03-01T10:02:00Z,51.5,-0.1,good,gnss", "accuracy_m is not a number"),
    "source": ("W1,2026-03-01T10:02:00Z,51.5,-0.1,8,sonar", "source 'sonar' is none of gnss"),
    "too few fields": ("W1,2026-03-01T10:02:00Z,51.5", "3 fields where the header has 6"),
    "too many fields": (GOOD + ",9", "7 fields where the header has 6"),
}


@pytest.mark.parametrize("what", FAULTY)
def test_an_impossible_row_is_refused_by_number_and_the_rest_is_judged(
    tmp_path: Path, what: str
) -> None:
    row, why = FAULTY[what]
    fixes = read(tmp_path, GOOD, row, GOOD)
    assert [r.row for r in fixes.refused] == [3]
    assert why in fixes.refused[0].why
    assert len(fixes.batch) == 2
    assert fixes.read == 3


def test_rows_are_counted_as_a_person_counts_them(tmp_path: Path) -> None:
    bad = ",2026-03-01T10:02:00Z,51.5,-0.1,8,gnss"
    fixes = read(tmp_path, GOOD, "", GOOD + ",9", bad, "", "W1", GOOD, bad)
    assert [r.row for r in fixes.refused] == [4, 5, 7, 9]
    assert fixes.read == 6


def test_seconds_for_milliseconds_are_refused(tmp_path: Path) -> None:
    fixes = read(tmp_path, f"W1,{AT_MS // 1000},51.5,-0.1", header="wearer,time_ms,lat,lon")
    assert "time_ms in milliseconds" in fixes.refused[0].why


@pytest.mark.parametrize("text", ["", "0", "-1", "inf", "nan"])
def test_an_accuracy_that_says_nothing_is_unknown_not_perfect(tmp_path: Path, text: str) -> None:
    fixes = read(tmp_path, f"W1,2026-03-01T10:02:00Z,51.5,-0.1,{text},gnss")
    assert len(fixes.batch) == 1
    assert not fixes.batch.accuracy_m[0] > 0


@pytest.mark.parametrize(
    ("column", "received"),
    [("received", "2026-03-01T10:{:02d}:59Z"), ("received_ms", "177235{:02d}19000")],
)
def test_a_report_from_the_future_is_not_judged(tmp_path: Path, column: str, received: str) -> None:
    rows = [f"{GOOD},{received.format(m)}" for m in ((59, 3) if "_ms" not in column else (92, 93))]
    rows[0] = f"{GOOD},{'2026-03-01T09:59:59Z' if column == 'received' else AT_MS - 120_001}"
    fixes = read(tmp_path, *rows, f"{GOOD},", header=f"{HEADER},{column}")
    assert [r.row for r in fixes.refused] == [2]
    assert "more than 2 minutes after it was received" in fixes.refused[0].why


def test_a_file_of_reports_may_hold_reports_without_a_position(tmp_path: Path) -> None:
    fixes = read(
        tmp_path,
        "W1,2026-03-01T10:02:00Z,,,strap_cut battery_low",
        "W1,2026-03-01T10:03:00Z,,,",
        "W1,2026-03-01T10:04:00Z,51,,",
        "W1,2026-03-01T10:05:00Z,51,0,tamper_inspected",
        "W1,2026-03-01T10:05:00Z,51,0,boredom",
        header="wearer,time,lat,lon,signals",
    )
    assert fixes.batch.lat_e7.tolist() == [NO_POSITION, NO_POSITION, 510_000_000]
    assert fixes.batch.signals.tolist() == [
        Signal.STRAP_CUT | Signal.BATTERY_LOW,
        0,
        Signal.TAMPER_INSPECTED,
    ]
    assert [(r.row, r.why.split(":")[0][:15]) for r in fixes.refused] == [
        (4, "no longitude"),
        (6, "signal 'boredom"),
    ]


def test_victims_devices_are_kept_apart(tmp_path: Path) -> None:
    fixes = read(
        tmp_path,
        GOOD + ",wearer",
        GOOD.replace("W1", "V1") + ",victim",
        GOOD.replace("W1", "V1") + ",",
        GOOD + ",witness",
        header=f"{HEADER},role",
    )
    assert fixes.wearers == ("W1",)
    assert fixes.victims == ("V1",)
    assert fixes.batch.wearer.tolist() == [0, -1]
    assert [r.row for r in fixes.refused] == [4, 5]


def test_wearers_are_numbered_by_name_not_by_place(tmp_path: Path) -> None:
    fixes = read(tmp_path, GOOD.replace("W1", "W2"), GOOD)
    assert fixes.wearers == ("W1", "W2")
    assert fixes.batch.wearer.tolist() == [1, 0]
    assert fixes.numbered(["W0", "W2"]).wearer.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time,lat,lon\n1,2,3\n", r"no column wearer \(there are: time, lat, lon\)"),
        ("wearer,lat,lon\n1,2,3\n", "no column time_ms or time"),
        ("wearer,time,lat\n1,2,3\n", "no column lon or lon_e6 or lon_e7"),
        ("wearer,time,lat,lat,lon\n1,2,3,4,5\n", "column lat stands twice"),
        ("wearer;time;lat;lon\n1;2;3;4\n", "separate them by commas, not semicolons"),
        ("W1,2026-03-01T10:02:00Z,51,0\n", "the first row is not the columns' names"),
        ("", "the first row is not the columns' names"),
    ],
)
def test_a_file_that_can_not_be_used_says_what_to_do(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "fixes.csv"
    path.write_text(text)
    with pytest.raises(FixesFileError, match=why):
        read_fixes(path)


@pytest.mark.parametrize("content", [b"wearer,time,lat,lon\nW\xff,1,2,3\n", b"PAR1 torn"])
def test_a_damaged_file_is_refused_without_showing_its_rows(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fixes"
    path.write_bytes(content)
    with pytest.raises(FixesFileError, match=r"UTF-8|not a Parquet file"):
        read_fixes(path)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_header_alone_is_no_fixes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "fixes.csv"
    path.write_text(HEADER + ending, newline="")
    fixes = read_fixes(path)
    assert fixes.read == len(fixes.batch) == 0


def typed(rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    at = np.arange(rows) * 1_001 + AT_MS
    return {
        "wearer": pa.array([f"W{i % 3}" for i in range(rows)]).dictionary_encode(),
        "time": pa.array(at, pa.timestamp("ms", "UTC")),
        "lat": rng.uniform(-90, 90, rows),
        "lon": rng.uniform(-180, 180, rows),
        "accuracy_m": pa.array([None if i % 4 == 0 else i / 3 for i in range(rows)], pa.float32()),
        "source": pa.array(["gps", "lbs", None, "wifi", "rf"] * (rows // 5)),
        "speed_mps": rng.uniform(0, 30, rows).astype(np.float32),
        "course_deg": rng.uniform(0, 360, rows),
    }


def test_parquet_and_csv_give_the_same_batch_to_the_bit(tmp_path: Path) -> None:
    table = pa.table(typed(500))
    parquet.write_table(table, tmp_path / "fixes.parquet")
    texts = table.set_column(0, "wearer", table["wearer"].cast(pa.string()))
    csv.write_csv(texts, tmp_path / "fixes.csv")
    one, other = read_fixes(tmp_path / "fixes.parquet"), read_fixes(tmp_path / "fixes.csv")
    assert len(one.batch) == 500
    assert one.wearers == other.wearers
    assert same(one.batch, other.batch)


@pytest.mark.parametrize(
    "change",
    [
        {"time": pa.array([AT_MS] * 5, pa.timestamp("us", "UTC"))},
        {"time": pa.array([AT_MS] * 5, pa.timestamp("ns", "Europe/London"))},
        {"wearer": pa.array([1, 2, 3, 4, 5])},
        {"lat": pa.array(["1", "2", "3", "4", "5"])},
        {"lon": pa.array([1.5] * 5, pa.float32())},
        {"source": pa.array([1, 2, 3, 4, 0], pa.int8())},
    ],
)
def test_parquet_columns_may_have_other_types(tmp_path: Path, change: dict[str, Any]) -> None:
    parquet.write_table(pa.table(typed(5) | change), tmp_path / "fixes.parquet")
    fixes = read_fixes(tmp_path / "fixes.parquet")
    refused = 5 if change.keys() == {"time"} else 0  # those are dated 1970 in their unit
    assert len(fixes.refused) == refused


def test_parquet_rows_count_from_one_and_nulls_are_absent(tmp_path: Path) -> None:
    columns = typed(5) | {"lat": pa.array([None, 1.0, float("nan"), 91.0, 2.0])}
    parquet.write_table(pa.table(columns), tmp_path / "fixes.parquet")
    refused = read_fixes(tmp_path / "fixes.parquet").refused
    assert [r.row for r in refused] == [1, 3, 4]


def test_a_timestamp_without_a_zone_is_refused(tmp_path: Path) -> None:
    naive = pa.array([datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)] * 5)
    parquet.write_table(pa.table(typed(5) | {"time": naive}), tmp_path / "fixes.parquet")
    with pytest.raises(FixesFileError, match="no time zone: store it as UTC, or use time_ms"):
        read_fixes(tmp_path / "fixes.parquet")


def test_signals_are_fixes_without_a_position(tmp_path: Path) -> None:
    path = tmp_path / "signals.csv"
    path.write_text(
        "wearer,time,kind\nW1,2026-03-01T10:02:00Z,strap_cut\nW1,2026-03-01T10:02:00Z,yawn\n"
        "W1,2026-03-01T10:02:00Z,tamper_inspected\n"
    )
    fixes = read_signals(path)
    assert fixes.batch.signals.tolist() == [Signal.STRAP_CUT]
    assert fixes.batch.lat_e7.tolist() == [NO_POSITION]
    assert [r.row for r in fixes.refused] == [3, 4]
    assert "signal 'yawn' is none of strap_cut" in fixes.refused[0].why


def test_one_bad_time_among_many_does_not_change_the_others(tmp_path: Path) -> None:
    rows = [GOOD.replace("10:02:00", f"10:02:00.{i:03d}") for i in range(300)]
    clean = read(tmp_path, *rows)
    mixed = read(tmp_path, *rows, GOOD.replace("10:02", "10:99"))
    assert same(clean.batch, mixed.batch)
    assert len(replace(mixed, refused=()).batch) == 300
