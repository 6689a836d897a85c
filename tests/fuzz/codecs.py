"""`python -m tests.fuzz.codecs PROTOCOL [libFuzzer's options]`: throw bytes at a codec.

Nothing may raise; bytes split anywhere come to the same; what is left waiting stays small; and
whatever is reported is on earth, finite, and can be printed. No input may take longer than
`LONGEST_S` of CPU, and slow ones are looked for: how long an input took counts as code that it
reached, so that the fuzzer keeps what is slow and goes on from there.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import TypeVar

import atheris

with atheris.instrument_imports(include=["ringfence.gateway"]):
    from ringfence.gateway.decoding import PROTOCOLS, Line, as_json, decoder
    from ringfence.gateway.frames import DeviceModel
    from ringfence.gateway.report import Report
    from ringfence.gateway.tcp_codecs import CODECS

from bench.codecs import DEVICES, REQUESTS, way
from tests.gateway.codecs.queclink_frames import EVERY_KIND

T = TypeVar("T")
MOST_WAITING = 1 << 15
LONGEST_S = 0.010
"""CPU of one input, which holds a frame of any length or several, although the fuzzer follows each
branch of it."""
REPEATS = 5
"""The quickest counts: a slower one met another process, or the garbage collector."""


@atheris.instrument_func  # type: ignore[misc]  # atheris has no types
def slowness(took_s: float) -> int:  # noqa: PLR0911 -- each way out is code that it reached
    """Make a branch of each step of slowness, for the fuzzer to find."""
    if took_s < 0.0005:
        return 0
    if took_s < 0.0007:
        return 1
    if took_s < 0.001:
        return 2
    if took_s < 0.0014:
        return 3
    if took_s < 0.002:
        return 4
    if took_s < 0.0028:
        return 5
    if took_s < 0.004:
        return 6
    return 7 if took_s < 0.0056 else 8


class Slowest:
    """What the slowest input took."""

    took_s = 0.0005


def timed(read: Callable[[], T], size: int) -> T:
    """Read an input, and hold the time that it takes."""
    begun_s = time.thread_time()
    said = read()
    took_s = time.thread_time() - begun_s
    if took_s > Slowest.took_s:
        for _ in range(REPEATS):
            begun_s = time.thread_time()
            read()
            took_s = min(took_s, time.thread_time() - begun_s)
        if took_s > Slowest.took_s:
            Slowest.took_s = took_s
            # Told at once: libFuzzer ends the process before Python could at its end.
            sys.stderr.write(f"slowest yet: {took_s * 1000:.2f} ms for {size} bytes\n")
    slowness(took_s)
    assert took_s <= LONGEST_S, f"{size} bytes took {took_s * 1000:.1f} ms"
    return said


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
        stream, at = data[1:], len(data) * (data[0] if data else 0) // 256
        whole, split = (CODECS[protocol].talk(lambda _: DeviceModel(), True) for _ in range(2))
        heard = whole.receive(stream)
        talks = (CODECS[protocol].talk(lambda _: DeviceModel(), False) for _ in range(REPEATS + 1))
        timed(lambda: next(talks).receive(stream), len(stream))
        assert heard == split.receive(stream[:at]) + split.receive(stream[at:])
        assert whole.unfinished <= MOST_WAITING
        for frame in heard:
            for report in frame.reports:
                sound(report)
            as_json(0, Line(frame.device, frame.reports, frame.unnamed))

    return one


def request(protocol: str) -> Callable[[bytes], None]:
    read = decoder(protocol, model=DeviceModel(), key="secret")

    def one(data: bytes) -> None:
        line = timed(lambda: read.line(data[1:]), len(data))
        for report in line.reports:
            sound(report)
        as_json(0, line)

    return one


def main() -> None:
    protocol = sys.argv.pop(1)
    if protocol not in PROTOCOLS:
        sys.exit(f"no protocol {protocol}: there are {', '.join(PROTOCOLS)}")
    atheris.Setup(sys.argv, connection(protocol) if protocol in CODECS else request(protocol))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
