from __future__ import annotations

import json
import struct
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.codecs.teltonika import CODEC
from ringfence.gateway.codecs.teltonika.checksum import crc16
from ringfence.gateway.codecs.teltonika.meanings import TABLES
from ringfence.gateway.frames import DeviceModel, Heard
from tests.gateway.codecs.tag_frames import (
    AT_MS,
    IMEI,
    crc,
    gh,
    hear,
    login,
    names,
    packet,
    record,
    talk,
)

CODECS = [0x08, 0x8E, 0x10]


def test_a_log_in_is_answered_and_names_what_follows() -> None:
    heard = talk(CODEC).receive(login() + packet([record()]))
    assert [(h.device, h.reply) for h in heard] == [(IMEI, b"\x01"), (IMEI, b"\x00\x00\x00\x01")]
    assert heard[0].reports == ()


def test_a_stranger_is_refused_in_the_makers_way() -> None:
    assert CODEC.refusal == b"\x00"


def test_a_packet_without_its_log_in_decodes_for_nobody() -> None:
    heard = hear(CODEC, packet([record()]))
    assert (heard.device, len(heard.reports), heard.error) == (None, 1, None)


@pytest.mark.parametrize("codec", CODECS)
def test_a_record_becomes_a_fix_in_our_units(codec: int) -> None:
    elements = [{113: 87}, {182: 9}]
    (report,) = hear(CODEC, packet([record(elements, codec)], codec)).reports
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS, 515_072_000, -1_278_000)
    assert (report.speed_mps, report.course_deg, report.altitude_m) == (10.0, 270.0, 30.0)
    assert (report.satellites, report.hdop, report.battery_pct) == (9, 0.9, 87.0)
    assert (report.source, report.accuracy_m, report.seq) == (Source.GNSS, None, None)


@pytest.mark.parametrize(
    "nowhere",
    [{"sats": 0}, {"lat": 0, "lon": 0}, {"lat": 900_000_001}, {"lon": -(2**31)}],
)
def test_the_last_place_held_on_to_is_no_fix_but_signals_count(nowhere: dict[str, Any]) -> None:
    heard = hear(CODEC, packet([record([{249: 1, 113: 40}], **nowhere)]))
    (report,) = heard.reports
    assert (report.lat_e7, report.lon_e7, report.speed_mps, report.course_deg) == (None,) * 4
    assert (report.altitude_m, report.source, report.battery_pct) == (None, 0, 40.0)
    assert names(heard) == ["network_jammed"]
    assert {"stale_lat", "stale_lon"} <= set(heard.unnamed[0])


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("element", "value", "signal"),
    [
        (249, 1, ["network_jammed"]),
        (249, 0, []),
        (252, 1, ["power_cut"]),
        (252, 0, []),
        (236, 1, ["sos"]),
        (240, 1, ["motion"]),
        (240, 0, ["no_motion"]),
        (69, 2, ["gnss_lost"]),
        (69, 1, []),
        (69, 3, []),
        (239, 1, []),
    ],
)
def test_an_element_is_a_signal(codec: int, element: int, value: int, signal: list[str]) -> None:
    heard = hear(CODEC, packet([record([{element: value}], codec)], codec))
    assert names(heard) == signal
    # What is no signal is shown as the device said it.
    assert (str(element) in heard.unnamed[0]) == (not signal)


@pytest.mark.parametrize("state", [1, 2])
def test_satellite_jamming_of_newer_devices_counts(state: int) -> None:
    assert names(hear(CODEC, packet([record([{318: state}], 0x8E)], 0x8E))) == ["gnss_jammed"]


def test_alarms_are_a_set() -> None:
    heard = hear(CODEC, packet([record([{249: 1, 252: 1, 236: 1, 240: 1, 69: 2}])]))
    assert set(names(heard)) == {"network_jammed", "power_cut", "sos", "motion", "gnss_lost"}


