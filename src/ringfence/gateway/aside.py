"""Large bodies are read beside the event loop, one after the other, so that nobody else waits.

A body of 1 MiB takes up to a tenth of a second. In a thread of its own it takes as long, and the
loop goes on meanwhile: the interpreter gives it its turn every 5 ms. One thread, since each more
would take turns of the loop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

FROM_BYTES = 64 * 1024
"""What is smaller is read at once: some 400 fixes, in 5 ms at most."""
MOST_BYTES = 64 << 20
"""Of bodies that wait to be read, or are."""

T = TypeVar("T")


class Aside:
    """The thread, and what waits for it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "large-bodies")
        self._bytes = 0

    def has_room(self, size: int) -> bool:
        """Whether one more body of this size may wait."""
        return self._bytes + size <= MOST_BYTES

    async def read(self, work: Callable[[], T], size: int) -> T:
        """What `work` returns, or raises; it touches nothing but what it was given."""
        self._bytes += size
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._bytes -= size
