"""What every bench returns, and how it takes the time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Row(NamedTuple):
    """One figure."""

    name: str
    figure: float
    unit: str
    target: float | None = None
    """What it should be at least, in the same unit; None = nothing was promised."""
    ratio_to: str = ""
    """What the figure is a ratio to, if it is one."""


def best_cpu_s(work: Callable[[], object], rounds: int = 3) -> float:
    """Seconds of this process's CPU that the quickest round took.

    CPU time, not the clock, since other processes share the machine; the quickest, since noise only
    ever adds.
    """
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best
