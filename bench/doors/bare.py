"""The peer: a bare ASGI application that decodes the same bodies and stores nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from ringfence.gateway.codecs.ringfence_json import _Body

decode = msgspec.json.Decoder(_Body).decode
HEADERS = [(b"content-type", b"application/json")]


async def app(_scope: Any, receive: Any, send: Any) -> None:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    count = len(decode(body).reports)
    reply = msgspec.json.encode({"accepted": count, "duplicate": 0, "refused": []})
    length = (b"content-length", str(len(reply)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
    await send({"type": "http.response.body", "body": reply})
