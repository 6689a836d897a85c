from __future__ import annotations

import json
from contextlib import suppress
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.codecs.ringfence_json import JSON, MSGPACK, WHAT_TO_SEND, decode, reply
from ringfence.gateway.report import MalformedError, Receipt, Refusal, Report

CONTRACT = {
    "seq": 17,
    "time": "2026-03-01T10:02:00Z",
    "lat": 51.5,
    "lon": -0.1,
    "accuracy_m": 8,
    "source": "gnss",
    "speed_mps": 1.1,
    "course_deg": 90,
    "satellites": 9,
    "hdop": 0.9,
    "battery_pct": 81,
    "signals": ["strap_cut"],
}
AT = {"time": "2026-03-01T10:02:00Z"}


def body(*reports: Any, tag: str = "T1") -> bytes:
    return json.dumps({"tag": tag, "reports": list(reports)}).encode()


def only(report: dict[str, Any]) -> Report:
    decoded = decode(body(report), JSON)
    assert not decoded.refused
    return decoded.reports[0]


def why(report: Any) -> str:
    decoded = decode(body(report, AT), JSON)
    assert len(decoded.reports) == 1, "the report beside it is kept"
    assert [r.index for r in decoded.refused] == [0]
    return decoded.refused[0].why


def test_the_contracts_example_is_read_in_full() -> None:
    report = only(CONTRACT)
    assert report.seq == 17
    assert report.time_ms == 1_772_359_320_000
    assert (report.lat_e7, report.lon_e7) == (515_000_000, -1_000_000)
    assert (report.accuracy_m, report.speed_mps, report.course_deg) == (8.0, 1.1, 90.0)
    assert report.source == Source.GNSS
    assert (report.satellites, report.hdop, report.battery_pct) == (9, 0.9, 81.0)
    assert report.signals == Signal.STRAP_CUT


def test_what_is_not_said_is_unknown_and_never_zero() -> None:
    report = only(AT)
    assert {f for f, v in report._asdict().items() if v is not None} == {
        "digest",
        "time_ms",
        "source",
        "signals",
    }


def test_a_report_may_hold_signals_without_a_position() -> None:
    report = only({**AT, "signals": ["strap_cut", "battery_low"]})
    assert report.lat_e7 is None
    assert report.signals == Signal.STRAP_CUT | Signal.BATTERY_LOW


@pytest.mark.parametrize("media_type", sorted(MSGPACK))
def test_messagepack_says_the_same_with_the_same_digest(media_type: bytes) -> None:
    packed = msgspec.msgpack.encode({"tag": "T1", "reports": [CONTRACT]})
    assert decode(packed, media_type) == decode(body(CONTRACT), JSON)


def test_the_digest_never_changes_between_versions() -> None:
    # Stored digests tell duplicates apart for years: a change here stores old reports twice.
    assert only(CONTRACT).digest == DIGEST


DIGEST = -7432870027383712645


def test_the_digest_tells_every_field_apart() -> None:
    others = [
        {"seq": 18}, {"time": "2026-03-01T10:02:00.001Z"}, {"lat": 51.5000001}, {"lon": -0.1000001},
        {"accuracy_m": 8.5}, {"source": "cell"}, {"speed_mps": 1.2}, {"course_deg": 91},
        {"altitude_m": 3}, {"satellites": 8}, {"hdop": 1}, {"battery_pct": 80}, {"signals": []},
    ]  # fmt: skip
    digests = {only({**CONTRACT, **other}).digest for other in [{}, *others]}
    assert len(digests) == len(others) + 1


@pytest.mark.parametrize(
    ("alias", "source"),
    [("gps", Source.GNSS), ("lbs", Source.CELL), ("rf", Source.RF), ("wifi", Source.WIFI)],
)
def test_sources_have_aliases(alias: str, source: Source) -> None:
    assert only({**AT, "source": alias}).source == source


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lat", 91), ("lat", -90.1), ("lat", 51_500_000), ("lat", "51.5"), ("lat", True),
        ("lon", 181), ("lon", [0]), ("accuracy_m", 1e12), ("speed_mps", -1), ("course_deg", 361),
        ("satellites", -1), ("satellites", 1.5), ("hdop", -1), ("battery_pct", 101),
        ("seq", -1), ("seq", 2**63), ("source", "star"), ("signals", "sos"), ("signals", ["cut"]),
        ("signals", [1]), ("time", 1_772_359_320), ("time", "2026-03-01T10:02:00"),
        ("time", "yesterday"), ("time", "2026-02-30T10:00:00Z"),
    ],
)  # fmt: skip
def test_an_impossible_field_refuses_its_report_alone_and_says_what_to_send(
    field: str, value: object
) -> None:
    told = why({**CONTRACT, field: value})
    assert field in told
    assert WHAT_TO_SEND[field] in told


