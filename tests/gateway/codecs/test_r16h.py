from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ringfence.engine.fix import Source
from ringfence.gateway.codecs.r16h import CODEC, TABLES
from ringfence.gateway.frames import DeviceModel
from tests.gateway.codecs.tag_frames import AT_MS, GPSD, LBSD, hear, names, talk


def gpsd(old: str = "", new: str = "") -> bytes:
    return GPSD.replace(old, new, 1).encode()


def test_a_satellite_frame_becomes_a_fix_in_our_units() -> None:
    heard = hear(CODEC, gpsd())
    (report,) = heard.reports
    assert (heard.device, heard.error, heard.reply) == ("350000000000041", None, b"")
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS, 515_072_000, -1_278_000)
    assert (report.speed_mps, report.course_deg, report.altitude_m) == (10.0, 270.0, 30.0)
    assert (report.battery_pct, report.source) == (87.0, Source.GNSS)
    assert names(heard) == ["strap_ok"]
    assert heard.unnamed == ({},)


def test_a_cell_frame_says_no_place_but_all_else() -> None:
    heard = hear(CODEC, LBSD.encode())
    (report,) = heard.reports
    assert (report.time_ms, report.lat_e7, report.battery_pct, report.source) == (
        *(AT_MS, None, 21.0, 0),
    )
    assert names(heard) == ["strap_cut"]
    assert heard.unnamed == ({"cells": "234-15-00fe-0f54:-71", "stored": True},)


def test_a_log_in_names_the_device_of_what_names_none() -> None:
    said = b"@LINK,350000000000058$" + gpsd("350000000000041", "") + gpsd()
    assert [h.device for h in talk(CODEC).receive(said)] == [
        *("350000000000058", "350000000000058", "350000000000041"),
    ]
    assert hear(CODEC, gpsd("350000000000041", "")).device is None


@pytest.mark.parametrize(
    ("end", "signals", "unnamed"),
    [
        ("L,", ["strap_ok"], {}),
        ("R,", ["strap_cut"], {}),
        ("L,SOS", ["strap_ok", "sos"], {}),
        ("L,LBT", ["strap_ok", "battery_low"], {}),
        # Locked and removed at once can't be, and one of the two is a danger.
        ("L,ULK", ["strap_cut"], {}),
        ("R,LBT|ULK", ["strap_cut", "battery_low"], {}),
        ("R,LBT,SOS,", ["strap_cut", "battery_low", "sos"], {}),
        ("L,XYZ", ["strap_ok"], {"alarms": ("XYZ",)}),
        ("Q,", [], {"strap": "Q"}),
    ],
)
def test_strap_and_alarms_are_a_set(
    end: str, signals: list[str], unnamed: dict[str, object]
) -> None:
    heard = hear(CODEC, gpsd("L,$", end + "$"))
    assert names(heard) == signals
    assert heard.unnamed == (unnamed,)


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("51.50720,N,000.12780,W", "0.0,N,0.0,E", False),
        ("51.50720,N,000.12780,W", ",,,", False),
        ("51.50720,N", ",N", True),
        (",N,", ",Q,", True),
        ("51.50720", "91.50720", True),
        ("51.50720", "5130.4320N", True),
    ],
)
def test_a_place_that_cannot_be_is_no_fix_and_is_told(old: str, new: str, *, lost: bool) -> None:
    heard = hear(CODEC, gpsd(old, new))
    assert (heard.reports[0].lat_e7, heard.reports[0].speed_mps) == (None, None)
    assert ("can't be read" in (heard.error or "")) is lost
    assert names(heard._replace(error=None)) == ["strap_ok"]


def test_a_tags_local_time_is_its_models() -> None:
    london = DeviceModel("R16H", ZoneInfo("Europe/London"))
    twice = gpsd("20260301,100200", "20261025,013000")
    (heard,) = talk(CODEC, london).receive(twice)
    # Half past one comes twice that night, and the first is meant.
    assert heard.reports[0].time_ms == datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp() * 1000
    assert TABLES[-1][0].match("any model")


@pytest.mark.parametrize(
    "raw",
    [b"hello$", b"@$", b"@BEAT,350000000000041$", b"@GPSD,350000000000041,R,2026$"],
)
def test_what_cannot_be_read_is_named_and_the_next_frame_heard(raw: bytes) -> None:
    heard = talk(CODEC).receive(raw + gpsd())
    assert heard[0].error is not None
    assert heard[0].reports == ()
    assert heard[-1].reports
    for never in ("20260231", "00010101", "99991231", "2026030"):
        assert hear(CODEC, gpsd("20260301", never)).error is not None


def test_a_frame_cut_short_does_not_cost_the_next() -> None:
    heard = hear(CODEC, b"@GPSD,350000000000041,R,20260301,1002" + gpsd())
    assert heard.reports[0].lat_e7 == 515_072_000


def test_captured_frames_read_as_another_decoder_reads_them(shared: Path) -> None:
    said = json.loads((shared / "frames" / "r16h.json").read_text())
    for item in said["decoders"]["R16hProtocolDecoder"]:
        heard = hear(CODEC, item["frame"]["data"].encode() + b"$")
        assert heard.error is None
        assert heard.device is not None
        assert heard.device in item["frame"]["data"]
        located = [r for r in heard.reports if r.lat_e7 is not None]
        assert bool(located) == (item["check"] == "verifyPosition")
        assert bool(heard.reports) == (item["check"] != "verifyNull")
