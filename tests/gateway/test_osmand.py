from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.codecs.osmand import (
    MOST_LOCATIONS,
    MOST_PARAMETERS,
    MOST_TEXT,
    decode,
    decode_query,
    unnamed,
)
from ringfence.gateway.report import MalformedError, Report

NOW_MS = 1_772_359_400_000
AT_MS = 1_772_359_320_000  # 2026-03-01T10:02:00Z
HERE = "id=T1&timestamp=1772359320&lat=51.5&lon=-0.1"
LOCATION = {
    "timestamp": "2026-03-01T10:02:00.500Z",
    "coords": {
        "latitude": 51.5, "longitude": -0.1, "accuracy": 10, "speed": 2.5, "heading": 271,
        "altitude": 40,
    },
}  # fmt: skip


def of_query(text: str) -> Report:
    decoded = decode_query(text, NOW_MS)
    assert not decoded.refused
    return decoded.reports[0]


def of_json(location: Any) -> Report:
    decoded = decode(json.dumps({"location": location, "device_id": "T1"}).encode(), NOW_MS)
    assert (decoded.tag, decoded.refused) == ("T1", [])
    return decoded.reports[0]


def test_parameters_become_a_fix_in_metres_and_seconds() -> None:
    report = of_query(
        f"{HERE}&speed=10&bearing=271&altitude=40&hdop=0.9&accuracy=10&batt=46.5&charge=true"
    )
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS, 515_000_000, -1_000_000)
    assert report.speed_mps == pytest.approx(5.1444, abs=1e-4)
    assert report.accuracy_m == pytest.approx(16.21, abs=0.01)
    assert (report.course_deg, report.altitude_m, report.hdop) == (271.0, 40.0, 0.9)
    assert (report.battery_pct, report.signals) == (46.5, Signal.CHARGING)
    assert report.source == Source.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "deviceid=T1&timestamp=1772359320000&location=51.5,-0.1",
        "id=T1&lat=51.5&lon=-0.1&timestamp=2026-03-01T10%3A02%3A00Z",
        "id=T1&lat=51.5&lon=-0.1&timestamp=2026-03-01T11:02:00+01:00",
        "id=T1&lat=51.5&lon=-0.1&timestamp=2026-03-01T11%3A02%3A00%2B01:00",
        "id=T1&lat=51.5&lon=-0.1&timestamp=2026-03-01+10%3A02%3A00",
        "id=T1&lat=51.5&lon=-0.1&timestamp=1772359320&valid=1",
        "id=T%31&lat=51.5&lon=-0.1&timestamp=1772359320.0&valid=true&cell=234,15,1,2",
    ],
)
def test_the_same_report_may_be_spelt_in_many_ways(text: str) -> None:
    assert decode_query(text, NOW_MS) == decode_query(HERE, NOW_MS)


@pytest.mark.parametrize("form", ["{}", "/?{}", "http://127.0.0.1:1/gateway/osmand?{}", "/a/b?{}"])
def test_a_form_and_a_url_say_the_same(form: str) -> None:
    assert decode(form.format(HERE).encode(), NOW_MS) == decode_query(HERE, NOW_MS)


def test_without_a_timestamp_the_arrival_counts() -> None:
    assert of_query("id=T1&lat=51.5&lon=-0.1").time_ms == NOW_MS


@pytest.mark.parametrize(
    "text",
    [
        "id=T1&timestamp=1772359320",
        "id=T1&timestamp=1772359320&cell=234,15,1,2&cell=234,15,1,3,-90&wifi=00-00-5e-00-53-01,-80",
        f"{HERE}&valid=false",
        f"{HERE}&valid=0",
        "id=T1&timestamp=1772359320&lat=0&lon=0.0",
    ],
    ids=["nothing", "cells", "invalid", "0", "no fix"],
)
def test_what_holds_no_position_is_kept_without_one(text: str) -> None:
    report = of_query(f"{text}&alarm=sos")
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS, None, None)
    assert report.signals == Signal.SOS


@pytest.mark.parametrize(
    ("alarm", "signals"),
    [
        ("sos", Signal.SOS),
        ("removing", Signal.STRAP_CUT),
        ("tampering", Signal.CASE_OPEN),
        ("lowBattery,removing", Signal.BATTERY_LOW | Signal.STRAP_CUT),
        ("geofenceEnter", 0),
        ("tamper_inspected", 0),
        ("", 0),
    ],
)
def test_alarms_are_a_set_of_signals(alarm: str, signals: int) -> None:
    assert of_query(f"{HERE}&alarm={alarm}").signals == signals
    assert of_json({**LOCATION, "alarm": alarm}).signals == signals
    assert of_json({**LOCATION, "extras": {"alarm": alarm}}).signals == signals


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("lat=91", "lat"),
        ("lat=x", "lat"),
        ("lat=5_1", "lat"),
        ("lat=nan", "lat"),
        ("lon=-181", "lon"),
        ("lon=", "lon"),
        ("timestamp=yesterday", "timestamp"),
        ("timestamp=-5", "timestamp"),
        ("timestamp=0001-01-01T00:00:00Z", "timestamp"),
        ("timestamp=9999999999999999", "timestamp"),
    ],
)
def test_an_impossible_report_is_refused_by_field_and_never_by_value(
    change: str, field: str
) -> None:
    decoded = decode_query(f"{HERE}&{change}", NOW_MS)
    assert (decoded.tag, decoded.reports) == ("T1", [])
    assert decoded.refused[0].why.startswith(field)
    assert (change.partition("=")[2] or "51.5") not in decoded.refused[0].why


