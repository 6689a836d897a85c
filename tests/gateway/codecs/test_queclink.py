"""Queclink: what its frames come to, however they arrive."""

from __future__ import annotations

import json
import time
from binascii import crc_hqx
from datetime import UTC, datetime
from pathlib import Path
from struct import pack
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.codecs.queclink import CODEC
from ringfence.gateway.codecs.queclink.cutting import MOST_BINARY, MOST_JUNK, MOST_TEXT
from ringfence.gateway.frames import Conversation, DeviceModel, Heard
from ringfence.gateway.report import Report
from tests.gateway.codecs.queclink_frames import (
    CELL,
    EVERY_KIND,
    FIX_MS,
    IMEI,
    PLACE,
    SENT,
    binary,
    closed,
    fri,
    instant,
    located,
    packed_imei,
    placed,
    records,
    text,
)

HERE_E7 = (486_543_210, -91_234_560)
STALE = "0,3.6,271,12.5,-9.123456,48.654321,20260301080000"


def talk(*, zone: str = "UTC", with_raw: bool = True) -> Conversation:
    return CODEC.talk(lambda _: DeviceModel(zone=ZoneInfo(zone)), with_raw)


def heard(frame: bytes, **options: str) -> Heard:
    (only,) = talk(**options).receive(frame)  # type: ignore[arg-type]
    assert only.error is None
    assert only.raw == frame
    return only


def said(frame: bytes) -> Report:
    (report,) = heard(frame).reports
    return report


def place(report: Report) -> tuple[int | None, int | None]:
    return report.lat_e7, report.lon_e7


def test_a_position_keeps_its_own_time_and_our_units() -> None:
    report = said(fri())
    assert report.time_ms == FIX_MS
    assert place(report) == HERE_E7
    assert report.speed_mps == pytest.approx(1.0)
    assert (report.course_deg, report.altitude_m, report.hdop) == (271.0, 12.5, 1.0)
    assert (report.battery_pct, report.source, report.seq) == (83.0, Source.GNSS, 0x11F0)
    assert report.accuracy_m is None


def test_a_frame_names_its_device_and_is_acknowledged_by_its_count() -> None:
    frame = heard(fri(count=0x00AF))
    assert frame.device == IMEI
    assert frame.reply == b"+SACK:00AF$"


def test_a_heartbeat_is_answered_with_its_version_and_count_and_reports_nothing() -> None:
    frame = heard(f"+ACK:GTHBD,1A0401,{IMEI},,{SENT},11F0$".encode())
    assert frame.reply == b"+SACK:GTHBD,1A0401,11F0$"
    assert not frame.reports


def test_an_answer_to_a_command_is_neither_answered_nor_reported() -> None:
    frame = heard(f"+ACK:GTFRI,1A0401,{IMEI},,0008,{SENT},11F0$".encode())
    assert (frame.reply, frame.reports) == (b"", ())


def test_several_positions_are_several_reports_and_the_last_holds_the_state() -> None:
    later = PLACE.replace("100200", "100300")
    both = heard(text("FRI", f"0,0,2,{PLACE},{CELL},{later},{CELL},83")).reports
    assert [r.time_ms for r in both] == [FIX_MS, FIX_MS + 60_000]
    assert [r.battery_pct for r in both] == [None, 83.0]


