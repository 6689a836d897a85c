"""All real frames of every protocol: each file is the lines of one session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.gateway.decoding import as_json, decoder
from ringfence.gateway.frames import DeviceModel

FILES = {
    "megastek": "megastek",
    "osmand": "osmand",
    "owntracks": "owntracks",
    "queclink": "queclink_gl200",
    "r16h": "r16h",
    "teltonika": "teltonika",
}
PLACES = {"verifyPosition", "verifyPositions"}
ALWAYS_PLACED = {"osmand", "owntracks", "queclink", "r16h"}
"""The others keep a position that is called invalid or has no satellites out, by their own rule."""


def line_of(frame: dict[str, Any]) -> bytes:
    if frame["kind"] != "http":
        return str(frame["data"]).encode()
    if body := frame.get("body"):
        return str(body["data"]).encode()
    return f"{frame['method']} {frame['url']}".encode()


@pytest.mark.parametrize("protocol", FILES)
def test_real_frames_come_to_what_is_known_of_them(shared: Path, protocol: str) -> None:
    file = json.loads((shared / "frames" / f"{FILES[protocol]}.json").read_text())
    known = file.get("expected") or {}
    for name, records in file["decoders"].items():
        reads = decoder(protocol, model=DeviceModel())
        for record in records:
            where = f"{name} {record['i']}"
            told = json.loads(as_json(record["i"], reads.line(line_of(record["frame"]))))
            placed = [r for r in told["reports"] if "lat" in r]
            if record["check"] == "verifyNull":
                assert not placed, where
            if record["check"] in PLACES and record.get("check_location", True):
                assert placed or protocol not in ALWAYS_PLACED, where
                assert told["error"] is None or protocol not in ALWAYS_PLACED, where
            exact = known.get(name, {}).get(str(record["i"]), {}).get("positions", [])
            assert len(told["reports"]) >= len(exact), where
            for want, report in zip(exact, told["reports"], strict=False):
                if want.get("time"):
                    assert report["time"][:19] == want["time"][:19], where
                if "lat" in report:
                    here = (report["lat"], report["lon"])
                    assert here == pytest.approx((want["lat"], want["lon"]), abs=1e-5), where
