"""The process behind `ringfence up`: it takes reports in, judges them, and shows them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from ringfence.desk.config import health
from ringfence.desk.config.asgi import Platform
from ringfence.desk.config.folder import PARTS, FolderLock
from ringfence.desk.config.gateway_part import GatewayPart
from ringfence.desk.config.metrics import register
from ringfence.desk.config.pages import pages
from ringfence.desk.config.schema import migrate
from ringfence.desk.config.server import bind, make_server
from ringfence.desk.config.stages import stages
from ringfence.desk.config.static_files import StaticFiles, collect
from ringfence.desk.config.watch import Watch

log = structlog.get_logger("ringfence.platform")

STOP_S = 4.5
"""From the signal to the end, what is left of it for the inbox and the stage at work."""


@dataclass(frozen=True, slots=True)
class Start:
    """What to start, and where."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    parts: tuple[str, ...] = PARTS


def run(start: Start, *, say: Callable[[str], None]) -> bool:
    """Run until SIGTERM or SIGINT, then stop within five seconds.

    Args:
        start: what and where; the data folder is open and Django is set up.
        say: called once with the address when everything listens.

    Returns:
        Whether the stage at work finished; if not, it was left in the middle of a transaction,
        which a restart begins anew.

    Raises:
        CantStartError: another process has the folder or the port, or the schema is too new.
    """
    lock = FolderLock(start.data, start.parts)
    lock.take()
    try:
        listener = bind(start.host, start.port)
        applied = migrate(start.data)
        platform, gateway, watch = _assemble(start)
        server = make_server(platform, gateway.protocol if gateway else "httptools")
        if gateway:
            gateway.open()
        if watch:
            watch.start()
        port = listener.getsockname()[1]
        log.info("started", pid=os.getpid(), port=port, parts=start.parts, migrations=len(applied))
        say(f"http://{_shown(start.host)}:{port}")
        try:
            server.run(sockets=[listener])
        finally:
            stop_by_s = (server.asked_at_s or time.monotonic()) + STOP_S
            finished = _stop(gateway, watch, stop_by_s)
        return finished
    finally:
        lock.release()


def _assemble(start: Start) -> tuple[Platform, GatewayPart | None, Watch | None]:
    gateway = GatewayPart() if "gateway" in start.parts else None
    watch = Watch(stages()) if "monitor" in start.parts else None
    checks = [health.schema_is_current()]
    if gateway:
        checks.append(gateway.check)
    if watch:
        checks.append(health.watch_is_alive(watch.silent_s))
    platform = Platform(start.data, checks, gateway=gateway.application if gateway else None)
    if "web" in start.parts:
        static = start.data / "static"
        collect(static)
        platform.static = StaticFiles(static)
        platform.pages = pages()
    register(start.data)
    return platform, gateway, watch


def _stop(gateway: GatewayPart | None, watch: Watch | None, by_s: float) -> bool:
    # The inbox first: what was taken in is committed and answered before the reader stops.
    if gateway:
        gateway.close(max(0.5, (by_s - time.monotonic()) / 2))
    finished = watch.stop(max(0.2, by_s - time.monotonic())) if watch else True
    log.info("stopped", stage_finished=finished)
    return finished


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
