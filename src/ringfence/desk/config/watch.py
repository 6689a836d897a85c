"""The watch loop: the stages one after the other, for as long as the platform runs.

Each stage reads one table and writes the next; none knows of another. One that fails is logged,
counted, and tried again after a pause that grows; the others go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from django.db import connections
from prometheus_client import Counter

from ringfence.desk.kit import bell

log = structlog.get_logger("ringfence.watch")

POLL_S = 0.2
"""How long the loop sleeps if nobody rings: the wait for reports from another process."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 30.0

STAGE_FAILURES = Counter("ringfence_stage_failures_total", "A stage raised an error.", ["stage"])


@dataclass
class Stage:
    """One step of the watch loop."""

    name: str
    run: Callable[[], int]
    """Does what is due now, a bounded amount of it; returns how many rows it handled."""
    every_s: float = 0.0
    """The shortest time between two runs; 0 = every round."""
    next_at_s: float = 0.0
    """On the monotonic clock."""
    failures: int = 0
    """In a row."""

    def step(self) -> int:
        """Run if it is time to; an error is recorded, never raised."""
        if time.monotonic() < self.next_at_s:
            return 0
        try:
            done = self.run()
        except Exception:
            self._failed()
            return 0
        self.failures = 0
        self.next_at_s = time.monotonic() + self.every_s
        return done

    def _failed(self) -> None:
        self.failures += 1
        pause_s = min(FIRST_PAUSE_S * 2 ** (self.failures - 1), LONGEST_PAUSE_S)
        self.next_at_s = time.monotonic() + pause_s
        STAGE_FAILURES.labels(self.name).inc()
        log.exception("stage_failed", stage=self.name, failures=self.failures, pause_s=pause_s)
        # The next attempt must not find a connection in the middle of a broken transaction.
        connections.close_all()


@dataclass
class Watch:
    """Runs the stages in a thread of its own."""

    stages: Sequence[Stage]
    beat_s: float = field(default_factory=time.monotonic)
    """When the loop last finished a stage, on the monotonic clock."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._loop, name="watch", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Let the stage at work finish; returns whether it did within `timeout_s`."""
        self._stopping.set()
        bell.reports.ring()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def round(self) -> int:
        """Let every stage that is due run once; returns how many rows they handled."""
        handled = 0
        for stage in self.stages:
            if self._stopping.is_set():
                break
            handled += stage.step()
            self.beat_s = time.monotonic()
        if handled:
            bell.changes.ring()
        return handled

    def silent_s(self) -> float:
        """How long the loop has given no sign of life."""
        return time.monotonic() - self.beat_s

    def _loop(self) -> None:
        heard = bell.reports.rings
        while not self._stopping.is_set():
            if not self.round():
                heard = bell.reports.wait(heard, POLL_S)
        connections.close_all()
