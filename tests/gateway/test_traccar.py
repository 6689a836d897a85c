from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.codecs.traccar import decode, unnamed
from ringfence.gateway.report import MalformedError, Report

DEVICE = {"id": 10, "attributes": {}, "name": "made up", "uniqueId": "T1", "status": "online"}
POSITION = {
    "id": 5, "attributes": {"batteryLevel": 81, "sat": 9, "hdop": 0.9, "ignition": False},
    "deviceId": 10, "protocol": "teltonika", "serverTime": "2026-03-01T10:02:05.000+00:00",
    "deviceTime": "2026-03-01T10:02:01.000+00:00", "fixTime": "2026-03-01T10:02:00.000+00:00",
    "outdated": False, "valid": True, "latitude": 51.5, "longitude": -0.1, "altitude": 40.0,
    "speed": 10.0, "course": 271.0, "accuracy": 10.0,
}  # fmt: skip
FIX_MS, DEVICE_MS = 1_772_359_320_000, 1_772_359_321_000


def forwarded(position: Any = None, **changes: Any) -> bytes:
    position = {**POSITION, **changes} if position is None else position
    return json.dumps({"position": position, "device": DEVICE}).encode()


def only(**changes: Any) -> Report:
    decoded = decode(forwarded(**changes))
    assert (decoded.tag, decoded.refused) == ("T1", [])
    return decoded.reports[0]


def with_attributes(**attributes: Any) -> Report:
    return only(attributes={**POSITION["attributes"], **attributes})  # type: ignore[dict-item]


def test_a_position_becomes_a_fix_in_metres_and_seconds() -> None:
    report = only()
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (FIX_MS, 515_000_000, -1_000_000)
    assert report.speed_mps == pytest.approx(5.1444, abs=1e-4)
    assert report.accuracy_m == pytest.approx(16.21, abs=0.01)
    assert (report.course_deg, report.altitude_m, report.hdop) == (271.0, 40.0, 0.9)
    assert (report.satellites, report.battery_pct, report.source) == (9, 81.0, Source.GNSS)
    assert report.signals == 0


def test_an_accuracy_of_nothing_is_unknown_never_perfect() -> None:
    assert only(accuracy=0.0).accuracy_m is None


@pytest.mark.parametrize(
    "changes",
    [{"valid": False}, {"outdated": True}, {"latitude": 0, "longitude": 0}],
    ids=["invalid", "the last one again", "never a fix"],
)
def test_what_is_no_fix_is_kept_without_a_position(changes: dict[str, Any]) -> None:
    report = only(**changes, attributes={"alarm": "removing", "batteryLevel": 5})
    assert (report.lat_e7, report.lon_e7) == (None, None)
    assert (report.signals, report.battery_pct) == (Signal.STRAP_CUT, 5.0)


def test_a_message_without_a_fix_is_dated_when_the_device_spoke() -> None:
    assert only(outdated=True, fixTime="2026-02-01T00:00:00.000+00:00").time_ms == DEVICE_MS
    assert only(outdated=True, deviceTime=None).time_ms == FIX_MS


CELLS = [{"cellId": 1, "locationAreaCode": 2}]
STATIONS = [{"macAddress": "00:00:5e:00:53:01", "signalStrength": -60}]


@pytest.mark.parametrize(
    ("network", "source"),
    [
        ({"cellTowers": CELLS}, Source.CELL),
        ({"wifiAccessPoints": STATIONS}, Source.WIFI),
        ({"cellTowers": CELLS, "wifiAccessPoints": STATIONS}, Source.CELL),
        (None, Source.CELL),
    ],
)
@pytest.mark.parametrize("outdated", [True, False])
def test_a_place_from_an_index_of_networks_says_so_and_knows_no_motion(
    network: Any, source: Source, outdated: bool
) -> None:
    report = only(
        network=network, outdated=outdated, speed=0, course=0, altitude=0, accuracy=800,
        attributes={"approximate": True},
    )  # fmt: skip
    assert (report.lat_e7, report.source) == (515_000_000, source)
    assert (report.speed_mps, report.course_deg, report.altitude_m) == (None, None, None)


def test_a_fix_without_satellites_named_may_be_from_anywhere() -> None:
    assert only(attributes={}).source == Source.UNKNOWN


@pytest.mark.parametrize(
    ("alarm", "signals"),
    [
        ("sos", Signal.SOS),
        ("lowBattery,removing", Signal.BATTERY_LOW | Signal.STRAP_CUT),
        (["tampering", "jamming", 7], Signal.CASE_OPEN | Signal.GNSS_JAMMED),
        ("powerOff", Signal.POWER_OFF),
        ("powerCut", Signal.POWER_CUT),
        ("overspeed", 0),
        (7, 0),
    ],
)
def test_alarms_are_a_set_of_signals(alarm: Any, signals: int) -> None:
    assert with_attributes(alarm=alarm).signals == signals


def test_charging_is_a_signal_and_ignition_is_none() -> None:
    assert with_attributes(charge=True, ignition=True, motion=True).signals == Signal.CHARGING


@pytest.mark.parametrize(
    ("mock", "signals"), [(True, Signal.MOCK_POSITION), ("true", Signal.MOCK_POSITION), (False, 0)]
)
def test_a_place_that_the_phone_calls_made_up_is_kept_and_marked(mock: Any, signals: int) -> None:
    report = with_attributes(mock=mock)
    assert report.lat_e7 is not None
    assert report.signals == signals


@pytest.mark.parametrize(
    "changes",
    [
        {"latitude": 91}, {"longitude": None}, {"latitude": "51.5"}, {"fixTime": "noon"},
        {"fixTime": "2026-03-01T10:02:00"}, {"fixTime": None, "deviceTime": None},
    ],
)  # fmt: skip
def test_an_impossible_position_is_refused(changes: dict[str, Any]) -> None:
    decoded = decode(forwarded(**changes))
    assert (decoded.tag, decoded.reports, len(decoded.refused)) == ("T1", [], 1)


def test_an_event_is_no_fix() -> None:
    event = {"event": {"type": "alarm"}, "position": POSITION, "device": DEVICE}
    decoded = decode(json.dumps(event).encode())
    assert (decoded.tag, decoded.reports, decoded.refused) == ("T1", [], [])


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"7", b"[]", b"{}", b'{"position":{}}', b'{"position":{},"device":{}}',
        b'{"position":{},"device":{"uniqueId":7}}', b'{"position":7,"device":{"uniqueId":"T1"}}',
    ],
)  # fmt: skip
def test_what_is_no_forwarded_position_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(body)


def test_what_has_no_name_of_ours_is_said_only_to_who_asks() -> None:
    said = {"batteryLevel": 81, "ignition": True, "alarm": "sos,tow"}
    rest = unnamed(forwarded(attributes=said))
    assert (rest["ignition"], rest["alarm"], rest["protocol"]) == (True, ["tow"], "teltonika")
    assert not {"latitude", "longitude", "batteryLevel", "attributes"} & rest.keys()


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.binary()
    | st.dictionaries(st.sampled_from(list(POSITION)), VALUES).map(lambda c: forwarded(**c))
    | VALUES.map(lambda v: json.dumps(v).encode())
    | st.dictionaries(
        st.sampled_from(["alarm", "sat", "hdop", "batteryLevel", "approximate"]), VALUES
    ).map(lambda a: forwarded(attributes=a))
)
def test_any_bytes_are_read_refused_or_malformed(raw: bytes) -> None:
    with suppress(MalformedError):
        decoded = decode(raw)
        assert len(decoded.reports) + len(decoded.refused) <= 1
        unnamed(raw)
