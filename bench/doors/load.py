"""`python -m bench.doors.load PORT COUNT FIRST TAGS LINES`: tags that report as fast as they can.

Each line (connection) has one request under way. All requests are made before the clock starts;
every body holds 15 fixes that were never sent before, a minute apart, as a tag buffers them.
Prints seconds, and the 50th and 99th percentile of the time to an acknowledgement in ms.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import uvloop

from bench.doors.tags import token

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
FIXES = 15


def request(number: int, tags: int) -> bytes:
    turn, tag = divmod(number, tags)
    reports = [
        {
            "seq": turn * FIXES + k,
            "time": (BEGIN + timedelta(minutes=turn * FIXES + k)).isoformat(),
            "lat": round(51.5 + tag * 1e-5 + k * 1e-6, 7),
            "lon": round(-0.1 + turn * 1e-6, 7),
            "accuracy_m": 8,
            "source": "gnss",
            "speed_mps": 1.1,
            "course_deg": 90,
            "satellites": 9,
            "hdop": 0.9,
            "battery_pct": 81,
        }
        for k in range(FIXES)
    ]
    body = json.dumps({"tag": f"T{tag}", "reports": reports}, separators=(",", ":")).encode()
    head = (
        "POST /gateway/v1/reports HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: Bearer {token(tag)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Line(asyncio.Protocol):
    """One connection with one request under way."""

    def __init__(self, requests: Iterator[bytes], took_s: list[float]) -> None:
        self.requests, self.took_s = requests, took_s
        self.over = asyncio.get_running_loop().create_future()
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.send_next()

    def send_next(self) -> None:
        """Send the next request there is, or hang up."""
        wanted = next(self.requests, None)
        if wanted is None:
            self.transport.close()
            self.over.set_result(None)
            return
        self.sent_s = time.perf_counter()
        self.transport.write(wanted)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Take the time once the whole answer is there."""
        self.got += data
        if not self.got.endswith(b"}"):
            return
        if b'"accepted":15,' not in self.got:
            self.over.set_exception(RuntimeError(self.got.decode()))
            self.transport.close()
            return
        self.took_s.append(time.perf_counter() - self.sent_s)
        self.got = b""
        self.send_next()


async def main(port: int, count: int, first: int, tags: int, lines: int) -> None:
    requests = iter([request(n, tags) for n in range(first, first + count)])
    took_s: list[float] = []
    loop = asyncio.get_running_loop()
    begun_s = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Line(requests, took_s), "127.0.0.1", port)
        for _ in range(lines)
    ]
    await asyncio.gather(*(line.over for _, line in made))
    seconds = time.perf_counter() - begun_s
    took_s.sort()
    print(seconds, took_s[len(took_s) // 2] * 1000, took_s[len(took_s) * 99 // 100] * 1000)


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
