"""`python -m tests.fuzz.codecs PROTOCOL [libFuzzer's options]`: throw bytes at a codec.

Nothing may raise; bytes split anywhere come to the same; what is left waiting stays small; and
whatever is reported is on earth, finite, and can be printed.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from itertools import islice

import atheris

with atheris.instrument_imports(include=["ringfence.gateway"]):
    from ringfence.gateway.decoding import PROTOCOLS, Line, as_json, decoder
    from ringfence.gateway.frames import DeviceModel
    from ringfence.gateway.report import Report
    from ringfence.gateway.tcp_codecs import CODECS

from bench.codecs import DEVICES, REQUESTS, way
from tests.gateway.codecs.queclink_frames import EVERY_KIND

MOST_WAITING = 1 << 15
LONGEST_S = 0.5
"""CPU for one input of up to 4 KiB, read twice and followed: alone it takes a hundredth of that."""


def seeds(protocol: str) -> list[bytes]:
    """Sound frames to begin with, each behind the byte that says where to split."""
    makers = {name: make for name, make, _ in REQUESTS} | DEVICES
    frames = [makers[protocol](place) for place in islice(way(), 3)]
    if protocol == "queclink":
        frames += EVERY_KIND
    return [b"\x80" + frame for frame in frames]


def sound(report: Report) -> None:
    assert (report.lat_e7 is None) == (report.lon_e7 is None)
    assert abs(report.lat_e7 or 0) <= 900_000_000
    assert abs(report.lon_e7 or 0) <= 1_800_000_000
    assert all(math.isfinite(value) for value in report if value is not None)
    assert report.battery_pct is None or 0 <= report.battery_pct <= 100
    assert report.course_deg is None or 0 <= report.course_deg <= 360
    assert report.speed_mps is None or report.speed_mps >= 0


def connection(protocol: str) -> Callable[[bytes], None]:
    def one(data: bytes) -> None:
        begun_s = time.thread_time()
        stream, at = data[1:], len(data) * (data[0] if data else 0) // 256
        whole, split = (CODECS[protocol].talk(lambda _: DeviceModel(), True) for _ in range(2))
        heard = whole.receive(stream)
        assert heard == split.receive(stream[:at]) + split.receive(stream[at:])
        assert whole.unfinished <= MOST_WAITING
        for frame in heard:
            for report in frame.reports:
                sound(report)
            as_json(0, Line(frame.device, frame.reports, frame.unnamed))
        assert time.thread_time() - begun_s < LONGEST_S

    return one


def request(protocol: str) -> Callable[[bytes], None]:
    read = decoder(protocol, model=DeviceModel(), key="secret")

    def one(data: bytes) -> None:
        begun_s = time.thread_time()
        line = read.line(data[1:])
        for report in line.reports:
            sound(report)
        as_json(0, line)
        assert time.thread_time() - begun_s < LONGEST_S

    return one


def main() -> None:
    protocol = sys.argv.pop(1)
    if protocol not in PROTOCOLS:
        sys.exit(f"no protocol {protocol}: there are {', '.join(PROTOCOLS)}")
    atheris.Setup(sys.argv, connection(protocol) if protocol in CODECS else request(protocol))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
