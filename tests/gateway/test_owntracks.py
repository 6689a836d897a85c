from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_secretbox
from nacl.secret import SecretBox

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.codecs.owntracks import box_of, decode, unnamed
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
    assert (report.speed_mps, report.course_deg) == (10.0, 271.0)
    assert (report.altitude_m, report.battery_pct, report.source) == (40.0, 46.0, Source.GNSS)


def test_a_phones_68_percent_radius_is_kept_as_the_95_percent_one() -> None:
    rng = np.random.default_rng(68)
    errors_m = np.hypot(*rng.normal(0, 10, (2, 200_000)))
    kept_m = only({**HERE, "acc": float(np.quantile(errors_m, 0.68))}).accuracy_m
    assert kept_m == pytest.approx(float(np.quantile(errors_m, 0.95)), rel=0.01)


@pytest.mark.parametrize("acc", [0, -1])
def test_a_radius_of_nothing_is_unknown_never_perfect(acc: int) -> None:
    assert only({**HERE, "acc": acc}).accuracy_m is None


@pytest.mark.parametrize("field", ["acc", "vel", "cog", "alt", "batt"])
@pytest.mark.parametrize("value", ["x", True, [1], 1e9])
def test_an_extra_field_with_nonsense_in_it_is_raw_and_never_costs_the_position(
    field: str, value: object
) -> None:
    message = {**HERE, field: value}
    assert only(message) == only(HERE)
    assert unnamed(json.dumps(message).encode()) == {field: value}


def test_a_place_that_the_phone_calls_made_up_is_kept_and_marked() -> None:
    assert only({**HERE, "mock": True}).signals == Signal.MOCK_POSITION
    assert only({**HERE, "mock": False}).signals == 0


def test_what_a_phone_does_not_know_is_unknown() -> None:
    report = only({**HERE, "vel": -1, "cog": -1, "batt": -1})
    assert (report.speed_mps, report.course_deg, report.battery_pct) == (None, None, None)
    assert report.source == Source.UNKNOWN


def test_a_charging_phone_says_so() -> None:
    assert only({**HERE, "bs": 2}).signals == Signal.CHARGING


def test_a_transition_is_a_fix_where_it_happened() -> None:
    message = {**HERE, "_type": "transition", "event": "enter", "desc": "home"}
    assert only(message).lat_e7 == 515_000_000


def test_meeting_a_beacon_without_saying_where_is_no_fix() -> None:
    message = {"_type": "transition", "tst": 1_772_359_320, "event": "leave", "t": "b"}
    decoded = decode(json.dumps(message).encode())
    assert (decoded.reports, decoded.refused) == ([], [])


@pytest.mark.parametrize("kind", ["lwt", "waypoint", "cmd", "steps", "card", "status", "x"])
def test_other_types_are_never_fixes(kind: str) -> None:
    decoded = decode(json.dumps({**HERE, "_type": kind}).encode())
    assert (decoded.reports, decoded.refused) == ([], [])


@pytest.mark.parametrize(
    ("field", "value"),
    [("lat", 91), ("lon", -181), ("lat", None), ("tst", None), ("tst", -5)],
)
def test_an_impossible_location_is_refused_by_field(field: str, value: object) -> None:
    decoded = decode(json.dumps({**HERE, field: value}).encode())
    assert decoded.reports == []
    assert field in decoded.refused[0].why


def sealed(message: Any, with_: str = "s3cret") -> bytes:
    """What an app sends, sealed by libsodium itself from the key that the booklet describes."""
    key = with_.encode()[:32].ljust(32, b"\0")
    nonce = bytes(range(24))
    data = nonce + crypto_secretbox(json.dumps(message).encode(), nonce, key)
    return json.dumps({"_type": "encrypted", "data": b64encode(data).decode()}).encode()


@pytest.mark.parametrize("secret", ["s", "s3cret", "x" * 32, "x" * 40, "ключ"])
@pytest.mark.parametrize("kind", ["location", "transition"])
def test_an_encrypted_message_says_what_it_would_say_in_plain(kind: str, secret: str) -> None:
    message = {**HERE, "_type": kind, "acc": 5}
    assert decode(sealed(message, secret), box_of(secret)).reports == [only(message)]


def test_an_encrypted_will_is_no_fix() -> None:
    decoded = decode(sealed({**HERE, "_type": "lwt"}), box_of("s3cret"))
    assert (decoded.reports, decoded.refused) == ([], [])


@pytest.mark.parametrize(
    ("body", "box"),
    [
        (sealed(HERE), None),
        (sealed(HERE), box_of("another")),
        (sealed(HERE).replace(b'"A', b'"B'), box_of("s3cret")),
        (b'{"_type":"encrypted","data":"%%%"}', box_of("s3cret")),
        (b'{"_type":"encrypted","data":7}', box_of("s3cret")),
        (b'{"_type":"encrypted"}', box_of("s3cret")),
        (b'{"_type":"encrypted","data":""}', box_of("s3cret")),
    ],
    ids=["no key", "another key", "tampered", "no base64", "no text", "no data", "empty"],
)
def test_what_does_not_open_is_named_as_encrypted(body: bytes, box: SecretBox | None) -> None:
    with pytest.raises(MalformedError, match="owntracks-key") as caught:
        decode(body, box)
    assert caught.value.reason == "encrypted"


def test_encrypted_within_encrypted_is_refused() -> None:
    twice = json.loads(sealed(HERE))
    decoded = decode(sealed(twice), box_of("s3cret"))
    assert decoded.reports == []
    assert "twice" in decoded.refused[0].why


@pytest.mark.parametrize("inner", [{**HERE, "lat": 91}, [], "x", {"no": "type"}])
def test_what_opens_and_is_unusable_is_refused(inner: Any) -> None:
    decoded = decode(sealed(inner), box_of("s3cret"))
    assert (decoded.reports, len(decoded.refused)) == ([], 1)


def test_what_has_no_name_of_ours_is_said_only_to_who_asks() -> None:
    message = {**HERE, "SSID": "café", "inregions": ["home"]}
    assert unnamed(json.dumps(message).encode()) == {"SSID": "café", "inregions": ["home"]}
    assert unnamed(sealed(message), box_of("s3cret")) == {"SSID": "café", "inregions": ["home"]}


@given(st.binary() | st.binary().map(b64encode), st.booleans())
def test_whatever_is_sealed_or_called_so_is_read_refused_or_malformed(
    data: bytes, truly: bool
) -> None:
    box = box_of("s3cret")
    data = b64encode(box.encrypt(data)) if truly else data
    with suppress(MalformedError):
        decoded = decode(
            json.dumps({"_type": "encrypted", "data": data.decode("latin-1")}).encode(), box
        )
        assert len(decoded.reports) + len(decoded.refused) <= 1


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
        assert report.accuracy_m == pytest.approx(want["acc_m"] * 1.62, rel=0.01)
        if want["speed_kmh"] is not None:
            assert report.speed_mps == pytest.approx(want["speed_kmh"] / 3.6)
        compared += 1
    assert compared