def test_charger_and_supply_are_known_by_the_model() -> None:
    said = login() + packet([record([{116: 1, 252: 1}])])
    worn = talk(CODEC, DeviceModel("TMT250")).receive(said)[1]
    vehicle = talk(CODEC, DeviceModel("FMB920")).receive(said)[1]
    assert (names(worn), names(vehicle)) == (["charging"], ["power_cut"])
    assert (vehicle.unnamed[0]["116"], worn.unnamed[0]["252"]) == (1, 1)


def test_the_first_table_that_matches_a_model_counts() -> None:
    assert TABLES[-1][0].match("any other")
    assert TABLES[0][0].match("tmt250")
    assert not TABLES[0][0].match("FMB920")


def test_an_id_of_another_width_is_another_thing() -> None:
    heard = hear(CODEC, packet([record([{}, {249: 1}, {113: 50}])]))
    assert names(heard) == []
    assert heard.reports[0].battery_pct is None
    assert (heard.unnamed[0]["249"], heard.unnamed[0]["113"]) == (1, 50)


def test_all_else_is_shown_by_its_id() -> None:
    groups = [{239: 1, 249: 1, 113: 87}, {66: 12_034, 182: 9}, {241: 23_410}, {78: 2**63}]
    heard = hear(CODEC, packet([record(groups, 0x8E, sized={385: b"\x01\x21", 256: b""})], 0x8E))
    (unnamed,) = heard.unnamed
    assert {k: v for k, v in unnamed.items() if k.isdigit()} == {
        "239": 1,
        "66": 12_034,
        "241": 23_410,
        "78": 2**63,
        "385": "0121",
        "256": "",
    }


def test_nothing_unnamed_is_said_unasked() -> None:
    quiet = CODEC.talk(lambda _: DeviceModel(), False).receive(packet([record([{239: 1}])]))
    assert quiet[0].unnamed == ()
    assert quiet[0].reports == hear(CODEC, packet([record([{239: 1}])])).reports


def test_beacons_of_any_number_do_not_hide_the_fix() -> None:
    beacons = b"\x11" + b"".join(b"\x21" + bytes([n] * 20) + b"\xad" for n in range(40))
    heard = hear(CODEC, packet([record(codec=0x8E, sized={385: beacons})], 0x8E))
    assert heard.reports[0].lat_e7 == 515_072_000
    # Whose beacons they are, the device can't know: none is taken for the home beacon.
    assert names(heard) == []
    assert heard.unnamed[0]["385"] == beacons.hex()


def test_an_unannounced_group_of_sixteen_bytes_is_found() -> None:
    records = [record([{240: 1}], at_ms=AT_MS + n, long={203: bytes(16)}) for n in range(3)]
    heard = hear(CODEC, packet(records))
    assert [r.time_ms for r in heard.reports] == [AT_MS, AT_MS + 1, AT_MS + 2]
    assert heard.unnamed[0]["203"] == "00" * 16


def test_every_record_is_reported_in_order_and_counted_in_the_reply() -> None:
    heard = hear(CODEC, packet([record(at_ms=AT_MS + n) for n in range(255)]))
    assert [r.time_ms - AT_MS for r in heard.reports] == list(range(255))
    assert heard.reply == b"\x00\x00\x00\xff"


def test_a_time_that_cannot_be_stored_costs_only_its_record() -> None:
    heard = hear(CODEC, packet([record(at_ms=2**63), record()]))
    assert [r.time_ms for r in heard.reports] == [AT_MS]
    assert len(heard.unnamed) == 1
    assert heard.reply == b"\x00\x00\x00\x02"  # or the device would send it for ever
    assert heard.error is not None


def test_damage_is_an_error_unanswered_and_the_next_frame_is_heard() -> None:
    good = packet([record()])
    for at in range(8, len(good)):
        bad = bytearray(good)
        bad[at] ^= 0x10
        heard = talk(CODEC).receive(bytes(bad) + good)
        assert heard[-1].reports
        assert heard[0].error is not None
        assert (heard[0].reply, heard[0].reports) == (b"", ())
        assert b"".join(h.raw for h in heard) == bytes(bad) + good


