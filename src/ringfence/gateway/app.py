"""The doors as a bare ASGI application: any ASGI server can run it, beside anything else.

`connection.py` does the same without ASGI between, where the server lets us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ringfence.gateway.session import (
    DRAIN_AT_MOST,
    MAX_BODY,
    Reply,
    Session,
    come_back,
    knock,
    problem,
    too_large,
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

BODY_WITHIN_S = 30.0
"""A sender that takes longer for 1 MiB holds a place that others need."""


def make_app(session: Session) -> App:
    """Build the application that serves `/gateway/…`."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        door = knock(scope["method"].encode(), scope["path"].encode(), headers)
        if isinstance(door, Reply):
            await _drain(receive, session)
            await _send(send, door)
            return
        body = await _read(receive, session)
        if body is None:
            return  # the sender is gone, half-way: nothing was said, nothing is stored
        if isinstance(body, Reply):
            await _send(send, body)
            return
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        peer = (scope.get("client") or ("",))[0]
        query = scope.get("query_string", b"")
        session.take(door, headers, body, peer, lambda r: _settle(future, r), query=query)
        await _send(send, await future)

    return app


def _settle(future: asyncio.Future[Reply], reply: Reply) -> None:
    if not future.done():
        future.set_result(reply)


async def _read(receive: Receive, session: Session) -> bytes | Reply | None:
    """The whole body; a refusal; or None when the sender left before its end."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        return body if len(body) <= MAX_BODY else too_large()
    chunks: list[bytes] = []
    size = held = 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while message["type"] == "http.request":
                size += len(message.get("body", b""))
                if session.is_crowded(size):
                    return come_back("too much is arriving at once")
                if size <= MAX_BODY:
                    chunks.append(message.get("body", b""))
                    session.arriving += len(chunks[-1])
                    held += len(chunks[-1])
                elif size > DRAIN_AT_MOST:
                    return too_large()
                if not message.get("more_body"):
                    return b"".join(chunks) if size <= MAX_BODY else too_large()
                message = await receive()
    except TimeoutError:
        return problem(408, f"the body took longer than {BODY_WITHIN_S:g} s: send it again")
    finally:
        session.arriving -= held
    return None


async def _drain(receive: Receive, session: Session) -> None:
    """Read what a refused request still sends, or the refusal may be lost with the connection."""
    await _read(receive, session)


async def _send(send: Send, reply: Reply) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(reply.body)).encode()),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
