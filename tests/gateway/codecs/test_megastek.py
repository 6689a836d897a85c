from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ringfence.engine.fix import Source
from ringfence.gateway.codecs.megastek import CODEC, TABLES
from ringfence.gateway.frames import DeviceModel
from tests.gateway.codecs.tag_frames import AT_MS, MGV, STX, hear, mgv, names, stx, talk

LONDON = DeviceModel("", ZoneInfo("Europe/London"))


def test_an_ankle_tags_frame_becomes_a_fix_in_our_units() -> None:
    heard = hear(CODEC, mgv())
    (report,) = heard.reports
    assert (heard.device, heard.error, heard.reply) == ("350000000000025", None, b"")
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS, 515_072_000, -1_278_000)
    assert report.speed_mps == pytest.approx(5.144444)
    assert (report.course_deg, report.altitude_m, report.satellites) == (356.23, 37.9, 9)
    assert (report.hdop, report.battery_pct, report.source) == (0.92, 87.0, Source.GNSS)
    assert names(heard) == ["strap_ok"]


def test_a_position_marked_invalid_is_no_fix_but_the_rest_counts() -> None:
    heard = hear(CODEC, mgv(valid="V", status="00", alarm="Low Battery"))
    (report,) = heard.reports
    assert (report.lat_e7, report.lon_e7, report.speed_mps, report.source) == (None, None, None, 0)
    assert (report.battery_pct, report.satellites) == (87.0, 9)
    assert names(heard) == ["strap_cut", "battery_low"]
    assert heard.unnamed[0]["stale_lat"] == pytest.approx(51 + 30.432 / 60)


@pytest.mark.parametrize(
    ("status", "signals"),
    [
        ("00", ["strap_cut"]),
        ("01", ["strap_ok"]),
        ("02", ["strap_ok"]),
        ("03", ["strap_ok"]),
        ("10", ["strap_cut", "charging"]),
        ("11", ["strap_ok", "charging"]),
        ("100", ["strap_cut", "charging"]),
        ("01000", ["strap_ok"]),
        ("0", []),
        ("1", ["charging"]),
        ("", []),
        ("1-1", []),
    ],
)
def test_the_accessories_tell_charging_and_belts(status: str, signals: list[str]) -> None:
    heard = hear(CODEC, mgv(status=status))
    assert names(heard) == signals
    assert ("accessories" in heard.unnamed[0]) == (status in ("100", "01000", "1-1"))


def test_a_model_without_a_belt_has_none_to_open() -> None:
    vehicle = talk(CODEC, DeviceModel("GVT900")).receive(mgv(status="10", alarm="SOS"))[0]
    assert names(vehicle) == ["charging", "sos"]
    assert TABLES[-1][0].match("any other")


@pytest.mark.parametrize(
    ("alarm", "signals"),
    [
        *[("Timer", []), ("Dist", []), ("", []), ("Nil-Alarms", [])],
        *[("PW ON", ["power_on"]), ("Restart", ["power_on"]), ("PowerOff", ["power_off"])],
        *[("SOS", ["sos"]), ("Help", ["sos"]), ("LowBattery", ["battery_low"])],
        *[("Low Battery", ["battery_low"]), ("GPS Cut", ["gnss_lost"])],
        *[("Belt Off", ["strap_cut"]), ("BeltOn", ["strap_ok"]), ("Strap cut", ["strap_cut"])],
        ("Belt Up", ["strap_cut"]),  # nobody says what it means: not taken for a closed belt
        ("Case Open", ["case_open"]),
        ("LowBattery|Belt Off", ["strap_cut", "battery_low"]),
        ("Vib", []),
    ],
)
def test_an_alarm_word_is_a_signal(alarm: str, signals: list[str]) -> None:
    heard = hear(CODEC, mgv(status="", alarm=alarm))
    assert names(heard) == signals
    known = alarm in ("", "PW ON") or (bool(signals) and alarm != "Belt Up")
    assert heard.unnamed[0].get("alarm") == (None if known else alarm)


def test_a_removal_is_never_hidden_by_a_belt_that_looks_closed() -> None:
    assert names(hear(CODEC, mgv(status="01", alarm="Belt Off"))) == ["strap_cut"]


def test_cells_and_wifi_are_shown_and_make_no_fix() -> None:
    wifi = "0200000000aa:50|0200000000bb:63"
    heard = hear(CODEC, mgv(valid="V", flag="S", alarm=f"Timer,{wifi},,0,,"))
    (unnamed,) = heard.unnamed
    assert (unnamed["wifi"], unnamed["cell"], unnamed["mcc"]) == (f"{wifi},,0", "0F54", "234")
    assert unnamed["stored"] is True
    assert heard.reports[0].lat_e7 is None


