"""The TCP doors: one port a protocol, thousands of connections at rest, and who is hung up on.

What is said on a connection is `Dialogue`'s; here are sockets and clocks. A connection costs an
object and no task or timer of its own: one sweep a second looks at all of them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple, cast

import structlog

from ringfence.gateway.dialogue import Dialogue, House
from ringfence.gateway.guests import Guests, common_name
from ringfence.gateway.handshakes import Handshakes
from ringfence.gateway.metrics import TCP_CLOSED, TCP_CONNECTIONS
from ringfence.gateway.ports import Limits

SWEEP_S = 1.0
"""How often all connections are looked at: a revoked tag is hung up on within this."""
RETRY_S = 0.05
"""How long sockets stay unread at least when the inbox is full."""
READ_AT_ONCE = 8 * 1024
"""Bytes of one connection that are read before others have their turn: asyncio would take 256 KiB,
and made of the shortest of frames they keep everybody waiting for a third of a second."""
LONGEST_WAIT_S = 1.0
"""How often a tag that sent too much is looked at again."""

log = structlog.get_logger("ringfence.gateway")


class Port(NamedTuple):
    """A listening socket and who answers at it."""

    listener: socket.socket
    house: House


class TcpDoors:
    """Listens, and keeps the connections."""

    def __init__(
        self,
        ports: Iterable[Port],
        guests: Guests,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.ports = list(ports)
        self.guests = guests
        self._tls = tls
        self.lines: set[Line] = set()
        self.buffer = memoryview(bytearray(READ_AT_ONCE))
        """Where the event loop puts what it reads, for one connection at a time."""
        self._servers: list[asyncio.Server] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._full: dict[Line, None] = {}
        """Whose dialogues wait for room in the inbox, in the order in which they met it full."""
        self._shut = False
        self._swept: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        for port in self.ports:
            make = partial(Line, self, port.house)
            if self._tls:
                hands = Handshakes(self._tls)
                self._accepting.append(loop.create_task(hands.serve(port.listener, make)))
            else:
                self._servers.append(await loop.create_server(make, sock=port.listener))
        self._swept = loop.call_later(SWEEP_S, self._sweep_on)

    async def stop(self, within_s: float) -> None:
        """Accept and read no more; answer what was taken in; hang up."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        for server in self._servers:
            server.close()
        for task in self._accepting:
            task.cancel()
        if self._swept:
            self._swept.cancel()
        for line in list(self.lines):
            line.dialogue.end()
        while loop.time() < until_s and any(line.dialogue.waits for line in self.lines):
            await asyncio.sleep(0.01)
        for line in list(self.lines):
            line.close()

    def wait_for_room(self, line: Line) -> None:
        """The inbox is full: leave every socket unread until it is not."""
        self._full[line] = None
        if not self._shut:
            self._shut = True
            for each in self.lines:
                each.leave_unread()
            asyncio.get_running_loop().call_later(RETRY_S, self._go_on)

    def forget(self, line: Line) -> None:
        """It is closed."""
        self.lines.discard(line)
        self._full.pop(line, None)
        self.guests.leave(line.address)

    @property
    def is_full(self) -> bool:
        """Whether sockets are left unread because too much waits to be stored."""
        return self._shut

    def _go_on(self) -> None:
        inbox = self.ports[0].house.inbox
        while self._full and inbox.has_room():
            line = next(iter(self._full))
            del self._full[line]
            line.dialogue.work()
        if self._full:
            asyncio.get_running_loop().call_later(RETRY_S, self._go_on)
            return
        self._shut = False
        for each in self.lines:
            each.read_again()

    def sweep(self) -> None:
        """Hang up on whoever may stay no longer."""
        now_s = asyncio.get_running_loop().time()
        for line in list(self.lines):
            reason = line.fault(now_s, self.guests.limits)
            if reason:
                TCP_CLOSED.labels(reason).inc()
                line.dialogue.end()
                line.close()

    def _sweep_on(self) -> None:
        self.sweep()
        self._swept = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep_on)


