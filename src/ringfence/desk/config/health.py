"""Is the platform well? `/healthz` says that it runs, `/readyz` that it does its work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from django.db import close_old_connections

from ringfence.desk.config.plain import Send, respond
from ringfence.desk.config.schema import missing_migrations

SILENT_S = 10.0
"""The watch loop looks for work five times a second; ten seconds without is a fault."""
FRESH_S = 10.0
"""How long the answer about the schema is believed: it changes when somebody migrates."""

Check = Callable[[], str | None]
"""Returns what is wrong in one sentence, or None."""


def watch_is_alive(silent_s: Callable[[], float]) -> Check:
    """The watch loop has shown a sign of life of late."""

    def check() -> str | None:
        silence_s = silent_s()
        if silence_s <= SILENT_S:
            return None
        return f"monitor: the watch loop has been silent for {silence_s:.0f} s; see the log"

    return check


def schema_is_current() -> Check:
    """The database has seen every migration of this code."""
    believed: tuple[float, str | None] = (-FRESH_S, None)

    def check() -> str | None:
        nonlocal believed
        if time.monotonic() - believed[0] >= FRESH_S:
            missing = missing_migrations()
            fault = f"database: migration {missing[0]} is missing; restart" if missing else None
            believed = (time.monotonic(), fault)
        return believed[1]

    return check


def faults(checks: Sequence[Check]) -> list[str]:
    """What is wrong, one sentence each; a check that breaks is a fault too."""
    found = []
    for check in checks:
        try:
            fault = check()
        except Exception as error:
            fault = (
                f"{getattr(check, '__qualname__', 'check').split('.')[0]}: {type(error).__name__}"
            )
        if fault is not None:
            found.append(fault)
    return found


def _asked(checks: Sequence[Check]) -> list[str]:
    try:
        return faults(checks)
    finally:
        # A worker's thread outlives the question; its connection must not.
        close_old_connections()


async def answer_readyz(send: Send, checks: Sequence[Check]) -> None:
    """200 `ready`, or 503 with one line a fault."""
    found = await asyncio.to_thread(_asked, checks)
    if found:
        await respond(send, 503, "".join(f"{fault}\n" for fault in found))
    else:
        await respond(send, 200, "ready\n")
