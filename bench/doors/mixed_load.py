"""`python -m bench.doors.mixed_load PLAN`: a fleet that reports through all doors at once.

PLAN is a JSON file: ports, tokens, seconds; and how many reports each tag has kept and lets go of
at once, newest first (an outage that is over), or 0: one report a tag and second, live. Tags that
loop say a thousand reports a second, `late` ones of hours ago. The last
`live` tags were not cut off, and report until the file `stop` is there; `over` is written when all
others have let go of what they kept. What is not acknowledged is sent again, also after the
platform was killed. Prints, as JSON, how many reports of each tag were acknowledged, and how many
seconds it took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop

from bench.doors.fleet import device, zone

AGAIN_S = 0.3
"""A tag that lost its connection tries again after as long."""
WARM_S = 20.0
"""Live tags report for so long before the others come back."""
GOLDEN = 0.6180339887
WALK_MPS, FAR_M = 1.3, 450.0
FLOOD_SIZE, FLOOD_EVERY_S = 100, 0.1
"""What the looping tag says: 1,000 reports a second."""
HTTP, PHONE, TCP, MQTT = range(4)
"""Doors: tag number n uses door n modulo four."""
BATCH = {HTTP: 15, PHONE: 1, TCP: 5, MQTT: 15}
"""Reports in one message: what a tag gathers between two calls; a phone sends each by itself."""


class Tag:
    """Reports in order of their number; number k is of the instant `start` + k × `every`."""

    def __init__(self, n: int, plan: dict[str, Any]) -> None:
        self.n, self.plan, self.token = n, plan, plan["tokens"][n]
        self.acknowledged = 0
        self.live = n >= len(plan["tokens"]) - plan["live"] - plan["floods"]
        self.buffered: int = 0 if self.live else plan["buffered"]
        self.start = datetime.fromisoformat(plan["start"])
        self.size = BATCH[n % 4]
        self.took_s: list[float] = plan["took_s"]
        if not self.buffered:
            # Tags were not switched on in the same second: each calls in at an instant of its own.
            self.start -= timedelta(seconds=n * GOLDEN % 1 * self.size)

    def at(self, k: int) -> datetime:
        """When report number k is of."""
        if self.buffered:
            return self.start - timedelta(minutes=k)  # newest first
        return self.start + timedelta(seconds=k)

    def place(self, k: int) -> tuple[float, float]:
        """Where: to and fro at a walk; one wearer in twenty over the edge of his own zone."""
        way_m = abs((k * WALK_MPS * self.every_s + self.n * 37) % (4 * FAR_M) - 2 * FAR_M) - FAR_M
        lat, lon = zone(self.n) if self.n % 20 == 0 else (51.4, -0.2 + self.n * 1e-5)
        return round(lat + way_m * 9e-6, 7), round(lon, 7)

    @property
    def every_s(self) -> int:
        """Seconds between two reports; a minute, backwards, of what was kept."""
        return -60 if self.buffered else 1

    async def run(self, until_s: float) -> None:
        """Report until it is time to stop, whatever happens to the connection."""
        while not self.is_done(until_s):
            try:
                await self._connected(until_s)
            except (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError):
                await asyncio.sleep(AGAIN_S)

    def is_done(self, until_s: float) -> bool:
        """Whether it is time to stop."""
        if self.buffered:
            return self.acknowledged >= self.buffered
        return Path(self.plan["stop"]).exists() if self.plan["buffered"] else time.time() >= until_s

    async def _connected(self, until_s: float) -> None:
        port = self.plan["ports"][("http", "http", "tcp", "mqtt")[self.n % 4]]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            if self.n % 4 == MQTT:
                await self._log_in(reader, writer)
            while not self.is_done(until_s):
                first, size = self.acknowledged, self.size
                if self.buffered:
                    size = min(size, self.buffered - first)
                else:
                    due_s = self.at(first + size - 1).timestamp()
                    await asyncio.sleep(max(0.0, due_s - time.time()))
                if writer.transport.is_closing():
                    raise EOFError
                sent_s = time.perf_counter()
                writer.write(self._message(first, size))
                if await asyncio.wait_for(self._is_acknowledged(reader, size), 60):
                    self.acknowledged += size
                    self.took_s.append(time.perf_counter() - sent_s)
                else:
                    await asyncio.sleep(1)
        finally:
            writer.close()

    def _message(self, first: int, size: int) -> bytes:
        door = self.n % 4
        if door == HTTP:
            body = json.dumps(
                {
                    "tag": f"T{self.n}",
                    "reports": [self.said(k) for k in range(first, first + size)],
                }
            )
            return _post("/gateway/v1/reports", f"Bearer {self.token}", body)
        if door == PHONE:
            lat, lon = self.place(first)
            tst = int(self.at(first).timestamp())
            body = json.dumps({"_type": "location", "tst": tst, "lat": lat, "lon": lon, "acc": 5})
            basic = b64encode(f"T{self.n}:{self.token}".encode()).decode()
            return _post("/gateway/owntracks", f"Basic {basic}", body)
        if door == TCP:
            return self._frame(first, size)
        said = _counted(f"tags/T{self.n}/reports") + (first % 65535 + 1).to_bytes(2)
        said += json.dumps(
            {"tag": f"T{self.n}", "reports": [self.said(k) for k in range(first, first + size)]}
        ).encode()
        return b"\x32" + bytes([len(said) & 0x7F | 0x80, len(said) >> 7]) + said

    def _frame(self, first: int, size: int) -> bytes:
        places = []
        for k in range(first, first + size):
            lat, lon = self.place(k)
            at = f"{self.at(k):%Y%m%d%H%M%S}"
            places.append(f"1,3.6,271,12.5,{lon:.6f},{lat:.6f},{at},0234,0010,00AB,1234,00")
        return (
            f"+RESP:GTFRI,1A0900,{device(self.n)},Tag,0,0,{size},{','.join(places)},83,{at},"
            f"{first % 65536:04X}$"
        ).encode()

    def said(self, k: int, milliseconds: int = 0) -> dict[str, Any]:
        """Report number k; or one of as many milliseconds after the start."""
        lat, lon = self.place(k)
        at = self.start + timedelta(milliseconds=milliseconds) if milliseconds else self.at(k)
        return {"time": at.isoformat(), "lat": lat, "lon": lon, "accuracy_m": 8}

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = _counted("MQTT") + b"\x04\xc2\x00\x00" + _counted("c")
        said += _counted(f"T{self.n}") + _counted(self.token)
        writer.write(b"\x10" + bytes([len(said)]) + said)
        await asyncio.wait_for(reader.readexactly(4), 60)

    async def _is_acknowledged(self, reader: asyncio.StreamReader, size: int) -> bool:
        door = self.n % 4
        if door == TCP:
            await reader.readuntil(b"$")
            return True
        if door == MQTT:
            await reader.readexactly(4)
            return True
        status, body = await _answer(reader)
        if status != 200:
            return False
        if door == HTTP:
            receipt = json.loads(body)
            return bool(receipt["accepted"] + receipt["duplicate"] == size)
        return True


def _post(path: str, authorization: str, body: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _counted(text: str) -> bytes:
    return len(text).to_bytes(2) + text.encode()


async def flood(plan: dict[str, Any], n: int, until_s: float) -> dict[int, int]:
    """Tag number n loops: it heeds no refusal; how often it got which answer."""
    answers: dict[int, int] = {}
    tag, k = Tag(n, plan), 0
    await asyncio.sleep(plan["seconds"] / 3)  # what comes before the first quarter is not counted
    reader, writer = await asyncio.open_connection("127.0.0.1", plan["ports"]["http"])
    while time.time() < until_s:
        reports = [tag.said(k + i, milliseconds=k + i) for i in range(FLOOD_SIZE)]
        if plan["late"] and k:
            # Newest first, from the seconds before its first report: all of it is late.
            reports = [tag.said(k + i, milliseconds=-1000 * (k + i)) for i in range(FLOOD_SIZE)]
        body = json.dumps({"tag": f"T{n}", "reports": reports})
        try:
            writer.write(_post("/gateway/v1/reports", f"Bearer {tag.token}", body))
            status, _ = await asyncio.wait_for(_answer(reader), 60)
            answers[status] = answers.get(status, 0) + 1
        except (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError):
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", plan["ports"]["http"])
        k += FLOOD_SIZE
        await asyncio.sleep(FLOOD_EVERY_S)
    writer.close()
    return answers


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"length: ")[2].split()[0])
    return int(head.split()[1]), await reader.readexactly(size)


async def main(plan: dict[str, Any]) -> dict[str, Any]:
    plan["start"] = datetime.now(UTC).replace(microsecond=0).isoformat()
    began_s = time.time()
    plan["took_s"] = took_s = []
    floods = plan["floods"]
    tags = [Tag(n, plan) for n in range(len(plan["tokens"]) - floods)]
    until_s = began_s + plan["seconds"]
    async with asyncio.TaskGroup() as fleet:
        looping = [fleet.create_task(flood(plan, len(tags) + n, until_s)) for n in range(floods)]
        live = [fleet.create_task(tag.run(until_s)) for tag in tags if not tag.buffered]
        if len(live) < len(tags):
            await asyncio.sleep(WARM_S if live else 0)
            began_s = time.time()
            async with asyncio.TaskGroup() as back:
                for tag in tags:
                    if tag.buffered:
                        back.create_task(tag.run(until_s))
            told = {"began_s": began_s, "over_s": time.time()}
            Path(plan["over"]).write_text(json.dumps(told))
    took_s.sort()
    return {
        "acknowledged": [tag.acknowledged for tag in tags],
        "seconds": time.time() - began_s,
        "acknowledged_p99_s": took_s[len(took_s) * 99 // 100],
        "answers_to_floods": [task.result() for task in looping],
    }


if __name__ == "__main__":
    json.dump(uvloop.run(main(json.loads(Path(sys.argv[1]).read_text()))), sys.stdout)