@pytest.mark.parametrize("extra", ["speed=x", "speed=-1", "bearing=400", "batt=-1", "hdop=0"])
def test_nonsense_beside_a_position_never_costs_it(extra: str) -> None:
    assert decode_query(f"{HERE}&{extra}", NOW_MS) == decode_query(HERE, NOW_MS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("timestamp=1772359320&lat=51.5&lon=-0.1", "no id"),
        ("", "no id"),
        (f"{HERE}&id=T2", "two different ids"),
        (HERE + "&a" * MOST_PARAMETERS, "parameters"),
        (f"{HERE}&x=" + "%41" * MOST_TEXT, "characters"),
    ],
)
def test_parameters_that_are_nobodys_or_too_many_are_malformed(text: str, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        decode_query(text, NOW_MS)


def test_json_becomes_a_fix_in_metres_and_seconds() -> None:
    report = of_json(
        {**LOCATION, "battery": {"level": 0.46, "is_charging": True}, "is_moving": True}
    )
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS + 500, 515_000_000, -1_000_000)
    assert (report.speed_mps, report.course_deg, report.altitude_m) == (2.5, 271.0, 40.0)
    assert report.accuracy_m == pytest.approx(16.21, abs=0.01)
    assert (report.battery_pct, report.signals) == (46.0, Signal.CHARGING | Signal.MOTION)


def test_what_a_phone_does_not_know_is_unknown() -> None:
    coords = {"latitude": 51.5, "longitude": -0.1, "accuracy": 0, "speed": -1, "heading": -1}
    report = of_json({**LOCATION, "coords": coords, "battery": {"level": -1}, "is_moving": False})
    assert (report.speed_mps, report.course_deg, report.accuracy_m) == (None, None, None)
    assert (report.battery_pct, report.signals) == (None, Signal.NO_MOTION)


@pytest.mark.parametrize(
    "marked",
    [
        {"mock": True},
        {"coords": {**LOCATION["coords"], "mock": True}},
        {"extras": {"mock": "true"}},
    ],
)
def test_a_place_that_the_phone_calls_made_up_is_kept_and_marked(marked: dict[str, Any]) -> None:
    report = of_json({**LOCATION, **marked})
    assert (report.lat_e7, report.signals) == (515_000_000, Signal.MOCK_POSITION)
    honest = of_json({**LOCATION, "mock": False})
    assert honest.signals == 0


def test_a_mock_parameter_is_the_same_mark() -> None:
    (report,) = decode_query(HERE + "&mock=true", NOW_MS).reports
    assert (report.lat_e7 is not None, report.signals) == (True, Signal.MOCK_POSITION)
    assert decode_query(HERE + "&mock=false", NOW_MS).reports[0].signals == 0


def test_what_can_not_be_read_beside_a_place_stays_raw() -> None:
    odd = HERE + "&speed=fast&batt=300&hdop=-1"
    assert unnamed(odd.encode()) == [{"speed": "fast", "batt": "300", "hdop": "-1"}]
    held = HERE + "&valid=false"
    assert {"stale_lat", "stale_lon"} <= set(unnamed(held.encode())[0])
    coords = {**LOCATION["coords"], "heading": "north"}
    body = json.dumps({"location": {**LOCATION, "coords": coords}}).encode()
    assert unnamed(body)[0]["heading"] == "north"


def test_an_event_without_a_place_is_kept_without_one() -> None:
    report = of_json({"timestamp": "2026-03-01T10:02:00Z", "event": "heartbeat"})
    assert (report.time_ms, report.lat_e7) == (AT_MS, None)


@pytest.mark.parametrize(
    "shape",
    [
        lambda one, two: {"device_id": "T1", "location": [one, two]},
        lambda one, two: {"device_id": "T1", "locations": [one, two]},
        lambda one, two: [{"device_id": "T1", "location": o} for o in (one, two)],
    ],
)
def test_several_locations_come_in_one_request(shape: Any) -> None:
    later = {**LOCATION, "timestamp": "2026-03-01T10:03:00Z"}
    decoded = decode(json.dumps(shape(LOCATION, later)).encode(), NOW_MS)
    assert decoded.tag == "T1"
    assert [r.time_ms for r in decoded.reports] == [AT_MS + 500, AT_MS + 60_000]


