"""A tag's connection without ASGI between: three times the requests on the same core.

uvicorn asks this for a protocol on each new connection (`Config(http=…)`). As long as requests go
to `/gateway/`, it answers them itself: parsed in C, one write an answer, no task a request. At
the first request to anything else it hands the connection over to uvicorn for good, which serves
all paths, these too, by `app.py`. Both ask the same `Session`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import httptools

from ringfence.gateway.session import (
    DRAIN_AT_MOST,
    MAX_BODY,
    PREFIX,
    Door,
    Headers,
    Reply,
    Session,
    come_back,
    knock,
    problem,
    too_large,
)

MAX_HEADERS = 64
MAX_HEAD = 64 * 1024
"""Bytes before a body begins; tokens and a proxy's notes need far less."""
MAX_AHEAD = 4
"""Requests of one connection that wait for their answer before no more are read from it."""
MOST_CONNECTIONS = 8_000
"""Of tags, phones and pages over HTTP. A proxy in front shares few among many."""
MOST_PAGES = 2_000
"""… of which to anything but the doors: whoever opens pages without end keeps out no tag."""
IDLE_S = 60.0
"""A request may take so long to arrive, and a connection may say nothing for so long."""

Rest = Callable[[], asyncio.Protocol]


def make_protocol(session: Session, rest: Callable[..., asyncio.Protocol]) -> Callable[..., Any]:
    """Build what uvicorn's `Config(http=…)` takes.

    Args:
        session: what requests to the doors are taken to.
        rest: uvicorn's own protocol class, for everything else.
    """

    def protocol(**given: Any) -> asyncio.Protocol:
        return DoorConnection(session, partial(rest, **given), given["server_state"].connections)

    return protocol


class DoorConnection(asyncio.Protocol):
    """One connection; requests are answered in their order, also when they come in one piece."""

    def __init__(self, session: Session, rest: Rest, connections: set[Any]) -> None:
        self._session = session
        self._rest = rest
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._replies: deque[list[Reply | None]] = deque()
        self._body: list[bytes] = []
        self._held = 0
        """Bytes of it."""
        self._loop = asyncio.get_running_loop()
        self._fresh = True
        """Between requests."""
        self._in_head = False
        self._closing = False
        self._paused = False
        self._peer = ""

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who it is."""
        self._transport = cast("asyncio.Transport", transport)
        crowded = len(self._connections) >= MOST_CONNECTIONS
        self._connections.add(self)
        peername = transport.get_extra_info("peername")
        self._peer = str(peername[0]) if isinstance(peername, tuple) else ""
        self._since_s = self._loop.time()
        self._watch = self._loop.call_later(IDLE_S, self._close_if_idle)
        if crowded:
            self._give_up(crowd())

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget it; a body that was cut off is never stored."""
        self._closing = True
        self._connections.discard(self)
        self._watch.cancel()
        # The parser knows us and we know it, so that this is freed late: not with a megabyte.
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """Parse what came, or hand the connection over."""
        if self._closing:
            return
        if self._fresh and data.partition(b" ")[2][: len(PREFIX)] != PREFIX:
            self._hand_over(data)
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError):
            self._give_up(problem(400, "this is not an HTTP/1.1 request"))
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._give_up(problem(431, f"the headers are larger than {MAX_HEAD:,} bytes"))

    def shutdown(self) -> None:
        """The server is stopping: finish what was taken in."""
        self._closing = True
        self._flush()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._fresh = False
        self._in_head = True
        self._head_size = 0
        self._since_s = self._loop.time()
        self._url = b""
        self._headers: Headers = {}
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """Its target, perhaps in pieces."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        if len(self._headers) < MAX_HEADERS:
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Find its door, before the body is read."""
        self._in_head = False
        path, _, self._query = self._url.partition(b"?")
        if not path.startswith(PREFIX):
            # Only behind another request in the same piece: nobody asks like that but attackers.
            self._door: Door | Reply = problem(400, "ask for pages on a connection of their own")
            self._closing = True
            return
        self._door = knock(self._parser.get_method(), path, self._headers)
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        """A piece of the body, kept up to the limit."""
        self._size += len(chunk)
        if self._size <= MAX_BODY:
            self._body.append(chunk)
            self._held += len(chunk)
            self._session.arriving += len(chunk)
            if self._session.is_crowded(self._size):
                self._give_up(come_back("too much is arriving at once"))
        elif self._size > DRAIN_AT_MOST:
            self._give_up(too_large())

    def on_message_complete(self) -> None:
        """The request is whole: take it in."""
        self._fresh = True
        self._since_s = self._loop.time()
        slot: list[Reply | None] = [None]
        self._replies.append(slot)
        if not self._parser.should_keep_alive() or self._parser.get_method() == b"HEAD":
            self._closing = True
        if isinstance(self._door, Reply):
            self._answer(slot, self._door)
        elif self._size > MAX_BODY:
            self._answer(slot, too_large())
        else:
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._let_go()
            if len(self._replies) > MAX_AHEAD:
                self._paused = True
                self._transport.pause_reading()
            answer = partial(self._answer, slot)
            self._session.take(
                self._door, self._headers, body, self._peer, answer, query=self._query
            )

    def _give_up(self, reply: Reply) -> None:
        """Answer what can't be read on, and close."""
        self._let_go()
        if not self._closing:
            self._closing = True
            self._replies.append([reply])
            self._flush()

    def _let_go(self) -> None:
        """Hold no body any more."""
        self._session.arriving -= self._held
        self._held = 0
        self._body = []

    def _answer(self, slot: list[Reply | None], reply: Reply) -> None:
        slot[0] = reply
        self._flush()

    def _flush(self) -> None:
        """Write the answers that are ready and whose turn it is."""
        transport = self._transport
        if transport.is_closing():
            return
        while self._replies and (reply := self._replies[0][0]) is not None:
            self._replies.popleft()
            last = self._closing and not self._replies
            transport.write(_head(reply, last=last) + reply.body)
        if self._replies:
            return
        if self._closing:
            transport.close()
        elif self._paused:
            self._paused = False
            transport.resume_reading()

    def _hand_over(self, data: bytes) -> None:
        pages = sum(not isinstance(other, DoorConnection) for other in self._connections)
        if pages >= MOST_PAGES:
            self._give_up(crowd())
            return
        self._connections.discard(self)
        self._watch.cancel()
        successor = self._rest()
        # uvicorn waits for the rest of a first request for ever.
        self._loop.call_later(IDLE_S, _close_if_unasked, successor, self._transport)
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        successor.data_received(data)

    def _close_if_idle(self) -> None:
        quiet_s = self._loop.time() - self._since_s
        if quiet_s >= IDLE_S and not self._replies:
            self._transport.close()
        else:
            wait_s = max(1.0, IDLE_S - quiet_s)
            self._watch = self._loop.call_later(wait_s, self._close_if_idle)


def crowd() -> Reply:
    """Refuse a connection beyond the limit."""
    return problem(503, "too many connections: try again", (b"retry-after", b"5"))


def _close_if_unasked(successor: asyncio.Protocol, transport: asyncio.Transport) -> None:
    if getattr(successor, "cycle", None) is None:
        transport.close()


_STATUS = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}


def _head(reply: Reply, *, last: bool) -> bytes:
    extra = b"".join(b"%s: %s\r\n" % header for header in reply.headers) if reply.headers else b""
    return (
        b"%scontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: %d\r\n"
        b"%s%s\r\n"
        % (
            _STATUS[reply.status],
            len(reply.body),
            extra,
            b"connection: close\r\n" if last else b"",
        )
    )
