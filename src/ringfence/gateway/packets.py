"""MQTT packets off a socket, one whole packet at a time, for amqtt's protocol to read.

amqtt asks for bytes one or a few at a time, with neither a limit on a packet's size nor on how long
it may take. Here a packet is taken whole, within both, before amqtt sees its first byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from amqtt.adapters import ReaderAdapter

MAX_PACKET = (1 << 20) + (1 << 17)
"""1 MiB of payload, and a topic."""
MAX_CONNECT = 1 << 17
"""Of the first packet, whose sender is nobody yet: names, a token, and a will of 64 KiB."""
PUBLISH, QOS_3 = 3, 0x06
"""The kind of packet in its first byte's upper half, and two bits of the lower."""
MOST_LENGTH_BYTES = 4
"""Of the field that says how long a packet is (MQTT 3.1.1, 2.2.3)."""


class Packets(ReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """Reads as long as a connection may be read; then it looks ended."""

    def __init__(self, stream: asyncio.StreamReader, *, idle_s: float, slow_s: float) -> None:
        """Begin.

        Args:
            stream: the socket's.
            idle_s: within this a packet must begin.
            slow_s: within this it must be whole.
        """
        self._stream = stream
        self._slow_s = slow_s
        self._packet = b""
        self._at = 0
        self.idle_s = idle_s
        self.most = MAX_CONNECT
        """Bytes of a packet, at most."""
        self.may_go_on: Callable[[], Awaitable[None]] | None = None
        """Waited for before another packet is read: leaves the socket unread meanwhile."""

    async def read(self, n: int = -1) -> bytes:
        """The next `n` bytes of the packet; of the next one where it is used up; b"" at the end."""
        if self._at >= len(self._packet):
            if self.may_go_on:
                await self.may_go_on()
            self._packet, self._at = await self._next(), 0
        end = len(self._packet) if n < 0 else self._at + n
        piece = self._packet[self._at : end]
        self._at += len(piece)
        return piece

    def feed_eof(self) -> None:
        """End it."""
        self._stream.feed_eof()

    async def _next(self) -> bytes:
        try:
            first = await asyncio.wait_for(self._stream.readexactly(1), self.idle_s)
            return await asyncio.wait_for(self._whole(first), self._slow_s)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, OSError):
            return b""

    async def _whole(self, head: bytes) -> bytes:
        length = 0
        for place in range(MOST_LENGTH_BYTES):
            byte = await self._stream.readexactly(1)
            head += byte
            length |= (byte[0] & 0x7F) << (7 * place)
            if not byte[0] & 0x80:
                break
        else:
            return b""
        if length > self.most:
            return b""
        body = await self._stream.readexactly(length)
        return b"" if _is_no_message(head[0], body) else head + body


def _is_no_message(first: int, body: bytes) -> bool:
    """Whether it is a PUBLISH that MQTT forbids: it must not come to be read as other packets.

    Its topic names many (3.3.2-2), is cut off, or its quality of service is 3 (3.3.1-4): amqtt
    drops such a message and goes on with what is left of its bytes.
    """
    if first >> 4 != PUBLISH:
        return False
    end = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:end]
    return first & QOS_3 == QOS_3 or len(body) < end or b"+" in topic or b"#" in topic
