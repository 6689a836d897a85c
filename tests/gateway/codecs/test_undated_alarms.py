"""An alarm of a tag whose clock is not set: heard, and dated when it came."""

from __future__ import annotations

import pytest

from ringfence.engine.fix import Signal
from ringfence.gateway.codecs import megastek, r16h, teltonika
from ringfence.gateway.codecs.queclink import CODEC as QUECLINK
from ringfence.gateway.frames import CLOCKS_FROM_MS, Codec
from ringfence.gateway.report import Report
from tests.gateway.codecs import queclink_frames as queclink
from tests.gateway.codecs.tag_frames import GPSD, LBSD, gh, hear, mgv, packet, record, stx

CAME_MS = 1_772_400_000_000
OFF = LBSD.replace("20260301,100200", "{}")


def dated(codec: Codec, frame: bytes) -> list[Report]:
    return [r for r in hear(codec, frame).dated(CAME_MS).reports if r.time_ms == CAME_MS]


@pytest.mark.parametrize(
    ("codec", "frame", "signals"),
    [
        (megastek.CODEC, mgv(day="000000", alarm="Belt Off"), Signal.STRAP_CUT),
        (megastek.CODEC, mgv(day="", clock="", alarm="Belt Off", flag="S"), Signal.STRAP_CUT),
        (megastek.CODEC, mgv(day="310226", status="00"), Signal.STRAP_CUT),
        (megastek.CODEC, mgv(day="060180", valid="V", alarm="SOS"), Signal.SOS),
        (megastek.CODEC, stx().replace(b"010326", b"000000"), Signal.SOS),
        (r16h.CODEC, OFF.format("00000000,000000").encode(), Signal.STRAP_CUT),
        (r16h.CODEC, OFF.format(",").encode(), Signal.STRAP_CUT),
        (r16h.CODEC, OFF.format("19800106,000004").encode(), Signal.STRAP_CUT),
        (r16h.CODEC, GPSD.replace("20260301", "x").replace("L,$", "R,$").encode(), 1),
        (teltonika.CODEC, packet([record([{236: 1}], at_ms=4000)]), Signal.SOS),
    ],
)
def test_an_alarm_without_a_time_counts_from_when_it_came(
    codec: Codec, frame: bytes, signals: int
) -> None:
    (report,) = dated(codec, frame)
    assert report.signals & signals == signals
    assert report.lat_e7 is None
    assert report.battery_pct is None


def test_an_undated_alarm_of_queclink_is_answered_too() -> None:
    frame = queclink.text("SOS", "0,0,1,,,,,,,,0234,0010,00AB,1234,00,83").replace(
        queclink.SENT.encode(), b""
    )
    heard = hear(QUECLINK, frame)
    assert heard.device == queclink.IMEI
    assert heard.error is not None
    assert heard.reply == b"+SACK:11F0$"
    (report,) = heard.dated(CAME_MS).reports
    assert (report.time_ms, report.signals) == (CAME_MS, Signal.SOS)


@pytest.mark.parametrize("day", ["000000", "060180"])
def test_what_calms_is_not_dated_so(day: str) -> None:
    # A closed strap of who knows when is no news, and motion of then says nothing of now.
    assert dated(megastek.CODEC, mgv(day=day)) == []


def test_what_a_clock_says_that_was_never_set_is_kept_as_it_was_said() -> None:
    heard = hear(megastek.CODEC, mgv(day="060180", alarm="Belt Off"))
    both = heard.dated(CAME_MS).reports
    assert [r.time_ms < CLOCKS_FROM_MS for r in both] == [True, False]
    assert both[0].lat_e7 is not None
    assert len(heard.dated(CAME_MS).unnamed) == 2


def test_an_alarm_with_its_time_is_not_told_twice() -> None:
    frames = [(megastek.CODEC, mgv(alarm="Belt Off")), (r16h.CODEC, LBSD.encode())]
    frames += [(teltonika.CODEC, packet([gh(0, 0, b"")], 0x07))]
    for codec, frame in frames:
        heard = hear(codec, frame)
        assert heard.dated(CAME_MS) is heard
