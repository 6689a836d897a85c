"""The gateway inside the process: its doors, its inbox, and whether both are well."""

from __future__ import annotations

from ringfence.desk.config.plain import Application, Receive, Scope, Send, respond


class GatewayPart:
    """Takes reports in."""

    def __init__(self) -> None:
        self.application: Application = _closed

    def open(self) -> None:
        """Start the inbox's writer."""

    def close(self) -> None:
        """Commit and answer what was taken in; take no more."""

    def check(self) -> str | None:
        """What is wrong with taking reports in, if anything."""
        return "gateway: not built yet"


async def _closed(_scope: Scope, _receive: Receive, send: Send) -> None:
    await respond(send, 503, "the gateway is not built yet\n")
