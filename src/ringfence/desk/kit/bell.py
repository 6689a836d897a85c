"""Wakes whoever waits for new rows in this process; the rows themselves are the message.

A ring that nobody hears costs nothing: every waiter also looks again after its time-out.
"""

from __future__ import annotations

import threading


class Bell:
    """Counts its rings, so that a waiter that was busy does not miss one."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it has rung so far."""
        return self._rings

    def ring(self) -> None:
        """Wake every waiter."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, heard: int, timeout_s: float) -> int:
        """Sleep until a ring later than number `heard`, or `timeout_s`.

        Returns:
            The number of the latest ring: pass it as `heard` next time.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._rings != heard, timeout_s)
            return self._rings


reports = Bell()
"""Rung by the inbox after it committed reports: the monitor wakes."""

changes = Bell()
"""Rung by the watch loop after a stage wrote something: live pages wake."""


def ring() -> None:
    """Reports were committed."""
    reports.ring()