def test_one_bad_location_never_costs_the_others() -> None:
    bad = [{**LOCATION, "coords": {"latitude": 91, "longitude": 0}}, 7, {"coords": {}}]
    decoded = decode(json.dumps({"location": [LOCATION, *bad, LOCATION]}).encode(), NOW_MS)
    assert (decoded.tag, len(decoded.reports)) == (None, 2)
    assert [r.index for r in decoded.refused] == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "not JSON"),
        (b"{}", "no location"),
        (b"[1]", "no location"),
        (
            b'[{"device_id":"T1","location":{}},{"device_id":"T2","location":{}}]',
            "two different device_ids",
        ),
        (b'{"location":[' + b"{}," * MOST_LOCATIONS + b"{}]}", "send fewer"),
        (b"id=\xff", "UTF-8"),
    ],
)
def test_what_is_no_message_is_malformed(body: bytes, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        decode(body, NOW_MS)


def test_what_has_no_name_of_ours_is_said_only_to_who_asks() -> None:
    assert unnamed(f"/?{HERE}&rpm=933&alarm=sos,tow&cell=1,2,3,4&cell=5,6,7,8".encode()) == [
        {"rpm": "933", "alarm": ["tow"], "cell": ["1,2,3,4", "5,6,7,8"]}
    ]
    said = {**LOCATION, "uuid": "x", "coords": {**LOCATION["coords"], "floor": 2}}  # type: ignore[dict-item]
    assert unnamed(json.dumps({"location": said}).encode()) == [{"uuid": "x", "floor": 2}]


@pytest.mark.parametrize(
    "body",
    [
        b"id=T1&lat=1&lon=1&x=" + b"%41" * 300_000,
        b"id=T1" + b"&" * 1_000_000,
        b'{"location":{"timestamp":1,"alarm":"' + b"," * 1_000_000 + b'"}}',
        b'{"location":{"timestamp":1' + b"0" * 1_000_000 + b"}}",
        b'{"location":[' + b"1," * 500_000 + b"1]}",
        b"[" * 1_000_000,
    ],
)
def test_no_body_takes_long(body: bytes) -> None:
    begun_s = time.process_time()
    with suppress(MalformedError):
        decode(body, NOW_MS)
    assert time.process_time() - begun_s < 0.1


TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["0", "-1", "nan", "1e400", "51.5", "true", "2026-03-01"]
)
NAMES = st.sampled_from(
    ["id", "lat", "lon", "location", "timestamp", "speed", "valid", "alarm", "cell", "hdop", "batt"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.binary()
    | st.lists(st.tuples(NAMES, TEXTS)).map(
        lambda pairs: "&".join(f"{n}={v}" for n, v in [("id", "T1"), *pairs]).encode()
    )
    | st.dictionaries(
        st.sampled_from(["timestamp", "coords", "battery", "alarm", "extras", "is_moving"]), VALUES
    ).map(lambda m: json.dumps({"location": [m, {**LOCATION, **m}]}).encode())
)  # fmt: skip
def test_any_bytes_are_read_refused_or_malformed(raw: bytes) -> None:
    with suppress(MalformedError):
        decoded = decode(raw, NOW_MS)
        assert len(decoded.reports) + len(decoded.refused) in (1, 2)
        assert len(unnamed(raw)) == len(decoded.reports) + len(decoded.refused)


def test_captured_requests_read_as_another_decoder_reads_them(shared: Path) -> None:
    frames = json.loads((shared / "frames" / "osmand.json").read_text())
    expected = frames["expected"]["OsmAndProtocolDecoder"]
    compared = 0
    for frame in frames["decoders"]["OsmAndProtocolDecoder"]:
        sent = frame["frame"]
        decoded = decode((sent["body"]["data"] if "body" in sent else sent["url"]).encode(), NOW_MS)
        assert not decoded.refused
        (report,) = decoded.reports
        if frame["check"] != "verifyPosition":
            assert report.lat_e7 is None
            continue
        (want,) = expected[str(frame["i"])]["positions"]
        assert decoded.tag == want["id"]
        assert report.time_ms == _when(want)
        assert report.lat_e7 == pytest.approx(want["lat"] * 1e7, abs=100)
        assert report.lon_e7 == pytest.approx(want["lon"] * 1e7, abs=100)
        if want.get("speed_raw"):
            assert report.speed_mps == pytest.approx(float(want["speed_raw"]) * 1852 / 3600)
        if want["course"] is not None:
            assert report.course_deg == (
                float(want["course"]) if float(want["course"]) >= 0 else None
            )
        compared += 1
    assert compared


def _when(want: dict[str, Any]) -> float:
    raw = want.get("time", want.get("time_raw"))
    if raw is None:
        return NOW_MS
    if raw.isdigit():
        return int(raw) * 1000
    at = datetime.fromisoformat(raw if raw.endswith("Z") else raw + "Z")
    return at.timestamp() * 1000
