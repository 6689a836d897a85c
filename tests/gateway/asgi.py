"""Asks the doors as an ASGI server asks them: no sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ringfence.gateway.app import make_app
from ringfence.gateway.session import Session
from tests.gateway.house import FewTags, MemoryInbox

REPORTS = "/gateway/v1/reports"


class Answer:
    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.sent = sent
        self.status = sent[0]["status"] if sent else None
        self.headers = dict(sent[0]["headers"]) if sent else {}
        self.body = b"".join(m.get("body", b"") for m in sent)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    inbox: MemoryInbox,
    *pieces: bytes,
    path: str = REPORTS,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    query: str = "",
    cut: bool = False,
    session: Session | None = None,
) -> Answer:
    """Send a body in pieces; `cut`: the sender leaves before the end."""
    messages = [{"type": "http.request", "body": p, "more_body": True} for p in pieces]
    if cut:
        messages.append({"type": "http.disconnect"})
    else:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "client": ("192.0.2.1", 5),
        "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
    }
    app = make_app(session or Session(inbox, FewTags()))
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return Answer(sent)
