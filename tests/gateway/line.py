"""A client of the short way from a socket to the session, over real loopback sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ringfence.gateway.connection import make_protocol
from ringfence.gateway.session import Session
from tests.gateway.house import FewTags, MemoryInbox


class Pages(asyncio.Protocol):
    """Stands for the server that has the rest."""

    def __init__(self, **_given: Any) -> None:
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"pages:" + data)  # type: ignore[attr-defined]


class State:
    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self.session: Session | None = None


class Line:
    """A client's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in rest)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers, json.loads(body) if body else None

    async def closed(self) -> bool:
        return await self.reader.read() == b""


def talk(
    story: Callable[[Line, State], Awaitable[None]], inbox: MemoryInbox | None = None
) -> MemoryInbox:
    inbox = inbox or MemoryInbox()

    async def scene() -> None:
        state = State()
        state.session = Session(inbox, FewTags())
        make = make_protocol(state.session, Pages)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: make(server_state=state), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            await story(Line(reader, writer), state)
        writer.close()
        server.close()

    asyncio.run(scene())
    return inbox
