"""What a tag holds until the gateway has it: nothing is forgotten before an acknowledgement."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import structlog

from ringfence.sim.link import Accepted, Busy, Lost, Rejected, Reply, TooLarge
from ringfence.sim.tag import Report

log = structlog.get_logger()

BATCH = 1000
"""Most reports in a post, a fifth of the gateway's limit. What was buffered goes in one piece: half
a day of it, judged alone, would look like half a day of silence."""
BACKOFF_S, BACKOFF_MOST_S = 0.5, 30.0


class Door(Protocol):
    """Whatever takes reports: `link.Link`, or the same in a test."""

    def post(self, reports: Sequence[Report]) -> Reply:
        """Send reports and wait for the answer."""

    def close(self) -> None:
        """Hang up."""


class RejectedError(RuntimeError):
    """The gateway will never take what this tag sends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"status {status}: {reason}")
        self.status, self.reason = status, reason


@dataclass(slots=True)
class Totals:
    """What a fleet has sent so far."""

    posts: int = 0
    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    busy: int = 0
    lost: int = 0
    is_reachable: bool = True
    """Whether the last answer was one; kept for the whole fleet, so that one outage is one line in
    the log."""


class Outbox:
    """One tag's buffer and its way of sending."""

    def __init__(self, door: Door, totals: Totals, *, threads: Executor, seed: int) -> None:
        self._door, self._totals, self._threads = door, totals, threads
        self._held: list[Report] = []
        self._batch = BATCH
        self._failures = 0
        self._random = random.Random(seed)

    def __len__(self) -> int:
        """Count the reports not yet acknowledged."""
        return len(self._held)

    def hold(self, report: Report) -> None:
        """Keep a report until it is acknowledged."""
        self._held.append(report)

    async def send(self, *, newest_first: bool = False) -> None:
        """Send all that is held, however long it takes.

        Args:
            newest_first: as tags do after an hour without a network.

        Raises:
            RejectedError: the gateway will never take it (a wrong token, say).
        """
        if newest_first:
            self._held.reverse()
        while self._held:
            batch = self._held[: self._batch]
            loop = asyncio.get_running_loop()
            reply = await loop.run_in_executor(self._threads, self._door.post, batch)
            self._totals.posts += 1
            await asyncio.sleep(self._learn(reply, batch))

    def _learn(self, reply: Reply, batch: list[Report]) -> float:
        """Act on an answer; returns the seconds to wait before the next post."""
        if not isinstance(reply, Lost) and not self._totals.is_reachable:
            log.info("gateway_reached", reports=len(self._held))
            self._totals.is_reachable = True
        match reply:
            case Accepted(accepted, duplicate, refused):
                del self._held[: len(batch)]
                self._failures = 0
                self._totals.accepted += accepted
                self._totals.duplicate += duplicate
                self._totals.refused += len(refused)
                return 0.0
            case Busy(retry_after_s):
                self._totals.busy += 1
                return retry_after_s
            case TooLarge() if self._batch > 1:
                self._batch //= 2
                return 0.0
            case TooLarge():
                raise RejectedError(413, "one report alone is too large")
            case Rejected(status, why):
                raise RejectedError(status, why)
            case Lost(why):
                return self._back_off(why)

    def _back_off(self, why: str) -> float:
        self._totals.lost += 1
        wait_s: float = min(BACKOFF_MOST_S, BACKOFF_S * 2**self._failures)
        if self._totals.is_reachable:
            log.warning("gateway_unreachable", cause=why, reports=len(self._held))
            self._totals.is_reachable = False
        self._failures = min(self._failures + 1, 10)
        # Spread, so that a fleet does not come back in one instant.
        return wait_s * self._random.uniform(0.7, 1.0)