@pytest.mark.parametrize(
    ("frame", "signal"),
    [
        (text("SOS", f"0,0,1,{PLACE},{CELL},83"), Signal.SOS),
        (text("BPL", f"3.53,{PLACE},{CELL}"), Signal.BATTERY_LOW),
        (text("JDR", f"{PLACE},{CELL}"), Signal.NETWORK_JAMMED),
        (text("JDS", f"2,{PLACE},{CELL}"), Signal.NETWORK_JAMMED),
        (text("JDS", f"1,{PLACE},{CELL}"), Signal(0)),
        (text("GPJ", f"90,3,{PLACE},{CELL}"), Signal.GNSS_JAMMED),
        (text("GPJ", f"30,2,{PLACE},{CELL}"), Signal(0)),
        (text("GSS", f"0,4,,,{PLACE},{CELL}"), Signal.GNSS_LOST),
        (text("GSS", f"1,9,,,{PLACE},{CELL}"), Signal(0)),
        (text("PNA", "").replace(b",,", b","), Signal.POWER_ON),
        (text("PFA", "").replace(b",,", b","), Signal.POWER_OFF),
        (text("BTC", f"{PLACE},{CELL}"), Signal.CHARGING),
        (text("STC", f"0,{PLACE},{CELL}"), Signal(0)),
        (text("EPN", f"{PLACE},{CELL}"), Signal.CHARGING),
        (text("MPN", f"{PLACE},{CELL}"), Signal.CHARGING),
        (text("MPF", f"{PLACE},{CELL}"), Signal(0)),
        (text("STT", f"42,{PLACE},{CELL}"), Signal.MOTION),
        (text("STT", f"41,{PLACE},{CELL}"), Signal.NO_MOTION),
        (text("TEM", f"3,33,{PLACE},{CELL}"), Signal(0)),
        (binary(b"+EVT", 6, b"\x0e\xd8\x01" + located()), Signal.BATTERY_LOW),
        (binary(b"+EVT", 33, b"\x02\x01" + located()), Signal.NETWORK_JAMMED),
        (binary(b"+EVT", 33, b"\x01\x01" + located()), Signal(0)),
        (binary(b"+EVT", 31, b"\xf0\x03\x01" + located()), Signal.GNSS_JAMMED),
        (binary(b"+EVT", 21, b"\x00\0\0\0\0\x01" + located()), Signal.GNSS_LOST),
    ],
)
def test_what_a_device_says_of_itself_becomes_a_signal(frame: bytes, signal: Signal) -> None:
    assert Signal(said(frame).signals) == signal


def test_a_jamming_state_appended_to_a_position_is_a_signal() -> None:
    place_and_cell = f"{PLACE},0234,0010,00AB,00001234,11,7"
    tail = "0.0,,,,,100,210100,,,"
    jammed = said(text("FRI", f",,10,1,{place_and_cell},3,{tail}", version="6E0A03"))
    clear = said(text("FRI", f",,10,1,{place_and_cell},1,{tail}", version="6E0A03"))
    assert (jammed.signals, clear.signals) == (Signal.GNSS_JAMMED, 0)
    assert (jammed.satellites, jammed.battery_pct) == (7, 100.0)


def test_a_last_known_position_is_told_for_its_own_time_and_the_state_for_the_sending() -> None:
    where, state = heard(text("BPL", f"3.53,{STALE},{CELL}")).reports
    assert (place(where), where.time_ms, where.signals) == (HERE_E7, FIX_MS - 7_320_000, 0)
    assert where.hdop is None
    assert (state.lat_e7, state.source) == (None, Source.UNKNOWN)
    assert (state.time_ms, state.signals) == (FIX_MS + 3_000, Signal.BATTERY_LOW)


def test_a_repeated_last_known_position_is_the_same_report_so_it_is_stored_once() -> None:
    conversation = talk()
    (first,) = conversation.receive(fri())
    (again,) = conversation.receive(text("STT", f"41,0{PLACE[1:]},{CELL}", 0x11F1))
    assert again.reports[0] == first.reports[0]
    assert again.reports[1].lat_e7 is None
    assert again.unnamed[1]["last_known_position"] is True
    apart = [heard(text("STT", f"41,{STALE},{CELL}", n)).reports[0].digest for n in (1, 2)]
    assert apart[0] == apart[1]


def test_no_position_and_zero_zero_are_no_fix() -> None:
    for nowhere in (",,,,,,", "1,0.0,0,0.0,0.000000,0.000000,20260301100200"):
        report = said(text("FRI", f"0,0,1,{nowhere},{CELL},83"))
        assert (report.lat_e7, report.battery_pct) == (None, 83.0)