@pytest.mark.parametrize("said", [0, 1, 0x20, 200, 0x2000, 0x9999, 2**31])
def test_a_wrong_length_costs_no_later_frame_its_turn(said: int) -> None:
    good = packet([record()])
    bad = good[:4] + struct.pack(">I", said) + good[8:]
    heard = talk(CODEC).receive(bad + good * 200)  # more than the longest packet
    assert sum(len(h.reports) for h in heard) == 200


def test_a_frame_cut_short_costs_no_later_frame_its_turn() -> None:
    good = packet([record()])
    for length in range(len(good)):
        heard = talk(CODEC).receive(good[:length] + good * 3 + login())
        assert sum(len(h.reports) for h in heard) >= 2
        assert heard[-1].device == IMEI


def test_pings_are_skipped() -> None:
    heard = talk(CODEC).receive(b"\xff" + login() + b"\xff\xff" + packet([record()]) + b"\xff")
    assert [h.raw[:2] for h in heard] == [b"\x00\x0f", b"\x00\x00"]
    assert [h.error for h in heard] == [None] * 2


def test_bytes_that_begin_nothing_are_set_apart_once() -> None:
    heard = talk(CODEC).receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + login())
    assert [bool(h.error) for h in heard] == [True, False]


@pytest.mark.parametrize("codec", [0x0C, 0x0D, 0x0E])
@pytest.mark.parametrize(
    "said", [b"\x01\x06\x00\x00\x00\x02OK\x01", b"\x01\x0d\x00\x00\x00\x01\x00\x01"]
)
def test_answers_to_commands_and_photos_are_no_positions(codec: int, said: bytes) -> None:
    data = bytes([codec]) + said
    frame = struct.pack(">II", 0, len(data)) + data + struct.pack(">I", crc(data))
    assert hear(CODEC, frame) == Heard(frame, None, (), (), b"", None)


def test_an_unknown_codec_and_a_wrong_count_are_named() -> None:
    for data in (b"\x77\x01\x00\x01", b"\x08\x02" + record() * 2 + b"\x03", b"\x08\x01\x00\x01"):
        frame = struct.pack(">II", 0, len(data)) + data + struct.pack(">I", crc(data))
        heard = hear(CODEC, frame)
        assert heard.error is not None
        assert (heard.reports, heard.reply) == ((), b"")


def test_a_datagram_names_its_device_and_is_answered_by_its_number() -> None:
    data = b"\x08\x01" + record() + b"\x01"
    inner = b"\xca\xfe\x01\x05" + login("350000000000058") + data
    frame = struct.pack(">H", len(inner)) + inner
    heard = talk(CODEC).receive(frame)
    assert [h.device for h in heard] == ["350000000000058"]
    assert heard[0].reply == bytes.fromhex("0005cafe010501")
    assert len(heard[0].reports) == 1


def test_a_personal_device_of_codec_7_is_read_by_its_masks() -> None:
    place = struct.pack(">ffHBBBIBI", 51.5, -0.125, 30, 192, 36, 9, 0x00FE0F54, 20, 23_410)
    groups = b"\x03\x01\x57\xf0\x01\xde\x01" + b"\x01\x14\x00\x09" + b"\x01\x05\x00\x00\x0c\xe4"
    heard = hear(CODEC, packet([gh(0x0F, 0xFF, place, groups)], 0x07))
    (report,) = heard.reports
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS, 515_000_000, -1_250_000)
    assert (report.altitude_m, report.course_deg, report.speed_mps) == (30.0, 270.0, 10.0)
    assert (report.satellites, report.hdop, report.battery_pct) == (9, 0.9, 87.0)
    assert set(names(heard)) == {"sos", "motion"}
    assert heard.unnamed[0]["5"] == 0x0CE4
    assert heard.reply == b"\x00\x00\x00\x01"


def test_a_personal_device_without_a_fix_still_says_its_signals() -> None:
    heard = hear(CODEC, packet([gh(0x03, 0x10, b"\x00", b"\x01\xde\x01"), gh(0, 0, b"")], 0x07))
    assert [r.lat_e7 for r in heard.reports] == [None, None]
    assert Signal(heard.reports[0].signals) == Signal.SOS
    nan = struct.pack(">ff", float("nan"), 0)
    assert hear(CODEC, packet([gh(1, 1, nan)], 7)).reports[0].lat_e7 is None


