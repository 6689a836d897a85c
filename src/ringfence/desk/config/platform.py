"""The process behind `ringfence up`: it takes reports in, judges them, and shows them."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable

import structlog

from ringfence.desk.config import health
from ringfence.desk.config.asgi import Platform
from ringfence.desk.config.claiming import Claim
from ringfence.desk.config.gateway_part import GatewayPart
from ringfence.desk.config.metrics import register
from ringfence.desk.config.pages import pages
from ringfence.desk.config.schema import migrate
from ringfence.desk.config.server import make_server
from ringfence.desk.config.stages import stages
from ringfence.desk.config.static_files import StaticFiles, collect
from ringfence.desk.config.watch import Watch
from ringfence.desk.monitoring.reopening import reopening

log = structlog.get_logger("ringfence.platform")

STOP_S = 3.5
"""From the signal to the end, what is left of it for the inbox and the stage at work."""


def run(claim: Claim, *, say: Callable[[str], None]) -> bool:
    """Run until SIGTERM or SIGINT, then stop within five seconds.

    Args:
        claim: what to run, and where; Django is set up. It is released at the end.
        say: called once with the address when everything is ready.

    Returns:
        Whether the stage at work finished; if not, it was left in the middle of a transaction,
        which a restart begins anew.

    Raises:
        CantStartError: the database was made by a later version.
    """
    try:
        applied = migrate(claim.data)
        platform, gateway, watch = _assemble(claim)
        server = make_server(platform, gateway.protocol if gateway else "httptools", gateway)
        if gateway:
            gateway.open()
        reopening.doors_open()
        if watch:
            watch.start()
        log.info("started", pid=os.getpid(), parts=claim.parts, migrations=len(applied))
        say(claim.url)
        # What is loaded stays: the collector need not look through it again and again; and what a
        # request leaves behind is freed by counting, so it need not look often.
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        try:
            server.run(sockets=[claim.listener])
        finally:
            stop_by_s = (server.asked_at_s or time.monotonic()) + STOP_S
            finished = _stop(gateway, watch, stop_by_s)
        return finished
    finally:
        claim.release()


def _assemble(claim: Claim) -> tuple[Platform, GatewayPart | None, Watch | None]:
    gateway = GatewayPart(claim.doors) if "gateway" in claim.parts else None
    watch = Watch(stages()) if "monitor" in claim.parts else None
    checks = [health.schema_is_current()]
    if gateway:
        checks.append(gateway.check)
    if watch:
        checks.append(health.watch_is_alive(watch.silent_s))
    platform = Platform(claim.data, checks, gateway=gateway.application if gateway else None)
    if "web" in claim.parts:
        static = claim.data / "static"
        collect(static)
        platform.static = StaticFiles(static)
        platform.pages = pages()
    register(claim.data)
    return platform, gateway, watch


def _stop(gateway: GatewayPart | None, watch: Watch | None, by_s: float) -> bool:
    # The inbox first: what was taken in is committed and answered before the reader stops.
    if gateway:
        gateway.close(max(0.5, (by_s - time.monotonic()) / 2))
    finished = watch.stop(max(0.2, by_s - time.monotonic())) if watch else True
    log.info("stopped", stage_finished=finished)
    return finished