@pytest.mark.parametrize(
    ("lon", "lat", "here"),
    [
        ("-9.12346", "48.6543", (486_543_000, -91_234_600)),
        ("-9.1234561", "48.6543214", (486_543_214, -91_234_561)),
        ("-9.1", "48.654321", (486_543_210, -91_000_000)),
        ("0.000012", "0.000000", (0, 120)),
        ("-179.999999", "-89.5", (-895_000_000, -1_799_999_990)),
    ],
)
def test_a_place_is_read_with_as_many_decimals_as_it_has(
    lon: str, lat: str, here: tuple[int, int]
) -> None:
    odd = f"1,3.6,271,12.5,{lon},{lat},20260301100200"
    assert place(said(fri(odd))) == here
    assert place(said(fri(f",,,,{lon},{lat},20260301100200"))) == here
    stations = odd + ",2,0e36c9916485,-50,,,,e831cd5eb79d,-73,,,"
    assert place(said(text("FRI", f"0,0,1,{stations},,83"))) == here


@pytest.mark.parametrize(
    "lost",
    [
        "1,3.6,271,12.5,-9.123456,48,20260301100200",
        "1,3.6,271,12.5,-9,48,20260301100200",
        "1,3.6,271,12.5,-9.123456,98.654321,20260301100200",
        "1,3.6,271,12.5,-9.123456,48.6543x1,20260301100200",
        "1,3.6,271,12.5,-9.12_456,48.654321,20260301100200",
        "1,3.6,271,12.5,,48.654321,20260301100200",
        "1,3.6,271,12.5,-9.123456,48.654321,",
        "1,3.6,271,12.5,-9.123456,48.654321,20261301100200",
        "1,3.6,271,12.5,-9.123456,48.654321,202603011002",
    ],
)
def test_a_place_that_cannot_be_read_is_told_and_costs_nothing_else(lost: str) -> None:
    (alone,) = talk().receive(fri(lost))
    assert "can't be read" in (alone.error or "")
    assert (place(alone.reports[0]), alone.reports[0].battery_pct) == ((None, None), 83)
    assert alone.reply == b"+SACK:11F0$"
    (both,) = talk().receive(text("FRI", f"0,0,2,{lost},{CELL},{PLACE},{CELL},83"))
    assert "can't be read" in (both.error or "")
    assert [place(r) for r in both.reports] == [HERE_E7]


@pytest.mark.parametrize(
    "fields",
    [
        "0,0,1,,,,,,,,0234,0010,00AB,1234,00,83",
        "0,0,1,0,,,,0.000000,0.000000,20260301100200,0234,0010,00AB,1234,00,83",
        "0,0,1,0,0.0,0,0.0,-0.000000,0.000000,,,,,,,83",
    ],
)
def test_no_place_is_no_loss(fields: str) -> None:
    assert place(said(text("FRI", fields))) == (None, None)


def test_a_wrong_time_of_sending_does_not_cost_a_last_known_place() -> None:
    wrong = fri(STALE).replace(SENT.encode(), b"20260231250000")
    (report,) = heard(wrong).reports
    assert place(report) == HERE_E7


def test_what_a_position_says_and_nobody_can_read_is_raw() -> None:
    odd = "1,fast,400,high,-9.123456,48.654321,20260301100200"
    only = heard(fri(odd))
    assert place(only.reports[0]) == HERE_E7
    assert only.unnamed[0]["unread"] == [{"speed": "fast", "course": "400", "altitude": "high"}]


def test_an_unreadable_place_in_binary_is_told() -> None:
    fast = located().replace(b"\x01\x00\x03\x06", b"\x01\x7f\xff\x06", 1)
    (only,) = talk().receive(binary(b"+RSP", 7, b"\x01" + fast))
    assert "can't be read" in (only.error or "")
    assert only.reply == b"+SACK:11F0$"
    (beyond,) = talk().receive(records(placed(), placed(lon_e6=-200_000_000)))
    assert "can't be read" in (beyond.error or "")
    assert [place(r) for r in beyond.reports] == [HERE_E7]


def test_a_record_of_the_newer_series_may_hold_several_places() -> None:
    both = heard(records(placed(), placed(lon_e6=-9_000_000)))
    assert [r.lon_e7 for r in both.reports] == [-91_234_560, -90_000_000]


def test_numbers_that_only_look_like_a_place_are_none() -> None:
    report = said(text("ERI", f"00000019,,10,1,,,,,,,,{CELL},0.0,,,,100,110000,1,4,50.0,50.0"))
    assert report.lat_e7 is None


