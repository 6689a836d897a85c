"""Who connects and never shakes hands keeps out nobody who does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop

from ringfence.desk.config.environment import Tls
from ringfence.desk.config.transport import tls_context
from ringfence.gateway.handshakes import Handshakes
from tests.gateway.certificates import Authority

Call = Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Greets(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(b"hello")  # type: ignore[attr-defined]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def play(authority: Authority, story: Callable[[Call], Awaitable[None]], **bounds: int) -> None:
    certificate, key = authority.sign("gateway")
    context = tls_context(Tls(str(certificate), str(key), ""))
    assert context is not None

    async def whole() -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        hands = Handshakes(context, **bounds)
        serving = asyncio.create_task(hands.serve(listener, Greets))

        async def call(host: str = "127.0.0.1", *, tls: bool = False):
            ssl = authority.client() if tls else None
            return await asyncio.open_connection("127.0.0.1", port, ssl=ssl, local_addr=(host, 0))

        async with asyncio.timeout(20):
            await story(call)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    uvloop.run(whole())


async def greeted(call: Call, host: str) -> bytes:
    reader, _writer = await call(host, tls=True)
    return await reader.readexactly(5)


def test_one_address_that_never_shakes_hands_is_hung_up_on_and_keeps_out_no_other(
    authority: Authority,
) -> None:
    async def story(call: Call) -> None:
        silent = [await call() for _ in range(2)]
        one_more, _ = await call()
        assert await one_more.read() == b""
        assert await greeted(call, "127.0.0.2") == b"hello"
        silent[0][1].close()
        await asyncio.sleep(0.1)
        assert await greeted(call, "127.0.0.1") == b"hello"

    play(authority, story, most=8, most_of_address=2)


def test_no_more_shake_hands_at_once_than_may_and_the_next_waits_its_turn(
    authority: Authority,
) -> None:
    async def story(call: Call) -> None:
        silent = [await call(f"127.0.0.{n}") for n in range(2, 5)]
        waiting = asyncio.create_task(greeted(call, "127.0.0.9"))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        silent[0][1].close()
        assert await waiting == b"hello"

    play(authority, story, most=3)


def test_whoever_is_through_counts_no_more(authority: Authority) -> None:
    async def story(call: Call) -> None:
        for _ in range(5):
            assert await greeted(call, "127.0.0.1") == b"hello"

    play(authority, story, most=1, most_of_address=1)