@pytest.mark.parametrize(("field", "value"), [("lat", 123.456), ("source", "My Street 1")])
def test_a_refusal_never_repeats_what_was_said(field: str, value: object) -> None:
    assert str(value) not in why({**CONTRACT, field: value})


def test_a_report_without_time_is_refused() -> None:
    assert why({"lat": 51.5, "lon": -0.1}).startswith("no time: send when it happened")


@pytest.mark.parametrize("half", ["lat", "lon"])
def test_half_a_position_is_refused(half: str) -> None:
    assert "lat without lon" in why({**AT, half: 0.5})


@pytest.mark.parametrize("item", [None, 7, "x", []])
def test_what_is_no_report_is_refused_alone(item: object) -> None:
    assert "not an object" in why(item)


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("field", ["lat", "accuracy_m", "speed_mps", "altitude_m", "hdop"])
def test_not_a_number_refuses_its_report_alone_though_it_is_no_json(field: str, bad: str) -> None:
    raw = b'{"tag":"T1","reports":[{"time":"2026-03-01T10:02:00Z","%s":%s},%s]}'
    decoded = decode(raw % (field.encode(), bad.encode(), json.dumps(CONTRACT).encode()), JSON)
    assert [r.seq for r in decoded.reports] == [17]
    assert field in decoded.refused[0].why


def test_not_a_number_in_messagepack_is_refused_alone() -> None:
    reports = [{**CONTRACT, "lat": float("nan")}, CONTRACT]
    decoded = decode(
        msgspec.msgpack.encode({"tag": "T1", "reports": reports}), b"application/msgpack"
    )
    assert [len(decoded.reports), len(decoded.refused)] == [1, 1]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "array"),
        (b'{"x":' + b"[" * 100_000, "not JSON"),
        (b"[]", "tag"),
        (b'{"reports":[]}', "`tag`"),
        (b'{"tag":"T1"}', "`reports`"),
        (b'{"tag":1,"reports":[]}', "tag"),
        (b'{"tag":"T1","reports":{}}', "reports"),
    ],
)
def test_a_body_that_is_no_body_is_malformed_with_the_reason(raw: bytes, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        decode(raw, JSON)


def test_every_way_to_cut_a_body_short_is_malformed() -> None:
    whole = body(CONTRACT)
    for end in range(len(whole)):
        with pytest.raises(MalformedError):
            decode(whole[:end], JSON)


plain = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9)
nested = st.lists(plain, max_size=2) | st.dictionaries(st.text(max_size=3), plain, max_size=2)
claimed = st.dictionaries(st.sampled_from(list(CONTRACT)), plain | nested, max_size=4)


@given(st.lists(plain | nested | claimed | claimed.map(lambda c: {**CONTRACT, **c}), max_size=3))
def test_any_json_is_taken_or_refused_report_by_report(reports: list[Any]) -> None:
    decoded = decode(json.dumps({"tag": "T1", "reports": [*reports, CONTRACT]}).encode(), JSON)
    assert len(decoded.reports) + len(decoded.refused) == len(reports) + 1
    assert decoded.reports[-1].seq == 17


@given(st.binary(), st.sampled_from([JSON, *sorted(MSGPACK)]))
def test_any_bytes_are_read_or_malformed(raw: bytes, media_type: bytes) -> None:
    with suppress(MalformedError):
        assert len(decode(raw, media_type).reports) <= len(raw)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_coordinates_are_quantised_to_the_nearest_unit(lat: float, lon: float) -> None:
    report = only({**AT, "lat": lat, "lon": lon})
    assert report.lat_e7 is not None
    assert report.lon_e7 is not None
    assert abs(report.lat_e7 / 1e7 - lat) <= 0.500001e-7
    assert abs(report.lon_e7 / 1e7 - lon) <= 0.500001e-7


def test_the_reply_counts_and_names() -> None:
    told = json.loads(reply(Receipt(2, 1), [Refusal(3, "lat can't be used")]))
    assert told == {
        "accepted": 2,
        "duplicate": 1,
        "refused": [{"index": 3, "why": "lat can't be used"}],
    }


def test_times_with_any_offset_are_the_same_instant() -> None:
    for text, offset in product(["2026-03-01T12:02:00", "2026-03-01T12:02:00.000"], ["+02:00"]):
        assert only({"time": text + offset}).time_ms == 1_772_359_320_000


@pytest.mark.parametrize("media_type", [JSON, *sorted(MSGPACK)])
def test_a_tag_cannot_say_that_a_person_inspected_it(media_type: bytes) -> None:
    said = {"tag": "T1", "reports": [{**AT, "signals": ["strap_ok", "tamper_inspected"]}]}
    encode = msgspec.json.encode if media_type == JSON else msgspec.msgpack.encode
    decoded = decode(encode(said), media_type)
    assert decoded.reports == []
    assert "unknown signal" in decoded.refused[0].why
    assert "tamper_inspected" not in decoded.refused[0].why
