"""Files of others: each format, in each spelling, with each fault by its row and never a place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ringfence.engine.fix import Source
from ringfence.trail.fix_row import FixRow, rows_of
from ringfence.trail.readers import Kind, kind_of, pieces, read_fixes
from ringfence.trail.reports import Reading, Reports, to_reports
from ringfence.trail.spellings import our_names
from ringfence.trail.table import FixesFileError, Refusal
from ringfence.trail.wall_clock import WallClock
from ringfence.trail.writers import Format, write_rows

AT_MS = 1_772_359_320_000
UTC = Reading(WallClock.of("UTC"))


def found(path: Path, reading: Reading = UTC) -> list[Reports]:
    return [to_reports(piece, reading) for piece in pieces(path, everything=True)]


def rows(path: Path, reading: Reading = UTC) -> list[FixRow]:
    return [row for one in found(path, reading) for row in rows_of(one.table)]


def refused(path: Path, reading: Reading = UTC) -> list[Refusal]:
    return [refusal for one in found(path, reading) for refusal in one.refused]


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "file"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


SPELLINGS = [
    (
        "position_id,device_id,position_gps_date,position_latitude,position_longitude,"
        "position_precision,position_speed,position_direction,position_satellite,position_hdop,"
        "position_lbs"
    ),
    (
        "ID,Device ID,GPS Date,Latitude,Longitude,Precision (m),Speed (km/h),Direction (degrees),"
        "Satellites,HDOP,Mechanism"
    ),
    (
        "id,deviceId,gpsDate,latitude,longitude,precision,speed,direction,satellites,hdop,"
        "geolocationMechanism"
    ),
]


@pytest.mark.parametrize("header", SPELLINGS)
def test_the_ministrys_position_rows_are_read_in_every_spelling(
    tmp_path: Path, header: str
) -> None:
    path = written(tmp_path, f"{header}\n99,T1,2026-03-01 10:02:00,51.5,-0.1,12,36,180,8,0.9,5\n")
    assert rows(path) == [
        FixRow(
            *("T1", "", None, AT_MS, None, 515_000_000, -1_000_000, 12.0, int(Source.CELL)),
            *(10.0, 180.0, None, 8, 0.9),
        )
    ]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        *(("1", Source.GNSS), ("4", Source.RF), ("5", Source.CELL), ("6", Source.WIFI)),
        *(("GPS", Source.GNSS), ("rf", Source.RF), ("LBS", Source.CELL), ("WiFi", Source.WIFI)),
        ("", Source.UNKNOWN),
    ],
)
def test_mechanisms_are_sources(tmp_path: Path, text: str, source: Source) -> None:
    path = written(tmp_path, f"gpsDate,latitude,longitude,mechanism\n2026-03-01,51,0,{text}\n")
    assert rows(path)[0].source == source


def test_a_mechanism_that_is_none_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "gpsDate,latitude,longitude,mechanism\n2026-03-01,51,0,2\n")
    assert [r.why for r in refused(path)] == [
        "mechanism can't be read: give GPS or 1, RF or 4, LBS or 5, WIFI or 6"
    ]


def test_a_bare_speed_has_a_unit_only_in_the_ministrys_rows() -> None:
    assert our_names(["GPS Date", "speed"]) == ["time", "speed_kmh"]
    assert our_names(["gpsDate", "device_id", "tag"]) == ["time", "device_id", "tag"]
    assert our_names(["time", "speed", " direction "]) == ["time", "speed", "direction"]


def test_radians_are_refused_where_they_show(tmp_path: Path) -> None:
    path = written(tmp_path, "gpsDate,latitude,longitude,direction\n2026-03-01,51,0,-2.155\n")
    assert "no radians" in refused(path)[0].why


def test_minus_one_is_how_phones_say_not_known(tmp_path: Path) -> None:
    path = written(
        tmp_path, "time_ms,lat,lon,speed_mps,course_deg,satellites,hdop\n"
        f"{AT_MS},51,0,-1,-1,-1,-1\n"
    )  # fmt: skip
    assert rows(path)[0][9:14] == (None, None, None, None, None)


FAULTS = [
    ("lat", "91.2345", "latitude is outside"),
    ("lat", "51.2345N", "lat is not a number"),
    ("lon", "180.1", "longitude is outside"),
    ("lon", "inf", "longitude is NaN or infinite"),
    ("lon", "", "no longitude"),
    ("time_ms", "51.2345", "1980…2100"),
    ("time_ms", "51.2345x", "time_ms is not a whole number"),
    ("received_ms", "51.2345x", "received_ms is not a whole number"),
    ("received_ms", "5", "received_ms is outside 1980…2100"),
    ("accuracy_m", "51.2345x", "accuracy_m is not a number"),
    ("accuracy_m", "inf", "accuracy_m is outside"),
    ("speed_mps", "-51.2345", "speed_mps is outside 0…"),
    ("battery_pct", "151.2345", "battery_pct is outside 0…100"),
    ("satellites", "51.2345x", "satellites is not a whole number"),
    ("satellites", "99999", "satellites is outside 0…1000"),
    ("seq", "-51", "seq is outside"),
    ("source", "51.2345", "source can't be read"),
    ("signals", "51.2345", "signals can't be read"),
    ("signals", "tamper_inspected", "no file clears a tamper"),
    ("signals", "16384", "no file clears a tamper"),
]


@pytest.mark.parametrize(("name", "text", "why"), FAULTS)
def test_a_fault_is_told_by_row_and_reason_and_never_shows_what_stands_there(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    good = {"tag": "T1", "time_ms": str(AT_MS), "lat": "51.5", "lon": "-0.1"}
    names = list(good | {name: ""})
    lines = [",".join((good | said).get(n, "") for n in names) for said in ({}, {name: text})]
    path = written(tmp_path, "\n".join([",".join(names), *lines]))
    assert len(rows(path)) == 1
    (fault,) = refused(path)
    assert fault.row == 3
    assert why in fault.why
    assert "51.2345" not in fault.why


GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"
     xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
<metadata><name>not a track</name><time>2001-01-01T00:00:00Z</time></metadata>
<wpt lat="51.4" lon="-0.2"><time>2026-03-01T10:02:00Z</time><name>home</name></wpt>
<trk><name>T1</name><trkseg>
<trkpt lat="51.5" lon="-0.1"><ele>12.5</ele><time>2026-03-01T10:02:00Z</time><sat>9</sat>
<hdop>0.9</hdop><extensions><gpxtpx:TrackPointExtension><gpxtpx:speed>1.5</gpxtpx:speed>
<gpxtpx:course>90</gpxtpx:course></gpxtpx:TrackPointExtension></extensions></trkpt>
<trkpt lat="95" lon="-0.1"><time>2026-03-01T10:03:00Z</time></trkpt>
<trkpt lon="-0.1"><time>2026-03-01T10:03:00Z</time></trkpt>
<trkpt lat="51.5" lon="-0.1"/>
</trkseg></trk>
<rte><rtept lat="51.6" lon="-0.3"><time>2026-03-01T10:02:00Z</time></rtept></rte>
</gpx>
"""


