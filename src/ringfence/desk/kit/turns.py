"""Whose turn it is to write, first come, first served.

SQLite lets one transaction write at a time, and whoever waits asks again now and then: a stage that
commits and begins anew, again and again, can keep the gateway out for seconds. Writers of this
process that may be busy for long take turns here first. Other processes, and PostgreSQL, do not
need it; short writers (pages) do without.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A lock that is handed to the one who waited longest; not re-entrant."""

    def __init__(self) -> None:
        self._inner = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._inner:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._inner:
            if self._waiting:
                self._waiting.popleft().release()  # it is theirs without ever being free
            else:
                self._taken = False


writing = Turns()
"""Taken by the inbox and by the stages of the watch loop, outside their transactions."""