def test_the_sending_is_read_in_the_devices_zone() -> None:
    frame = text("PFA", "").replace(b",,", b",").replace(b"0301", b"0701")
    at = datetime(2026, 7, 1, 9, 2, 3, tzinfo=UTC)
    (report,) = heard(frame, zone="Europe/London").reports
    assert report.time_ms == at.timestamp() * 1000


def test_the_hour_that_happens_twice_is_the_first_of_the_two() -> None:
    frame = text("PFA", "").replace(b",,", b",").replace(SENT.encode(), b"20261025013000")
    (report,) = heard(frame, zone="Europe/London").reports
    assert report.time_ms == datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp() * 1000


def test_without_any_time_it_is_an_error_that_names_no_place() -> None:
    (only,) = talk().receive(f"+RESP:GTPNA,1A0900,{IMEI},Tag,,11F0$".encode())
    assert only.error is not None
    assert "time" in only.error
    assert (only.reports, only.reply) == ((), b"")


@pytest.mark.parametrize(
    ("version", "tail", "battery_pct"),
    [
        ("020102", "00,,83", 83),  # GL200
        ("C30302", ",83,,", 83),  # GL320M
        ("C30303", ",83,1,32.4", 83),
        ("DE0114", "24,0,,83,1,1,", 83),  # GL500M
        ("2E0503", "24,0,,83,1,0,,", 83),  # GL505
        ("060228", "00,913.3,,,,83,220101,,,", 83),  # GV300
        ("F10413", ",39539.5,,,83,220100,,0", 83),  # GV350M
        ("8020040200", "00,0.0,,,,,83,210100,,,", 83),  # GV58LAU
        ("350803", "00,17363.6,,,91,,00,00,2,0", None),  # GV200: analogue inputs, no charge
        ("1A0900", "00", None),  # a reserved field
    ],
)
def test_the_charge_is_found_where_the_type_has_it(
    version: str, tail: str, battery_pct: float | None
) -> None:
    frame = text("FRI", f"0,0,1,{PLACE},0234,0010,00AB,1234,{tail}", version=version)
    assert said(frame).battery_pct == battery_pct


def test_a_day_s_work_and_an_information_report_hold_the_charge_elsewhere() -> None:
    day = text("STR", f"0,0,2,23.1,83,{PLACE},{CELL},,,", version="400201")
    information = text("INF", f"41,,18,99,0,,,3.82,1,0,1,0,0,{SENT},83,,,,")
    assert said(day).battery_pct == 83
    assert said(information).battery_pct == 83
    assert Signal(said(information).signals) == Signal.NO_MOTION | Signal.CHARGING


def test_a_gap_in_the_counts_is_said_and_counted() -> None:
    conversation = talk()
    missing = [
        conversation.receive(fri(count=count))[0].missing
        for count in (0xFFFE, 0xFFFF, 0x0000, 0x0004, 0x0004, 0x0005, 0x0003, 0x0004)
    ]
    assert missing == [0, 0, 0, 3, 0, 0, 0, 0]
    (frame,) = conversation.receive(fri(count=0x0007))
    assert frame.unnamed[0]["frames_missing_before"] == 2


def test_a_buffered_frame_fills_a_gap_and_makes_none() -> None:
    conversation = talk()
    frames = [fri(count=1), fri(count=4), b"+BUFF" + fri(count=2)[5:], fri(count=5)]
    found = [conversation.receive(frame)[0] for frame in frames]
    assert [f.missing for f in found] == [0, 2, 0, 0]
    assert found[2].unnamed[0]["buffered"] is True
    assert found[2].reply == b"+SACK:0002$"


def test_each_device_of_a_connection_has_its_own_counts() -> None:
    conversation = talk()
    other = fri(count=9).replace(IMEI.encode(), b"350000000000025")
    found = [conversation.receive(f)[0] for f in (fri(count=1), other, fri(count=2))]
    assert [f.missing for f in found] == [0, 0, 0]
    assert [f.device for f in found] == [IMEI, "350000000000025", IMEI]