def test_gpx_of_others_is_read_with_what_it_says(tmp_path: Path) -> None:
    path = written(tmp_path, GPX)
    first, full, last = rows(path, Reading(tags_column="track"))
    assert (first.lat_e7, first.tag, last.lat_e7, last.tag) == (514_000_000, "", 516_000_000, "")
    assert full == FixRow(
        *("T1", "", None, AT_MS, None, 515_000_000, -1_000_000, None, 0, 1.5, 90.0, 12.5, 9, 0.9)
    )
    assert [(r.row, r.why.split(":")[0]) for r in refused(path)] == [
        (3, "latitude is outside −90…90 degrees"),
        (4, "no latitude"),
        (5, "no time"),
    ]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<gpx><trk><name>&b;</name></trk></gpx>
"""
OUTSIDE = """<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx><trk/></gpx>"""


@pytest.mark.parametrize("text", [BOMB, OUTSIDE])
def test_gpx_with_a_document_type_is_refused_so_that_no_entity_is_expanded(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(FixesFileError, match="document type"):
        rows(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<html></html>", "its first element is not <gpx>"),
        ("<gpx><trk>", "not XML at line 1"),
        ("<gpx></gpx></gpx>", "not XML"),
        ("<gpx>&undefined;</gpx>", "not XML"),
        ("<", "not XML"),
        ("{", "not JSON"),
        ("{}", "no features in it"),
        ('{"features": 3}', "no features in it"),
        ('{"type": "FeatureCollection", "features": [{}, ', "not JSON, or cut short"),
    ],
)
def test_a_file_that_is_none_says_what_to_do(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(FixesFileError, match=why):
        rows(written(tmp_path, text))


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def point(*place: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(place)}


def test_geojson_is_a_fix_a_feature(tmp_path: Path) -> None:
    said = {"tag": "T1", "time": "2026-03-01T10:02:00Z"}
    collection = {
        "type": "FeatureCollection",
        "features": [
            feature(point(-0.1, 51.5, 12.5), **said, accuracy_m=8, source="gps", shoe={"size": 44}),
            feature({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, **said),
            feature(point(-0.1), **said),
            feature(None, **said, signals=["strap_cut", "battery_low"]),
            feature(point("north", 51.5), **said),
            feature(point(-0.1, 51.5), tag="T1", time_ms=AT_MS),
            feature(point(-0.1, 51.5), tag="T1"),
            "no feature",
        ],
    }
    path = written(tmp_path, collection)
    assert kind_of(path) is Kind.JSON
    full, silent, last = rows(path)
    assert last.time_ms == full.time_ms
    assert full[:9] == ("T1", "", None, AT_MS, None, 515_000_000, -1_000_000, 8.0, 1)
    assert (full.altitude_m, silent.lat_e7, silent.signals) == (12.5, None, 9)
    assert [(r.row, r.why.split(":")[0]) for r in refused(path)] == [
        (2, "its geometry is not a Point"),
        (3, "its Point has no longitude and latitude"),
        (5, "lon is not a number"),
        (7, "no time_ms"),
        (8, "not a GeoJSON Feature"),
    ]


PRISM = {
    "type": "Feature",
    "properties": {"tag": "T1"},
    "temporalGeometry": {
        "type": "MovingPoint",
        "datetimes": ["2026-03-01T10:02:00Z", "2026-03-01T10:03:00Z"],
        "coordinates": [[-0.1, 51.5, 12.5], [-0.2, 51.6]],
        "interpolation": "Linear",
    },
    "temporalProperties": [
        {
            "datetimes": ["2026-03-01T10:03:00Z", "2026-03-01T10:04:00Z"],
            "speed_mps": {"type": "Measure", "form": "MTS", "values": [1.5, 2]},
            "signals": {"type": "Text", "values": ["", "strap_cut"]},
        }
    ],
}
TRAJECTORY = {
    "type": "Feature",
    "properties": {"tag": "T1", "datetimes": [AT_MS, AT_MS + 60_000]},
    "geometry": {"type": "LineString", "coordinates": [[-0.1, 51.5], [-0.2, 51.6]]},
}
BARE = {**TRAJECTORY["geometry"], "type": "MovingPoint", "datetimes": [AT_MS, AT_MS + 60_000]}


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    ("moving", "count"), [(PRISM, 3), (TRAJECTORY, 2), (BARE, 2)], ids=["prism", "line", "bare"]
)
def test_moving_points_are_read_in_every_encoding(
    tmp_path: Path, moving: dict[str, Any], count: int, *, alone: bool
) -> None:
    whole = moving if alone else {"type": "FeatureCollection", "features": [moving]}
    got = rows(written(tmp_path, whole))
    assert len(got) == count
    assert [row.time_ms - AT_MS for row in got] == [0, 60_000, 120_000][:count]
    assert (got[1].lat_e7, got[1].lon_e7) == (516_000_000, -2_000_000)
    if moving is PRISM:
        assert [row.altitude_m for row in got] == [12.5, None, None]
        assert [row.speed_mps for row in got] == [None, 1.5, 2.0]
        assert (got[2].lat_e7, got[2].signals) == (None, 1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"datetimes": ["2026-03-01T10:02:00Z"]}, "1 datetimes for 2 coordinates"),
        ({"coordinates": [[-0.1, 51.5], [3]]}, "no longitude and latitude"),
        ({"datetimes": None}, "absent or not a list"),
        ({"datetimes": [1.5, {}]}, "neither ISO 8601 nor whole milliseconds"),
        ({"type": "MovingPolygon"}, "not a MovingPoint"),
    ],
)
def test_a_moving_point_that_is_none_is_refused_and_the_next_is_read(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    bad = {**PRISM, "temporalGeometry": {**PRISM["temporalGeometry"], **change}}  # type: ignore[dict-item]
    path = written(tmp_path, {"type": "FeatureCollection", "features": [bad, PRISM]})
    assert [(r.row, why in r.why) for r in refused(path)] == [(1, True)]
    assert len(rows(path)) == 3


def test_an_owntracks_recording_is_known_and_not_judged(tmp_path: Path) -> None:
    path = written(tmp_path, "2026-03-01T10:02:03Z\t*                 \t{}\n")
    assert kind_of(path) is Kind.OWNTRACKS
    with pytest.raises(FixesFileError, match="ringfence import fixes"):
        read_fixes(path)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
PLACES = [
    ("type",),
    ("properties",),
    ("temporalGeometry",),
    *(("temporalGeometry", name) for name in ("type", "datetimes", "coordinates")),
    ("temporalProperties",),
    ("temporalProperties", 0, "datetimes"),
    ("temporalProperties", 0, "speed_mps"),
    ("temporalProperties", 0, "speed_mps", "values"),
]


@pytest.fixture(scope="module")
def any_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "file"


@given(st.sampled_from(PLACES), anything)
@settings(max_examples=60, deadline=None)
def test_any_value_anywhere_in_a_moving_feature_is_read_or_refused(
    any_file: Path, place: tuple[Any, ...], value: Any
) -> None:
    whole = json.loads(json.dumps(PRISM))
    owner = whole
    for step in place[:-1]:
        owner = owner[step]
    owner[place[-1]] = value
    any_file.write_text(json.dumps({"type": "FeatureCollection", "features": [whole, PRISM]}))
    try:
        assert len(rows(any_file)) >= 3
    except FixesFileError as error:
        assert "JSON" in str(error) or "column" in str(error)  # noqa: PT017


@given(anything, st.sampled_from(["geometry", "properties", "type"]))
@settings(max_examples=60, deadline=None)
def test_any_value_anywhere_in_a_feature_is_read_or_refused(
    any_file: Path, value: Any, name: str
) -> None:
    good = feature(point(-0.1, 51.5), tag="T1", time="2026-03-01T10:02:00Z")
    any_file.write_text(json.dumps({"features": [{**good, name: value}, good]}))
    try:
        read = found(any_file)
    except FixesFileError as error:
        assert "JSON" in str(error) or "column" in str(error)  # noqa: PT017
        return
    assert sum(len(r.numbers) + len(r.refused) for r in read) >= 2


@given(st.binary(max_size=200), st.sampled_from([b"<gpx>", b'{"features":[', b"{", b"PAR1"]))
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_read_or_refused(any_file: Path, content: bytes, start: bytes) -> None:
    any_file.write_bytes(start + content)
    try:
        found(any_file)
    except FixesFileError:
        return


TRACES = {"real_tag_dev": 3_359, "mobilitynet_trips_dev": 80_729, "liverpool_bus14": 1_533}


@pytest.mark.parametrize("name", TRACES)
def test_the_shared_traces_are_read_as_reports(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared / "traces" / f"{name}.parquet"
    if name != "real_tag_dev":  # elsewhere, `source` says whose study it was
        table = parquet.read_table(path).drop_columns("source")
        path = tmp_path / "trace"
        parquet.write_table(table, path)
    got = found(path, Reading(tags_column="subject"))
    assert sum(len(r.numbers) + len(r.refused) for r in got) == TRACES[name]
    assert sum(len(r.numbers) for r in got) == TRACES[name]
    said = [row for r in got for row in rows_of(r.table)][:: 1 + TRACES[name] // 5_000]
    again = tmp_path / "again"
    with again.open("wb") as file:
        write_rows(file, said, Format.CSV)
    assert rows(again) == said


@pytest.mark.parametrize(
    "opens", ['{"features":' + "[" * 300_000, '{"features":[' + '{"a":' * 300_000]
)
def test_a_file_that_is_nothing_but_nesting_is_refused_and_fills_no_memory(
    tmp_path: Path, opens: str
) -> None:
    file = tmp_path / "deep.geojson"
    file.write_text(opens)
    with pytest.raises(FixesFileError, match="nested"):
        read_fixes(file)


def test_brackets_in_texts_are_no_nesting(tmp_path: Path) -> None:
    fix = {"wearer": "W1", "time": "2026-03-01T10:02:00Z", "note": "[{" * 1_000}
    point = {"type": "Point", "coordinates": [-0.1, 51.5]}
    feature = {"type": "Feature", "properties": fix, "geometry": point}
    file = tmp_path / "fixes.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert len(read_fixes(file).batch) == 1
