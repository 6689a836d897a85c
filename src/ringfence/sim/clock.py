"""Simulated time: as fast as asked until it has caught up with the present, then real time."""

from __future__ import annotations

import time
from collections.abc import Callable


class SimClock:
    """Never ahead of the wall: the gateway does not judge reports from the future."""

    def __init__(
        self, start_s: float, speed: float = 1.0, wall: Callable[[], float] = time.time
    ) -> None:
        """Start now, showing `start_s` (UTC epoch seconds).

        Raises:
            ValueError: `speed` is less than 1.
        """
        if not speed >= 1:
            raise ValueError(f"speed is {speed}: give 1 (real time) or more")
        self._wall, self._start_s, self._speed = wall, start_s, speed
        self._began_s = wall()

    def now_s(self) -> float:
        """Simulated time, UTC epoch seconds."""
        wall_s = self._wall()
        return min(wall_s, self._start_s + (wall_s - self._began_s) * self._speed)

    def wait_s(self, until_s: float) -> float:
        """Real seconds to wait until simulated time is `until_s`."""
        by_wall_s = until_s - self._wall()
        by_speed_s = (until_s - self._start_s) / self._speed - (self._wall() - self._began_s)
        return max(0.0, by_wall_s, by_speed_s)
