from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.codecs.owntracks import decode
from ringfence.gateway.report import MalformedError, Report

HERE = {"_type": "location", "tst": 1_772_359_320, "lat": 51.5, "lon": -0.1}


def only(message: dict[str, Any]) -> Report:
    decoded = decode(json.dumps(message).encode())
    assert not decoded.refused
    return decoded.reports[0]


def test_a_location_becomes_a_fix_in_metres_and_seconds() -> None:
    report = only(
        {**HERE, "acc": 12, "vel": 36, "cog": 271, "alt": 40, "batt": 46, "source": "gps"}
    )
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (
        1_772_359_320_000,
        515_000_000,
        -1_000_000,
    )
    assert (report.accuracy_m, report.speed_mps, report.course_deg) == (12.0, 10.0, 271.0)
    assert (report.altitude_m, report.battery_pct, report.source) == (40.0, 46.0, Source.GNSS)


def test_what_a_phone_does_not_know_is_unknown() -> None:
    report = only({**HERE, "vel": -1, "cog": -1, "batt": -1})
    assert (report.speed_mps, report.course_deg, report.battery_pct) == (None, None, None)
    assert report.source == Source.UNKNOWN


def test_a_charging_phone_says_so() -> None:
    assert only({**HERE, "bs": 2}).signals == Signal.CHARGING


def test_a_transition_is_a_fix_where_it_happened() -> None:
    message = {**HERE, "_type": "transition", "event": "enter", "desc": "home"}
    assert only(message).lat_e7 == 515_000_000


@pytest.mark.parametrize("kind", ["lwt", "waypoint", "cmd", "steps", "card", "status", "x"])
def test_other_types_are_never_fixes(kind: str) -> None:
    decoded = decode(json.dumps({**HERE, "_type": kind}).encode())
    assert (decoded.reports, decoded.refused) == ([], [])


@pytest.mark.parametrize(
    ("field", "value"),
    [("lat", 91), ("lon", -181), ("lat", None), ("tst", None), ("tst", -5), ("acc", "x")],
)
def test_an_impossible_location_is_refused_by_field(field: str, value: object) -> None:
    decoded = decode(json.dumps({**HERE, field: value}).encode())
    assert decoded.reports == []
    assert field in decoded.refused[0].why


def test_an_encrypted_message_is_named_as_such() -> None:
    with pytest.raises(MalformedError, match="clear the encryption key") as caught:
        decode(b'{"_type":"encrypted","data":"abc"}')
    assert caught.value.reason == "encrypted"


@given(
    st.binary()
    | st.dictionaries(
        st.sampled_from([*HERE, "acc", "vel", "batt"]), st.floats() | st.text() | st.none()
    ).map(lambda m: json.dumps({**m, "_type": "location"}).encode())
)
def test_any_bytes_are_read_refused_or_malformed(raw: bytes) -> None:
    with suppress(MalformedError):
        decoded = decode(raw)
        assert len(decoded.reports) + len(decoded.refused) <= 1


def test_captured_messages_read_as_another_decoder_reads_them(shared: Path) -> None:
    frames = json.loads((shared / "frames" / "owntracks.json").read_text())
    expected = frames["expected"]["OwnTracksProtocolDecoder"]
    compared = 0
    for frame in frames["decoders"]["OwnTracksProtocolDecoder"]:
        if frame["check"] != "verifyPosition":
            continue
        want = expected[str(frame["i"])]["positions"][0]
        report = decode(frame["frame"]["body"]["data"].encode()).reports[0]
        assert report.time_ms == datetime.fromisoformat(want["time"]).timestamp() * 1000
        assert report.lat_e7 == pytest.approx(want["lat"] * 1e7, abs=100)
        assert report.lon_e7 == pytest.approx(want["lon"] * 1e7, abs=100)
        assert report.accuracy_m == want["acc_m"]
        if want["speed_kmh"] is not None:
            assert report.speed_mps == pytest.approx(want["speed_kmh"] / 3.6)
        compared += 1
    assert compared
