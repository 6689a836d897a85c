"""A tiny gateway: one HTTP server that stores once, and fails as often as it is told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

FAILURES = {
    "busy": ("429 Too Many Requests", "{}", "Retry-After: 0.01\r\n"),
    "broken": ("500 Internal Server Error", "", ""),
    "unknown": ("401 Unauthorized", '{"why":"token"}', ""),
    "full": ("413 Content Too Large", "", ""),
}


@dataclass
class TinyGateway:
    """Stores reports by tag and number; `moods` says how it answers, one a post."""

    moods: Iterator[str]
    stored: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    order: list[tuple[str, int]] = field(default_factory=list)
    acknowledged: Counter[tuple[str, int]] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    most: int = 10_000
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.tokens.add(headers["authorization"])
                if not await self._reply(writer, body):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def _reply(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        mood = next(self.moods, "well")
        if mood == "well" and len(body["reports"]) > self.most:
            mood = "full"
        if mood == "dropped":
            return False
        if mood in FAILURES:
            return await _say(writer, *FAILURES[mood])
        keys = [(body["tag"], r["seq"]) for r in body["reports"]]
        fresh = [k for k in keys if k not in self.stored]
        self.stored |= dict(zip(keys, body["reports"], strict=True))
        self.order += fresh
        if mood == "stored, then dropped":
            return False
        self.acknowledged.update(keys)
        said = {"accepted": len(fresh), "duplicate": len(keys) - len(fresh), "refused": []}
        return await _say(writer, "200 OK", json.dumps(said))


async def _say(writer: asyncio.StreamWriter, status: str, body: str, more: str = "") -> bool:
    writer.write(f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    await writer.drain()
    return True


@asynccontextmanager
async def tiny_gateway(moods: Iterator[str], **more: Any) -> AsyncIterator[TinyGateway]:
    """A running one; its `url` is where it listens."""
    gateway = TinyGateway(moods, **more)
    server = await asyncio.start_server(gateway.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway.url = f"http://127.0.0.1:{port}"
    async with server:
        yield gateway
        # Let the other ends hang up before the loop closes.
        await asyncio.sleep(0.02)
