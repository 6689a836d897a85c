"""`ringfence decode`: captured frames in, one line of JSON for each out."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import pytest
from nacl.secret import SecretBox
from typer.testing import CliRunner, Result

from bench.codecs import DEVICES, REQUESTS, teltonika, way
from ringfence.cli import app
from ringfence.gateway.decoding import PROTOCOLS
from tests.gateway.codecs.queclink_frames import IMEI, binary, fri, located, text
from tests.gateway.codecs.tag_frames import packet, record

COMMAND = Path(sys.executable).parent / "ringfence"
BODY = {"_type": "location", "tst": 1_772_359_320, "lat": 48.654321, "lon": -9.123456, "t": "u"}
FORWARDED = {
    "device": {"uniqueId": "T1"},
    "position": {
        "valid": True,
        "fixTime": "2026-03-01T10:02:00.000+00:00",
        "latitude": 48.654321,
        "longitude": -9.123456,
        "attributes": {"alarm": "sos", "rpm": 900},
    },
}


def run(protocol: str, *lines: bytes, more: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(app, ["decode", protocol, *more], input=b"\n".join(lines))


def decoded(protocol: str, *lines: bytes, more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    result = run(protocol, *lines, more=more)
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["frame"] for one in found] == list(range(len(found)))
    return found


def test_the_installed_command_decodes_a_file(tmp_path: Path) -> None:
    file = tmp_path / "frames"
    file.write_bytes(fri() + b"\n")
    ran = subprocess.run(
        [COMMAND, "decode", "queclink", file], capture_output=True, text=True, check=True
    )
    (line,) = map(json.loads, ran.stdout.splitlines())
    assert line == {
        "frame": 0,
        "reports": [
            {
                "seq": 0x11F0,
                "time": "2026-03-01T10:02:00Z",
                "lat": 48.654321,
                "lon": -9.123456,
                "source": "gnss",
                "speed_mps": 1.0,
                "course_deg": 271.0,
                "altitude_m": 12.5,
                "hdop": 1.0,
                "battery_pct": 83.0,
                "signals": [],
                "raw": {
                    "report": "RESP:GTFRI",
                    "version": "1A0900",
                    "name": "Tag",
                    "before": ["0", "0", "1"],
                    "after": [["0234", "0010", "00AB", "1234", "00", "83"]],
                    "sent": "20260301100203",
                    "count": "11F0",
                },
            }
        ],
        "replies": [b"+SACK:11F0$".hex()],
        "error": None,
        "device": IMEI,
    }


def test_decoding_loads_neither_django_nor_a_server() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from ringfence.cli import app;"
        "assert CliRunner().invoke(app, ['decode', 'queclink'], input='x').exit_code == 0;"
        "print([m for m in ('django', 'asyncio') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "django" not in ran.stdout


def test_a_line_of_text_is_a_whole_frame_with_or_without_its_end() -> None:
    whole, bare = decoded("queclink", fri(), fri(count=0x11F1)[:-1] + b"\r")
    assert len(whole["reports"]) == len(bare["reports"]) == 1


def test_hex_text_and_several_frames_a_line_are_read() -> None:
    frames = fri(count=1) + binary(b"+RSP", 7, b"\x01" + located(), count=2)
    (line,) = decoded("queclink", frames.hex().encode())
    assert len(line["reports"]) == 2
    assert line["replies"] == [b"+SACK:0001$".hex(), b"+SACK:0002$".hex()]


def test_hex_may_be_spaced_and_half_a_byte_is_said() -> None:
    frame = binary(b"+RSP", 7, b"\x01" + located())
    spaced, odd = decoded("queclink", b"0x" + frame.hex(" ").encode(), frame.hex()[1:].encode())
    assert len(spaced["reports"]) == 1
    assert "hex" in odd["error"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_mark_of_a_file_of_windows_costs_no_frame(protocol: str) -> None:
    makers = DEVICES | {name: make for name, make, _ in REQUESTS}
    frame = makers[protocol](next(way()))
    for line in (frame, frame.hex().encode()):
        if protocol == "teltonika" and line == frame:
            continue  # its bytes are no text
        plain, marked = (decoded(protocol, begins + line) for begins in (b"", BOM_UTF8))
        assert len(plain[0]["reports"]) == 1
        assert marked == plain


def test_a_fault_that_a_line_has_often_is_said_once() -> None:
    (told,) = decoded("queclink", b"A" * 60_000)
    assert told["error"].count("not a frame") == 1


def test_a_frame_spread_over_hex_lines_is_told_on_the_line_that_completes_it() -> None:
    frame = binary(b"+RSP", 7, b"\x01" + located()).hex().encode()
    lines = decoded("queclink", frame[:40], frame[40:80], frame[80:])
    assert [len(line["reports"]) for line in lines] == [0, 0, 1]
    assert [line["error"] for line in lines] == [None, None, None]


def test_a_frame_that_never_ends_does_not_swallow_the_next() -> None:
    frame = binary(b"+RSP", 7, b"\x01" + located()).hex().encode()
    begun, after = decoded("queclink", frame[:60], frame)
    assert "incomplete" in begun["error"]
    assert (len(after["reports"]), after["error"]) == (1, None)


def test_a_log_in_holds_for_the_lines_after_it() -> None:
    log_in = b"000f" + IMEI.encode().hex().encode()
    record = teltonika(next(way())).hex().encode()
    known, _, after = decoded("teltonika", log_in, record[:40], record)
    assert (known["device"], after["device"]) == (IMEI, IMEI)
    assert known["replies"] == ["01"]
    (stranger,) = decoded("teltonika", record)
    assert (stranger["device"], len(stranger["reports"])) == (None, 1)


def test_input_that_ends_within_a_frame_says_so() -> None:
    frame = binary(b"+RSP", 7, b"\x01" + located()).hex().encode()
    first, begun, blank = decoded("queclink", fri(), frame[:60], b"\n")
    assert (first["error"], blank["error"]) == (None, None)
    assert "incomplete" in begun["error"]


def test_a_gap_in_a_device_s_count_is_said() -> None:
    _, later = decoded("queclink", fri(count=1), fri(count=4))
    assert later["reports"][0]["raw"]["frames_missing_before"] == 2


def test_the_zone_of_the_devices_clock_can_be_said() -> None:
    frame = text("PFA", "").replace(b",,", b",").replace(b"20260301", b"20260701")
    (line,) = decoded("queclink", frame, more=("--zone", "Europe/London"))
    assert line["reports"][0]["time"] == "2026-07-01T09:02:03Z"
    assert line["reports"][0]["signals"] == ["power_off"]


def test_a_bad_line_costs_no_other_and_names_no_place() -> None:
    bad, good = decoded("queclink", b"nonsense 48.654321", fri())
    assert bad["error"]
    assert "48" not in bad["error"]
    assert good["reports"]


@pytest.mark.parametrize(
    "line",
    [
        b"id=T1&lat=48.654321&lon=-9.123456&timestamp=1772359320&foo=7",
        b"/?id=T1&lat=48.654321&lon=-9.123456&timestamp=1772359320&foo=7",
        b"https://host:1/a?id=T1&lat=48.654321&lon=-9.123456&timestamp=1772359320&foo=7",
        b"GET /?id=T1&lat=48.654321&lon=-9.123456&timestamp=1772359320&foo=7 HTTP/1.1",
    ],
)
def test_a_url_of_osmand_is_read_whole_or_in_part(line: bytes) -> None:
    (told,) = decoded("osmand", line)
    (report,) = told["reports"]
    assert (told["device"], report["lat"], report["time"]) == (
        "T1",
        48.654321,
        "2026-03-01T10:02:00Z",
    )
    assert report["raw"] == {"foo": "7"}


def test_bodies_of_the_other_http_protocols_are_read() -> None:
    (phone,) = decoded("owntracks", json.dumps(BODY).encode())
    assert phone["reports"][0]["raw"] == {"t": "u"}
    assert phone["replies"] == [b"[]".hex()]
    (forwarded,) = decoded("traccar", json.dumps(FORWARDED).encode())
    assert forwarded["device"] == "T1"
    assert forwarded["reports"][0]["signals"] == ["sos"]
    assert forwarded["reports"][0]["raw"]["rpm"] == 900
    ours = {"tag": "T1", "reports": [{"time": "2026-03-01T10:02:00.250Z"}, {"time": "never"}]}
    (own,) = decoded("ringfence", json.dumps(ours).encode())
    assert own["reports"] == [{"time": "2026-03-01T10:02:00.250Z", "signals": []}]
    assert own["error"].startswith("report 1: time")
    assert json.loads(bytes.fromhex(own["replies"][0]))["accepted"] == 1


def test_an_encrypted_message_is_opened_with_its_key() -> None:
    box = SecretBox(b"secret".ljust(32, b"\0"))
    sealed = b64encode(bytes(box.encrypt(json.dumps(BODY).encode()))).decode()
    line = json.dumps({"_type": "encrypted", "data": sealed}).encode()
    (shut,) = decoded("owntracks", line)
    (opened,) = decoded("owntracks", line, more=("--key", "secret"))
    assert "key" in shut["error"]
    assert opened["reports"][0]["lat"] == BODY["lat"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nosuch",), "teltonika"),
        (("queclink", "nosuch.file"), "nosuch.file"),
        (("queclink", "."), "."),
        (("queclink", "--zone", "Mars/Olympus"), "Europe/London"),
        (("queclink", "--zone", "../etc"), "Europe/London"),
        (("queclink", "--key", "x"), "owntracks"),
    ],
)
def test_what_can_t_be_begun_is_refused_with_what_to_do(
    arguments: tuple[str, ...], word: str
) -> None:
    result = CliRunner().invoke(app, ["decode", *arguments], input="")
    assert result.exit_code == 2
    assert word in result.stderr
    assert not result.stdout


def test_a_line_without_end_is_not_read_into_memory() -> None:
    long, after = decoded("queclink", b"ab" * (3 << 20), fri())
    assert "bytes" in long["error"]
    assert after["reports"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_typical_frame_of_every_protocol_is_a_place_and_a_time(protocol: str) -> None:
    makers = {name: make for name, make, _ in REQUESTS} | DEVICES
    place = next(way())
    frame = makers[protocol](place).hex().encode()
    blank, told, nonsense = decoded(protocol, b"", frame, b"zz")
    (report,) = told["reports"]
    assert (report["lat"], report["lon"]) == pytest.approx((place.lat, place.lon), abs=1e-5)
    assert report["time"] == f"{place.at:%Y-%m-%dT%H:%M:%SZ}"
    assert (blank["error"], told["error"]) == (None, None)
    assert nonsense["error"]


def test_a_place_held_without_a_fix_is_shown_as_one() -> None:
    (line,) = decoded("teltonika", packet([record(sats=0)]).hex().encode())
    (report,) = line["reports"]
    assert (report["lat"], report["lon"], report["fix"]) == (51.5072, -0.1278, False)
    assert "stale_lat" not in report.get("raw", {})


def test_what_a_damaged_frame_seems_to_say_is_shown_with_its_error() -> None:
    bad = bytearray(packet([record()]))
    bad[-1] ^= 1
    (line,) = decoded("teltonika", bytes(bad).hex().encode())
    assert "checksum" in line["error"]
    assert line["replies"] == []
    assert [(r["lat"], r["lon"]) for r in line["reports"]] == [(51.5072, -0.1278)]
