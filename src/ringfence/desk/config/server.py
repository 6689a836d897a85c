"""The web server of a process: uvicorn, and how it stops."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

import uvicorn

from ringfence.desk.config.claiming import BACKLOG
from ringfence.desk.config.plain import Application

DRAIN_S = 2
"""How long open requests may take after a SIGTERM; the whole stop has five seconds."""


HANG_UP_S = 1.0
"""How long devices may wait for the answer to what they sent."""


class Doors(Protocol):
    """Doors that are not HTTP's."""

    async def listen(self) -> None:
        """Accept connections."""

    async def hang_up(self, within_s: float) -> None:
        """Accept and read no more; answer what was taken in; close."""


class Server(uvicorn.Server):
    """Without uvicorn's own signal handling, which would end the process before our threads."""

    asked_at_s: float | None = None
    """When it was asked to stop, on the monotonic clock."""
    doors: Doors | None = None
    """What else listens on the same event loop."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, at the doors too."""
        await super().startup(sockets=sockets)
        if self.doors:
            await self.doors.listen()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of the devices first: what they sent is still committed and answered."""
        if self.doors:
            await self.doors.hang_up(HANG_UP_S)
        await super().shutdown(sockets=sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop accepting on SIGTERM or SIGINT; what follows is the caller's."""
        before = {s: signal.signal(s, self._stop) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # A second signal does not wait for open requests.
        self.force_exit = self.should_exit
        self.should_exit = True
        self.asked_at_s = self.asked_at_s or time.monotonic()


def make_server(
    application: Application, protocol: Any = "httptools", doors: Doors | None = None
) -> Server:
    """Build uvicorn as the platform runs it.

    Args:
        application: what answers.
        protocol: what reads a connection, as `uvicorn.Config(http=…)` takes it.
        doors: what else listens.
    """
    server = Server(
        uvicorn.Config(
            application,
            loop="uvloop",
            http=protocol,
            ws="none",
            lifespan="off",
            # URLs hold the ids of people's pages, and peers are people's addresses.
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_S,
            backlog=BACKLOG,
        )
    )
    server.doors = doors
    return server