def test_a_frame_that_names_no_device_is_nobodys() -> None:
    conversation = talk()
    nameless = fri(count=2).replace(IMEI.encode(), b"3500??")
    known, lost, other, junk = conversation.receive(
        fri(count=1)
        + nameless
        + fri(count=9).replace(IMEI.encode(), b"350000000000025")
        + b"nonsense$"
    )
    assert (known.device, lost.device, lost.reports, lost.reply) == (IMEI, IMEI, (), b"")
    assert "IMEI" in (lost.error or "")
    assert (other.device, junk.device) == ("350000000000025", None)


def test_what_has_no_name_is_told_only_if_asked_for() -> None:
    (asked,) = heard(fri()).unnamed
    assert (asked["report"], asked["name"]) == ("RESP:GTFRI", "Tag")
    assert asked["after"] == [["0234", "0010", "00AB", "1234", "00", "83"]]
    assert talk(with_raw=False).receive(fri())[0].unnamed == ()


def test_a_binary_position_reads_like_one_in_text() -> None:
    frame = heard(binary(b"+RSP", 7, b"\x01" + located()))
    (report,) = frame.reports
    assert (place(report), report.time_ms) == (HERE_E7, FIX_MS)
    assert report.speed_mps == pytest.approx(1.0)
    assert (report.battery_pct, report.satellites, report.hdop) == (80.0, 7, 1.0)
    assert (frame.device, frame.reply) == (IMEI, b"+SACK:11F0$")


def test_binary_frames_hold_several_positions_and_last_known_ones() -> None:
    two = binary(b"+RSP", 7, b"\x02" + located(minute=1) + located(lon_e6=-9_000_000))
    assert [r.lon_e7 for r in heard(two).reports] == [-91_234_560, -90_000_000]
    where, state = heard(binary(b"+EVT", 12, b"\x01" + located(accuracy=0))).reports
    assert (where.lat_e7, state.lat_e7) == (HERE_E7[0], None)


def test_a_device_may_call_itself_by_name_in_binary() -> None:
    frame = binary(b"+RSP", 7, b"\x01" + located())
    named = closed(frame[:9], frame[11:16] + b"tag-1\0\0\0" + frame[24:-13])
    assert heard(named).device == "tag-1"


