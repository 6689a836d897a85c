"""Kept bytes read again: whose they say they are, and what of them can't be used."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from ringfence.gateway.frames import DeviceModel
from ringfence.gateway.ports import PROTOCOLS
from ringfence.gateway.rereading import Kept, is_locked, is_read_here, reread
from ringfence.gateway.session import DOORS
from ringfence.gateway.tcp_codecs import CODECS
from tests.gateway.codecs import queclink_frames, tag_frames

AT_MS = 1_772_359_320_000
PACKET = tag_frames.packet([tag_frames.record()])


def test_every_door_that_a_sender_may_knock_at_is_read() -> None:
    for door in (*(d.name for d in DOORS.values()), *PROTOCOLS, "mqtt"):
        assert is_read_here(door), door
    assert not is_read_here("import")
    assert reread(Kept("import", b"", 0)).reason == "no_codec"


def test_only_device_protocols_have_no_lock() -> None:
    assert all(is_locked(door.name) for door in DOORS.values())
    assert is_locked("mqtt")
    assert not any(is_locked(door) for door in PROTOCOLS)


@pytest.mark.parametrize("name", CODECS)
def test_a_log_in_makes_the_device_known_or_every_frame_names_it(name: str) -> None:
    codec = CODECS[name]
    said = codec.log_in(tag_frames.IMEI)
    heard = codec.talk(lambda _: DeviceModel(), False).receive(said) if said else []
    assert [h.device for h in heard] == [tag_frames.IMEI] * bool(said)
    assert all(h.error is None and not h.reports for h in heard)


def test_a_frame_without_its_log_in_says_nobody_unless_somebody_is_believed() -> None:
    assert reread(Kept("teltonika", PACKET, 0)).named is None
    read = reread(Kept("teltonika", PACKET, 0, device=tag_frames.IMEI))
    assert (read.named, read.reason, len(read.reports)) == (tag_frames.IMEI, "", 1)
    assert len(read.unnamed) == 1


def test_the_devices_make_counts() -> None:
    raw = b"@GPSD,,R,20260301,190200,48.654321,N,9.123456,W,3.6,271,12,81,L,$"
    tokyo = DeviceModel("", ZoneInfo("Asia/Tokyo"))
    kept = Kept("r16h", raw, 0, device=tag_frames.IMEI, model_of=lambda _: tokyo)
    assert reread(kept).reports[0].time_ms == AT_MS


def test_frames_of_several_devices_are_nobodys() -> None:
    other = queclink_frames.fri().replace(queclink_frames.IMEI.encode(), b"350000000000025")
    read = reread(Kept("queclink", queclink_frames.fri() + other, 0))
    assert (read.reports, read.reason) == ((), "malformed")
    assert "several devices" in read.detail


def test_a_frame_that_is_cut_short_says_so() -> None:
    read = reread(Kept("teltonika", PACKET[:-5], 0, device=tag_frames.IMEI))
    assert (read.reports, read.reason) == ((), "malformed")
    assert "incomplete" in read.detail


def test_what_can_be_used_of_a_body_is_there_beside_what_can_not() -> None:
    raw = b'{"tag":"T1","reports":[{"time":"2026-03-01T10:02:00Z"},{"time":"never"}]}'
    read = reread(Kept("reports", raw, 0))
    assert (read.named, len(read.reports), len(read.unnamed)) == ("T1", 1, 1)
    assert read.reason == "refused_report"
    assert read.detail.startswith("1 refused; report 1: time")


def test_mqtt_holds_either_kind_of_message() -> None:
    own = b'{"_type":"location","tst":1772359320,"lat":51.5,"lon":-0.1}'
    ours = b'{"tag":"T1","reports":[{"time":"2026-03-01T10:02:00Z","lat":51.5,"lon":-0.1}]}'
    assert [reread(Kept("mqtt", raw, 0)).reports[0].time_ms for raw in (own, ours)] == [AT_MS] * 2
