"""One ASGI application: the gateway, health and static files by hand, pages by Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.desk.config.health import Check, answer_readyz
from ringfence.desk.config.metrics import answer_metrics
from ringfence.desk.config.plain import Application, Receive, Scope, Send, respond

NO_STREETS = '{"type":"FeatureCollection","features":[]}'


@dataclass
class Platform:
    """Sends each request to the part that answers it."""

    data: Path
    checks: Sequence[Check]
    gateway: Application | None = None
    """None: this process takes no reports in."""
    pages: Application | None = None
    """None: this process shows no pages."""
    static: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # No web sockets here, and no lifespan: `platform` starts and stops the parts.
            return
        path: str = scope["path"]
        if path.startswith("/gateway/"):
            await self._part(self.gateway, "gateway", (scope, receive, send))
        elif path.startswith("/static/"):
            await self._part(self.static, "web", (scope, receive, send))
        elif path in {"/healthz", "/readyz", "/metrics", "/map/streets.geojson"}:
            await self._plain(path, scope["method"], send)
        else:
            await self._part(self.pages, "web", (scope, receive, send))

    async def _part(
        self, part: Application | None, name: str, call: tuple[Scope, Receive, Send]
    ) -> None:
        if part is None:
            await respond(call[2], 404, f"this process does not run the {name}\n")
        else:
            await part(*call)

    async def _plain(self, path: str, method: str, send: Send) -> None:
        if method not in {"GET", "HEAD"}:
            await respond(send, 405, "GET only\n")
        elif path == "/healthz":
            await respond(send, 200, "alive\n")
        elif path == "/readyz":
            await answer_readyz(send, self.checks)
        elif path == "/metrics":
            await answer_metrics(send)
        else:
            streets = self.data / "streets.geojson"
            body = streets.read_bytes() if streets.is_file() else NO_STREETS
            await respond(send, 200, body, "application/geo+json")