def test_a_compressed_binary_frame_holds_a_position_a_second() -> None:
    first = bytes([0x40, 36 << 1 | 1, 0x0F]) + pack(">iiI", -9_123_456, 48_654_321, FIX_MS // 1000)
    step = (0b101 << 37 | 1 << 30 | 2 << 23 | (-10 & 0xFFF) << 11 | 7).to_bytes(5, "big")
    device = b"\x45\x01\x02\x02\x09" + packed_imei() + b"\x50\x0e\xd8\x42\x07"
    frame = closed(
        b"+RSP\x64\x00\xfc\x1f\xbf", device + b"\x00\x04" + first + step + b"\xc0" + step
    )
    found = heard(frame).reports
    assert [r.time_ms - FIX_MS for r in found] == [0, 1000, 3000]
    assert [r.lon_e7 for r in found] == [-91_234_560, -91_234_660, -91_234_760]
    assert found[1].speed_mps == pytest.approx(37 / 36)
    assert (found[0].battery_pct, found[2].battery_pct) == (None, 80.0)


def test_a_binary_heartbeat_is_answered_in_text() -> None:
    body = b"\x45\x01\x02\x02\x09" + packed_imei() + instant(2026, 3, 1, 10, 2, 3) + b"\x00\x0d"
    length = 6 + len(body) + 4
    frame = closed(b"+HBD\xeb", b"")[:5] + bytes([length]) + body
    frame += pack(">H", crc_hqx(frame[4:], 0xFFFF)) + b"\r\n"
    assert heard(frame).device == IMEI
    assert heard(frame).reply == b"+SACK:GTHBD,,000D$"


def test_a_damaged_binary_frame_is_an_error_and_not_acknowledged() -> None:
    frame = bytearray(binary(b"+RSP", 7, b"\x01" + located()))
    frame[40] ^= 1
    only, after = talk().receive(bytes(frame) + fri())
    assert "checksum" in (only.error or "")
    assert (only.reports, only.reply) == ((), b"")
    assert after.reports


def test_records_of_the_newer_series_are_read() -> None:
    frame = heard(records(bytes([0x02, 2, 1, 1]), placed()))
    (report,) = frame.reports
    assert (place(report), report.time_ms, report.seq) == (HERE_E7, FIX_MS, 7)
    assert (frame.device, frame.reply) == (IMEI, b"")
    (bare,) = heard(records()).reports
    assert (bare.lat_e7, bare.time_ms) == (None, FIX_MS)


def test_a_frame_that_lost_its_end_does_not_cost_the_next() -> None:
    for ending in (b"", b"\0", b"\r\n"):
        first, second = talk().receive(fri(count=1)[:-1] + ending + fri(count=2))
        assert (first.reports[0].seq, second.reports[0].seq) == (1, 2)


@given(st.data())
def test_it_decodes_the_same_split_or_joined_anywhere(data: st.DataObject) -> None:
    junk = st.binary(max_size=12)
    pieces = data.draw(st.lists(st.sampled_from(EVERY_KIND) | junk, max_size=6))
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    whole, conversation = talk().receive(stream), talk()
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [h for part in parts for h in conversation.receive(part)] == whole


@given(
    st.sampled_from(EVERY_KIND),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.binary(max_size=200),
)
@settings(max_examples=300)
def test_nothing_ever_raises(frame: bytes, damage: list[tuple[int, int]], after: bytes) -> None:
    damaged = bytearray(frame)
    for at, byte in damage:
        damaged[at % len(damaged)] = byte
    conversation = talk()
    conversation.receive(bytes(damaged))
    conversation.receive(after)
    for found in conversation.receive(b"$\r\n" + fri() + fri()):
        for report in found.reports:
            assert report.lat_e7 is None or abs(report.lat_e7) <= 900_000_000


@given(
    st.sampled_from((b"+RSP", b"+EVT", b"+BSP", b"+BVT")),
    st.sampled_from((3, 6, 7, 21, 31, 33, 100)),
    st.lists(
        st.sampled_from((located(), located(accuracy=0))) | st.binary(max_size=40), max_size=4
    ),
)
@settings(max_examples=300)
def test_nothing_raises_on_binary_frames_with_a_right_checksum(
    kind: bytes, number: int, body: list[bytes]
) -> None:
    (found,) = talk().receive(binary(kind, number, b"".join(body)))
    assert found.reports or found.error


@given(st.text("0123456789ABCDEF.,-+:GTRESPFIn", max_size=200))
def test_nothing_raises_on_text_that_is_nearly_right(fields: str) -> None:
    for report in ("FRI", "INF", "JDS", "GPJ", "STR", "ERI", "STT"):
        talk().receive(text(report, fields))
        talk().receive(text(report, fields, version="6E0A03"))


@pytest.mark.parametrize(
    "start", [b"+RESP:GTFRI,", b"+RSP\x07\0\0\0\0\x0f\xff", b"x", b"+\0\x0f\xff"]
)
def test_memory_is_bounded_and_the_next_frame_is_found(start: bytes) -> None:
    conversation = talk()
    found = conversation.receive(start)
    for _ in range(400):
        found += conversation.receive(b"a" * 100)
        assert conversation.unfinished <= MOST_TEXT + MOST_BINARY + MOST_JUNK
    assert all(h.error for h in found)
    after = conversation.receive(b"$" + fri() + fri(count=0x11F1))
    assert after[-1].reports


def test_many_devices_on_one_connection_are_not_all_remembered() -> None:
    conversation = talk()
    for number in range(2000):
        conversation.receive(fri().replace(IMEI.encode(), b"%015d" % number))
    assert len(conversation._newest) <= 257  # type: ignore[attr-defined]


def test_no_frame_takes_longer_than_ten_milliseconds() -> None:
    many = ",".join([PLACE] * 150)[: MOST_TEXT - 200]
    steps = bytes(5 * 780)
    device = b"\x45\x01\x02\x02\x09" + packed_imei() + b"\x50\x0e\xd8\x42\x07"
    first = b"\x40\x00\x00" + pack(">iiI", -9_123_456, 48_654_321, FIX_MS // 1000)
    compressed = b"\x03\x0d" + first + b"".join(b"\xa0" + steps[:4] for _ in range(780))
    worst = (
        text("FRI", f"0,0,1,{many}"),
        closed(b"+RSP\x64\x00\xfc\x1f\xbf", device + compressed),
        b"+RSP" + b"+" * 8000,
        b"+RESP:GTFRI," + b"," * 8100 + b"$",
    )
    for frame in worst:
        best_s = 1.0
        for _ in range(5):
            conversation = talk(with_raw=False)
            begun = time.thread_time()
            conversation.receive(frame)
            best_s = min(best_s, time.thread_time() - begun)
        assert best_s < 0.010


def records_of(shared: Path, decoder: str) -> list[dict[str, object]]:
    file = json.loads((shared / "frames" / "queclink_gl200.json").read_text())
    found = file["decoders"][decoder]
    assert found
    return list(found)


def bytes_of(record: dict[str, object]) -> bytes:
    frame = record["frame"]
    assert isinstance(frame, dict)
    if frame["kind"] == "hex":
        return bytes.fromhex(frame["data"])
    return str(frame["data"]).encode().rstrip(b"$") + b"$"


BATTERIES = {"batteryLevel"}
ALARMS = {"powerOn": Signal.POWER_ON, "powerOff": Signal.POWER_OFF, "sos": Signal.SOS}


@pytest.mark.parametrize("decoder", ["Gl200TextProtocolDecoder", "Gl200BinaryProtocolDecoder"])
def test_real_frames_decode_as_another_decoder_says(shared: Path, decoder: str) -> None:
    conversation = talk()
    for record in records_of(shared, decoder):
        name = f"{decoder} {record['i']}"
        (found,) = conversation.receive(bytes_of(record))
        assert found.error is None, name
        check, expect = record["check"], record.get("expect")
        assert isinstance(expect, dict)
        located = [r for r in found.reports if r.lat_e7 is not None]
        if check in {"verifyPosition", "verifyPositions"} and record.get("check_location", True):
            assert located, name
        if check == "verifyNull":
            assert not located, name
        if expect.get("key") in BATTERIES:
            values = {r.battery_pct for r in found.reports if r.battery_pct is not None}
            assert values == ({expect["value"]} - {None}), name
        if expect.get("key") == "alarm" and expect["value"] in ALARMS:
            assert any(ALARMS[str(expect["value"])] in Signal(r.signals) for r in found.reports)


def test_real_streams_are_cut_into_the_same_frames(shared: Path) -> None:
    for record in records_of(shared, "Gl200FrameDecoder"):
        expected = record["expected_frame"]
        assert isinstance(expected, dict)
        (found,) = talk().receive(bytes_of(record))
        assert found.raw.rstrip(b"$") == bytes.fromhex(expected["data"]).rstrip(b"$")


FIELD = st.sampled_from(
    [
        *("", "0", "1", "83", "101", "12.5", "-3.0", "271", "361", "0234", "00AB1234", "\xb2"),
        *("-9.123456", "48.654321", "0.000000", "181.000000", "-0.000001"),
        *("20260301100200", "20261301100200"),
    ]
)


@settings(max_examples=400)
@given(
    st.sampled_from(["FRI", "SOS", "GEO", "STT", "INF", "LBS", "ERI"]),
    st.sampled_from(["1A0900", "C30101", "2E0503", "6E0A03", "020102", "8020040200"]),
    st.lists(st.tuples(st.integers(0, 20), FIELD), max_size=3),
)
def test_most_frames_are_read_in_a_shorter_way_that_comes_to_the_same(
    report: str, version: str, changes: list[tuple[int, str]]
) -> None:
    fields = f"0,0,1,{PLACE},{CELL},83".split(",")
    for at, field in changes:
        fields[at : at + 1] = [field]
    frame = text(report, ",".join(fields), version=version)
    (short,), (long,) = talk(with_raw=False).receive(frame), talk().receive(frame)
    assert short == long._replace(unnamed=())


def test_a_mark_inside_a_text_frame_ends_it_whether_or_not_it_came_at_once() -> None:
    for loss in (b"\r\n", b"\0", b"+RESP:GT"):
        frame = fri()[:60] + loss + fri()
        parts = talk()
        assert [*parts.receive(frame[:30]), *parts.receive(frame[30:])] == talk().receive(frame)
        assert len(talk().receive(frame)) > 1
