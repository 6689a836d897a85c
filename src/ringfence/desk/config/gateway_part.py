"""The gateway inside the process: its doors, its inbox, and whether both are well."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ringfence.desk.config.device_doors import Behind, DeviceDoors
from ringfence.desk.config.plain import Application
from ringfence.desk.monitoring.directory import TagDirectory
from ringfence.desk.monitoring.gatekeeper import TagGatekeeper
from ringfence.desk.monitoring.inbox import ReportInbox
from ringfence.gateway.app import make_app
from ringfence.gateway.aside import Aside
from ringfence.gateway.connection import make_protocol
from ringfence.gateway.pace import Pace
from ringfence.gateway.ports import Address
from ringfence.gateway.session import Session


class GatewayPart:
    """Takes reports in."""

    def __init__(self, doors: Sequence[tuple[Address, socket.socket]] = ()) -> None:
        """Build it.

        Args:
            doors: ports of device protocols, with their listening sockets.

        Raises:
            CantStartError: the certificate files of the TCP doors can't be used.
        """
        self._inbox = ReportInbox()
        self._gatekeeper = TagGatekeeper()
        self._directory = TagDirectory(self._gatekeeper.forget)
        self._pace = Pace()
        aside = Aside()
        session = Session(self._inbox, self._gatekeeper, self._pace, aside)
        self.application: Application = make_app(session)
        self.protocol: Callable[..., Any] = make_protocol(session, HttpToolsProtocol)
        """What uvicorn makes of each connection: the doors by the short way, the rest as ever."""
        self._others = DeviceDoors(
            doors, Behind(self._inbox, self._gatekeeper, self._directory, self._pace, aside)
        )

    def open(self) -> None:
        """Start the inbox's writer, and read who may speak."""
        self._inbox.start()
        self._directory.start()

    def close(self, timeout_s: float) -> None:
        """Commit what was taken in; take no more."""
        self._inbox.stop(timeout_s)
        self._directory.stop()
        self._gatekeeper.stop()

    async def listen(self) -> None:
        """Accept connections of devices."""
        await self._others.start()

    async def hang_up(self, within_s: float) -> None:
        """Let go of the devices, once what they sent is answered."""
        await self._others.stop(within_s)

    def check(self) -> str | None:
        """What is wrong with taking reports in, if anything."""
        return self._inbox.trouble