def test_the_quick_checksum_is_the_slow_one() -> None:
    for length in range(70):
        data = bytes((length * 31 + n * n * 7) & 0xFF for n in range(length))
        assert crc16(data) == crc(data)


def frames(shared: Path, decoder: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    said = json.loads((shared / "frames" / "teltonika.json").read_text())
    return said["decoders"][decoder], said["expected"].get(decoder, {})


def intact(frame: bytes) -> bool:
    length = int.from_bytes(frame[4:8], "big")
    whole = len(frame) == length + 12
    return whole and crc(frame[8:-4]) == int.from_bytes(frame[-4:], "big")


def test_captured_packets_read_as_another_decoder_reads_them(shared: Path) -> None:
    records, expected = frames(shared, "TeltonikaProtocolDecoder")
    compared = 0
    for item in records:
        raw = bytes.fromhex(item["frame"]["data"])
        want = expected.get(str(item["i"]))
        heard = talk(CODEC).receive(raw)
        if want is None:
            continue
        (only,) = heard
        assert only.reply == want["records"].to_bytes(4, "big")
        for report, unnamed, fix in zip(only.reports, only.unnamed, want["positions"], strict=True):
            assert report.time_ms == round(datetime.fromisoformat(fix["time"]).timestamp() * 1000)
            assert report.satellites == fix["sats"]
            if fix["sats"]:
                assert report.lat_e7 == pytest.approx(fix["lat"] * 1e7, abs=1)
                assert report.lon_e7 == pytest.approx(fix["lon"] * 1e7, abs=1)
                assert report.speed_mps == pytest.approx(fix["speed_kmh"] / 3.6)
                assert (report.altitude_m, report.course_deg) == (fix["alt_m"], fix["course"])
            else:
                # What the device held on to when it had no fix.
                assert report.lat_e7 is None
                assert unnamed["stale_lat"] == pytest.approx(fix["lat"])
            for ident, value in fix["io"].items():
                if ident == "182" and value:
                    assert report.hdop == value / 10
                elif ident in unnamed:
                    assert unnamed[ident] == value
                else:
                    assert ident in ("240", "249", "252", "69", "113", "236")
            compared += 1
    assert compared > 25


def test_every_captured_packet_gives_what_its_checksum_allows(shared: Path) -> None:
    records, _ = frames(shared, "TeltonikaProtocolDecoder")
    for item in records:
        raw = bytes.fromhex(item["frame"]["data"])
        heard = talk(CODEC).receive(raw)
        located = item["check"] != "verifyNull" and raw[8:9] not in (b"\x0c", b"\x0d")
        if intact(raw) or raw[:2] == b"\x00\x0f":
            assert [h.error for h in heard] == [None]
            assert bool(heard[0].reports) == located
        else:
            # Five of them were edited after they were captured, and no longer fit their sums.
            assert not any(h.reports or h.reply for h in heard)


def test_captured_packets_in_one_stream_lose_none_that_is_intact(shared: Path) -> None:
    records, _ = frames(shared, "TeltonikaProtocolDecoder")
    raws = [bytes.fromhex(item["frame"]["data"]) for item in records]
    alone = [h for raw in raws if intact(raw) for h in talk(CODEC).receive(raw)]
    together = talk(CODEC).receive(b"".join(raws))
    heard = [h.reports for h in together if h.error is None and h.raw[:4] == bytes(4)]
    assert heard == [h.reports for h in alone]


def test_captured_streams_are_cut_where_the_device_cut_them(shared: Path) -> None:
    records, _ = frames(shared, "TeltonikaFrameDecoder")
    for item in records:
        stream, first = (bytes.fromhex(item[k]["data"]) for k in ("frame", "expected_frame"))
        heard = talk(CODEC).receive(stream)
        assert stream.startswith(first)
        assert heard[0].raw == first or first == b"\xff"  # a sign of life is no frame here
        assert all(a.error is None and b.error is None for a, b in pairwise(heard))