def test_a_model_that_counts_one_satellite_system_is_read_as_well() -> None:
    heard = hear(CODEC, mgv().replace(b",W,00,09,00,", b",W,09,"))
    (report,) = heard.reports
    assert (report.satellites, report.hdop, report.battery_pct) == (9, 0.92, 87.0)
    assert names(heard) == ["strap_ok"]


def test_a_greeting_names_the_device_of_what_names_none() -> None:
    heard = talk(CODEC).receive(b"0031$MGV002,350000000000066,Hello;!" + mgv(imei="") + mgv())
    assert [h.device for h in heard] == [
        *("350000000000066", "350000000000066", "350000000000025"),
    ]
    assert heard[0].reports == ()
    # One tag's frame says nothing of who sends the next on a shared connection.
    assert [h.device for h in talk(CODEC).receive(mgv() + mgv(imei=""))][1] is None


def test_a_frame_needs_no_length_before_it_nor_a_mark_behind_a_line() -> None:
    for raw in (MGV.encode(), MGV.removesuffix("!").encode() + b"\n", b"0009" + MGV.encode()):
        assert hear(CODEC, raw).reports == hear(CODEC, mgv()).reports


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        ("010726", "100200", datetime(2026, 7, 1, 9, 2, tzinfo=UTC)),
        ("010126", "100200", datetime(2026, 1, 1, 10, 2, tzinfo=UTC)),
        # 25 October: half past one comes twice, and the first is meant.
        ("251026", "013000", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("251026", "020000", datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
        # 29 March: half past one never comes.
        ("290326", "013000", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_tags_local_time_is_its_models(day: str, clock: str, utc: datetime) -> None:
    (heard,) = talk(CODEC, LONDON).receive(mgv(day=day, clock=clock))
    assert heard.reports[0].time_ms == utc.timestamp() * 1000


def test_the_satellites_own_clock_is_utc_whatever_the_zone() -> None:
    line = STX.replace("010326", "010726")
    (heard,) = talk(CODEC, LONDON).receive(stx(line))
    assert heard.reports[0].time_ms == datetime(2026, 7, 1, 10, 2, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize("said", [{"day": "320126"}, {"clock": "250000"}, {"day": ""}])
def test_a_frame_without_a_time_is_an_error(said: dict[str, Any]) -> None:
    heard = hear(CODEC, mgv(**said))
    assert heard.error is not None
    assert heard.reports == ()


def test_an_old_line_becomes_a_fix_in_our_units() -> None:
    heard = hear(CODEC, stx())
    (report,) = heard.reports
    assert (heard.device, heard.error) == ("350000000000033", None)
    assert (report.time_ms, report.lat_e7, report.lon_e7) == (AT_MS, 515_072_000, -1_278_000)
    assert report.speed_mps == pytest.approx(5.144444)
    assert (report.course_deg, report.altitude_m, report.satellites) == (356.23, 37.9, 9)
    assert (report.battery_pct, report.source) == (52.0, Source.GNSS)
    assert names(heard) == ["charging", "sos"]


def test_an_old_line_says_whether_it_was_stored_and_who_sent_it() -> None:
    heard = hear(CODEC, stx("LOG" + STX.replace("STX,350000000000033", "STX,Name")))
    assert (heard.device, heard.unnamed[0]["stored"]) == ("350000000000033", True)
    nameless = hear(CODEC, stx(STX.replace("imei:350000000000033", "imei:")))
    assert nameless.device == "350000000000033"


def test_the_oldest_form_may_hold_an_end_mark_in_its_head() -> None:
    sentence = stx().decode().partition(",F,")[0].partition("$")[2]
    for mark in (b"\x02O", b"!\n", b"  "):
        raw = b"STX2604750000000000" + mark + b"$" + sentence.encode()
        raw += b",234,15,00FE,0F54,11,87,1000,001001,0000,0.00,0.02,0.00,LowBattery;"
        heard = hear(CODEC, raw + f"{sum(raw) & 0xFF:02X}\r\n".encode())
        assert heard.device == "2604750000000000"
        assert heard.reports[0].battery_pct == 87.0
        assert heard.reports[0].lat_e7 == 515_072_000
        assert heard.reports[0].source == Source.GNSS
        assert names(heard) == ["battery_low"]


@pytest.mark.parametrize(
    ("spoil", "source"),
    [
        (lambda s: s, Source.GNSS),
        (lambda s: s.replace(b"A*", b"V*"), Source.UNKNOWN),  # neither sum fits now
        (lambda s: re.sub(rb";..\r", b";00\r", s), Source.GNSS),  # the sentence's own still fits
        (lambda s: s.replace(b"5130.4320", b"5130.4321"), Source.UNKNOWN),
        (lambda s: s.replace(b"5130.4320", b"5160.4320"), Source.UNKNOWN),
    ],
)
def test_a_wrong_checksum_makes_the_place_less_sure(spoil: Any, source: Source) -> None:
    heard = hear(CODEC, spoil(stx()))
    assert heard.reports[0].lat_e7 is not None
    assert heard.reports[0].source == source
    assert ("checksum" in heard.unnamed[0]) == (source == Source.UNKNOWN)


def test_a_place_in_sixty_minutes_or_more_is_less_sure() -> None:
    assert hear(CODEC, mgv(lat="5075.00000")).reports[0].source == Source.UNKNOWN
    assert hear(CODEC, mgv(lat="9030.00000")).reports[0].lat_e7 is None
    assert hear(CODEC, mgv(lat="0000.00000", lon="00000.00000")).reports[0].lat_e7 is None


def test_a_request_for_satellite_data_is_no_fix() -> None:
    raw = b"cmd=aid;user=***;pwd=***;lat=51.50000000;lon=-0.10000000;pacc=1000\n"
    heard = hear(CODEC, raw)
    assert (heard.reports, heard.error) == ((), None)


@pytest.mark.parametrize(
    "raw",
    [b"hello\n", b"$MGV002!", b"$MGV002,350000000000025,,R;!", b"STX,1,$GPRMC,1\n", b"STX\n", b"!"],
)
def test_what_cannot_be_read_is_named_and_the_next_frame_heard(raw: bytes) -> None:
    heard = talk(CODEC).receive(raw + mgv())
    assert len(heard) == 2
    assert heard[0].error is not None
    assert heard[1].reports


@pytest.mark.parametrize("good", [mgv(), stx(), stx("LOG" + STX)])
def test_a_frame_cut_short_does_not_cost_the_next(good: bytes) -> None:
    for cut in (mgv()[:60], stx()[:60], b"0156$MG", b"STX"):
        heard = hear(CODEC, cut + good)
        assert heard.reports == hear(CODEC, good).reports
        assert heard.raw == (cut + good).rstrip()


# Marked V by the tag, or no coordinates that exist: the other decoder keeps their last place.
def places(text: str) -> bool:
    return ",A," in text and "0000.0000,N" not in text


def test_captured_frames_read_as_another_decoder_reads_them(shared: Path) -> None:
    said = json.loads((shared / "frames" / "megastek.json").read_text())
    located = 0
    for item in said["decoders"]["MegastekProtocolDecoder"]:
        text = item["frame"]["data"]
        heard = hear(CODEC, text.encode() + b"\n")
        (report,) = heard.reports
        assert heard.device is not None
        assert heard.device in text
        expect = item["expect"]
        if item["check"] == "verifyPosition":
            assert (report.lat_e7 is not None) == places(text)
            located += report.lat_e7 is not None
        if item["check"] == "verifyNull":
            assert report.lat_e7 is None
        if "fix_time" in expect:
            at = datetime.fromisoformat(expect["fix_time"].replace(" ", "T"))
            assert report.time_ms == at.timestamp() * 1000
            assert report.lat_e7 == pytest.approx(expect["lat"] * 1e7, abs=100)
            assert report.lon_e7 == pytest.approx(expect["lon"] * 1e7, abs=100)
        if expect.get("key") == "alarm":
            assert (expect["value"], "power_on" in names(heard)) == ("powerOn", True)
        if expect.get("key") == "belt":
            assert (expect["value"], names(heard)) == (2, ["strap_ok"])
    assert located >= 12


def test_captured_streams_are_cut_where_the_tag_cut_them(shared: Path) -> None:
    said = json.loads((shared / "frames" / "megastek.json").read_text())
    for item in said["decoders"]["MegastekFrameDecoder"]:
        heard = hear(CODEC, bytes.fromhex(item["frame"]["data"]))
        assert heard.raw == bytes.fromhex(item["expected_frame"]["data"])
        assert heard.reports[0].lat_e7 is None


@pytest.mark.parametrize("lat", ["51.50720", "5130.432.0", "9130.43200", "5130.4320x"])
def test_a_fix_whose_place_cannot_be_read_is_told_and_costs_nothing_else(lat: str) -> None:
    for frame in (mgv(lat=lat, alarm="Belt Off"), stx(STX.replace("5130.4320", lat))):
        heard = hear(CODEC, frame)
        assert "can't be read" in (heard.error or "")
        assert heard.reports[0].lat_e7 is None
    assert "strap_cut" in names(hear(CODEC, mgv(lat=lat, alarm="Belt Off"))._replace(error=None))


@pytest.mark.parametrize("valid", ["", "a", "D"])
def test_a_place_that_is_called_neither_a_fix_nor_none_is_told(valid: str) -> None:
    heard = hear(CODEC, mgv(valid=valid))
    assert heard.error is not None
    assert heard.unnamed[0]["stale_lat"] == pytest.approx(51.5072)


def test_a_fix_without_any_place_is_no_loss() -> None:
    assert hear(CODEC, mgv(lat="0000.00000", lon="00000.00000")).error is None
    assert hear(CODEC, mgv(lat="", lon="")).error is None