class Line(asyncio.BufferedProtocol):
    """One connection."""

    __slots__ = (
        "_doors",
        "_heard_s",
        "_house",
        "_silenced",
        "_since_s",
        "_slow_since_s",
        "_timer",
        "_transport",
        "_unread",
        "address",
        "dialogue",
    )

    def __init__(self, doors: TcpDoors, house: House) -> None:
        self._doors = doors
        self._house = house
        self._silenced = False
        """By the dialogue: it has as much under way as it may."""
        self._unread = False
        """By the doors: the inbox is full."""
        self._slow_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.address = ""

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or not."""
        self._transport = cast("asyncio.Transport", transport)
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        self.address = str(host)
        doors = self._doors
        self._since_s = self._heard_s = asyncio.get_running_loop().time()
        self.dialogue = Dialogue(self._house, self, f"{host}:{port}", common_name(transport))
        reason = doors.guests.arrive(self.address)
        doors.lines.add(self)
        TCP_CONNECTIONS.labels(self._house.codec.name).inc()
        if reason:
            TCP_CLOSED.labels(reason).inc()
            self.dialogue.ending = True
            self._transport.abort()
        elif doors.is_full:
            self.leave_unread()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget it; half a frame is never stored."""
        self.dialogue.ending = True
        if self._timer:
            self._timer.cancel()
        self._doors.forget(self)
        TCP_CONNECTIONS.labels(self._house.codec.name).dec()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 -- asyncio's
        """Where to put what is read next."""
        return self._doors.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what was read, and note when a frame is overdue."""
        data = bytes(self._doors.buffer[:nbytes])
        now_s = asyncio.get_running_loop().time()
        self._heard_s = now_s
        finished = self.dialogue.receive(data)
        if not self.dialogue.unfinished:
            self._slow_since_s = None
        elif finished or self._slow_since_s is None:
            self._slow_since_s = now_s

    def pause_writing(self) -> None:
        """It does not read its answers, a few bytes each: it is no device of ours."""
        TCP_CLOSED.labels("deaf").inc()
        self.dialogue.ending = True
        self._transport.abort()

    # What the dialogue calls.

    def write(self, data: bytes) -> None:
        """Send."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send what was written, then hang up."""
        self._transport.close()

    def hold(self) -> None:
        """Read no more until `go_on`."""
        self._silenced = True
        self._read_or_not()

    def go_on(self) -> None:
        """Read again."""
        self._silenced = False
        self._read_or_not()

    def call_back(self, seconds: float) -> None:
        """Work on in so many seconds."""
        if self._timer is None:
            wait_s = min(seconds, LONGEST_WAIT_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._called_back)

    def inbox_is_full(self) -> None:
        """Work on when there is room."""
        self._doors.wait_for_room(self)

    # What the doors call.

    def leave_unread(self) -> None:
        """The inbox is full."""
        self._unread = True
        self._read_or_not()

    def read_again(self) -> None:
        """It is not."""
        self._unread = False
        self._read_or_not()

    def fault(self, now_s: float, limits: Limits) -> str | None:
        """Why it should be closed; None = it may stay."""
        if self.dialogue.waits or self._unread:
            return None  # we are the slow ones
        if self._slow_since_s is not None and now_s - self._slow_since_s > limits.slow_s:
            return "slow"
        if not self.dialogue.speakers:
            return "unknown" if now_s - self._since_s > limits.unknown_s else None
        if not self.dialogue.are_all_known():
            return "revoked"
        return "idle" if now_s - self._heard_s > limits.idle_s else None

    def _called_back(self) -> None:
        self._timer = None
        self.dialogue.work()

    def _read_or_not(self) -> None:
        transport = self._transport
        if transport.is_closing():
            return
        wanted = not (self._silenced or self._unread)
        if wanted and not transport.is_reading():
            transport.resume_reading()
        elif not wanted and transport.is_reading():
            transport.pause_reading()
