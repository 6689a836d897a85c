"""What goes out in any format comes in as the same reports, to the last bit."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ringfence.engine.fix import Signal
from ringfence.trail.fix_row import FixRow, rows_of, table_of
from ringfence.trail.readers import kind_of, pieces, read_fixes
from ringfence.trail.reports import Reading, to_reports
from ringfence.trail.schema import FIXES
from ringfence.trail.writers import WRITERS, Format, Written, write_rows

SAID = int(~Signal.TAMPER_INSPECTED & ~Signal(0))
maybe = st.none()
text = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8
)
instants = st.integers(315_964_800_000, 4_102_444_800_000)
place = st.tuples(
    st.integers(-900_000_000, 900_000_000), st.integers(-1_800_000_000, 1_800_000_000)
)
real = st.floats(-1e7, 1e7)
positive = st.floats(0.0, 1e7)


@st.composite
def rows(draw: st.DrawFn) -> FixRow:
    lat_e7, lon_e7 = draw(place | st.just((None, None)))
    return FixRow(
        tag=draw(text),
        wearer=draw(text | st.just("")),
        seq=draw(maybe | st.integers(0, 2**63 - 1)),
        time_ms=draw(instants),
        received_ms=draw(maybe | instants),
        lat_e7=lat_e7,
        lon_e7=lon_e7,
        accuracy_m=draw(maybe | real),
        source=draw(st.integers(0, 4)),
        speed_mps=draw(maybe | positive),
        course_deg=draw(maybe | st.floats(0.0, 360.0)),
        altitude_m=draw(maybe | real),
        satellites=draw(maybe | st.integers(0, 1000)),
        hdop=draw(maybe | positive),
        battery_pct=draw(maybe | st.floats(0.0, 100.0)),
        signals=draw(st.integers(0, 2**14 - 1)) & SAID,
    )


FULL = FixRow(
    *("T1", "X000001", 7, 1_772_359_320_123, 1_772_359_321_250, -515_000_001, 1_799_999_999),
    *(8.3, 1, 1.1, 359.9, -3.25, 9, 0.9, 81.0, int(Signal.STRAP_CUT | Signal.BATTERY_LOW)),
)
SILENT = FixRow("T1", "", None, 1_772_359_320_123, None, None, None)


def read(path: Path) -> list[FixRow]:
    found = [to_reports(piece, Reading()) for piece in pieces(path, everything=True)]
    assert not [r for one in found for r in (*one.refused, *one.noted)]
    return [row for one in found for row in rows_of(one.table)]


def ordered(given_: Iterable[FixRow]) -> list[FixRow]:
    """As the database gives them tag by tag; equal instants keep their order."""
    return sorted(given_, key=lambda row: (row.tag, row.time_ms))


def same(a: Iterable[FixRow], b: Iterable[FixRow]) -> bool:
    # As bytes, so that −0.0 and 0.0 are told apart.
    def packed(row: FixRow) -> str:
        return str(["".join(f"{b:02x}" for b in struct.pack(">d", v))
                    if isinstance(v, float) else v for v in row])  # fmt: skip

    return sorted(map(packed, a)) == sorted(map(packed, b))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round")


@pytest.mark.parametrize("format_", Format)
@given(st.lists(rows(), max_size=6))
@example([FULL])
@example([SILENT])
@example([FULL, FULL._replace(seq=8), FULL._replace(time_ms=FULL.time_ms - 1), SILENT])
@settings(max_examples=25, deadline=None)
def test_what_is_written_in_any_format_comes_in_the_same(
    folder: Path, format_: Format, given_: list[FixRow]
) -> None:
    path = folder / "fixes"
    given_ = ordered(given_)
    fits = [row for row in given_ if row.has_position or not WRITERS[format_].places_only]
    with path.open("wb") as file:
        written = write_rows(file, given_, format_)
    assert written == Written(len(fits), len(given_) - len(fits))
    assert same(read(path), fits)


def test_a_table_holds_rows_as_they_are() -> None:
    table = table_of([FULL, SILENT])
    assert table.schema == FIXES
    assert rows_of(table) == [FULL, SILENT]
    assert rows_of(table_of([])) == []


@pytest.mark.parametrize("format_", Format)
def test_every_format_can_be_judged(tmp_path: Path, format_: Format) -> None:
    with (tmp_path / "fixes").open("wb") as file:
        write_rows(file, [FULL, FULL._replace(time_ms=FULL.time_ms + 60_000)], format_)
    fixes = read_fixes(tmp_path / "fixes")
    assert fixes.refused == ()
    assert fixes.wearers == ("X000001",)
    assert fixes.batch.lat_e7.tolist() == [-515_000_001] * 2
    assert fixes.batch.time_ms.tolist() == [FULL.time_ms, FULL.time_ms + 60_000]
    assert fixes.batch.source.tolist() == [1, 1]


def test_gpx_is_one_track_a_tag_with_what_other_programs_read(tmp_path: Path) -> None:
    with (tmp_path / "a.gpx").open("wb") as file:
        write_rows(file, [FULL, FULL._replace(tag="T<2>")], Format.GPX)
    text_ = (tmp_path / "a.gpx").read_text()
    assert text_.count("<trkseg>") == text_.count("</trkseg>") == 2
    assert "<trk><name>T&lt;2&gt;</name>" in text_
    assert (
        '<trkpt lat="-51.5000001" lon="179.9999999"><ele>-3.25</ele>'
        "<time>2026-03-01T10:02:00.123Z</time><sat>9</sat><hdop>0.9</hdop><extensions>"
    ) in text_


def test_a_name_that_xml_can_not_hold_spoils_no_gpx(tmp_path: Path) -> None:
    with (tmp_path / "a.gpx").open("wb") as file:
        write_rows(file, [FULL._replace(tag="T\x01", wearer="\x0b")], Format.GPX)
    assert [(row.tag, row.wearer) for row in read(tmp_path / "a.gpx")] == [("T\ufffd", "\ufffd")]


def test_mf_json_is_moving_points_whose_instants_grow(tmp_path: Path) -> None:
    given_ = [FULL, FULL._replace(seq=8), FULL._replace(tag="T2"), SILENT._replace(tag="T2")]
    with (tmp_path / "a.mfjson").open("wb") as file:
        write_rows(file, ordered(given_), Format.MF_JSON)
    collection = json.loads((tmp_path / "a.mfjson").read_text())
    assert collection["type"] == "FeatureCollection"
    first, second, *_ = collection["features"]
    assert first["properties"] == {"tag": "T1", "wearer": "X000001"}
    assert first["temporalGeometry"] == {
        "type": "MovingPoint",
        "datetimes": ["2026-03-01T10:02:00.123Z"],
        "coordinates": [[179.9999999, -51.5000001]],
        "interpolation": "Discrete",
    }
    speeds = first["temporalProperties"][0]["speed_mps"]
    assert speeds == {
        "type": "Measure",
        "form": "MTS",
        "values": [1.1],
        "interpolation": "Discrete",
    }
    assert second["temporalProperties"][0]["seq"]["values"] == [8]
    for feature in collection["features"]:
        for group in (feature["temporalGeometry"], *feature["temporalProperties"]):
            assert group["datetimes"] == sorted(set(group["datetimes"]))


def test_geoparquet_says_what_it_is_and_where_its_points_are(tmp_path: Path) -> None:
    path = tmp_path / "a.geoparquet"
    with path.open("wb") as file:
        write_rows(file, [FULL, SILENT], Format.GEOPARQUET)
    schema = parquet.read_schema(path)
    geo = json.loads(schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"][geo["primary_column"]] == {
        "encoding": "WKB",
        "geometry_types": ["Point"],
    }
    point, none = parquet.read_table(path)["geometry"].to_pylist()
    assert struct.unpack("<BIdd", point) == (1, 1, 179.9999999, -51.5000001)
    assert none is None


def test_geoparquet_of_others_is_read_by_its_points(tmp_path: Path) -> None:
    path = tmp_path / "theirs.parquet"
    geo = {"version": "1.0.0", "primary_column": "g", "columns": {
        "g": {"encoding": "WKB", "geometry_types": ["Point"]}}}  # fmt: skip
    points = [struct.pack("<BIdd", 1, 1, -0.1, 51.5), struct.pack(">BIdd", 0, 1, -0.2, 51.6)]
    table = pa.table({"g": pa.array(points, pa.binary()), "wearer": ["W1", "W1"],
                      "time_ms": [1_772_359_320_000, 1_772_359_380_000]})  # fmt: skip
    parquet.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    fixes = read_fixes(path)
    assert fixes.batch.lat_e7.tolist() == [515_000_000, 516_000_000]
    assert fixes.batch.lon_e7.tolist() == [-1_000_000, -2_000_000]


def test_an_export_of_many_rows_is_read_in_pieces(tmp_path: Path) -> None:
    many = [FULL._replace(time_ms=FULL.time_ms + n, seq=n) for n in range(17_000)]
    for format_ in Format:
        path = tmp_path / format_
        with path.open("wb") as file:
            write_rows(file, iter(many), format_)
        sizes = [len(piece.numbers) for piece in pieces(path, everything=True)]
        assert len(sizes) >= 2, kind_of(path)
        assert sum(sizes) == len(many)
        assert max(sizes) < 20_000
