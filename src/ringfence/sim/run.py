"""A whole simulation, from the first report to the last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ringfence.sim.cast import Cast
from ringfence.sim.clock import SimClock
from ringfence.sim.diary import Diary
from ringfence.sim.fleet import carry, run_fleet
from ringfence.sim.gaps import silence_of
from ringfence.sim.outbox import Totals

CATCH_UP_H = 24
"""Faster than real time, a world's `at` lies so long before the start."""
LEAD_S = 5
"""A live world's `at` lies so far ahead of the start: time to load it and to send the past."""


def start_at(now_at: datetime, speed: float, told_until_s: int = 0) -> datetime:
    """When a world's script begins: a moment ahead, or, faster than real time, a day ago.

    Args:
        now_at: the present.
        speed: how many times as fast as real time.
        told_until_s: what tags reported before (epoch seconds) is not told again.
    """
    if speed <= 1:
        return now_at + timedelta(seconds=LEAD_S)
    told_at = datetime.fromtimestamp(told_until_s, UTC)
    return max(now_at - timedelta(hours=CATCH_UP_H), min(told_at, now_at))


async def simulate(
    cast: Cast,
    tokens: Mapping[str, str],
    url: str,
    *,
    speed: float = 1.0,
    minutes: float | None = None,
    diary: Diary | None = None,
) -> Totals:
    """Report to the gateway at `url` until cancelled, or for `minutes` after the world's `at`.

    With speed 1, what lies in the past goes out at once, oldest first; faster, time runs from the
    cast's beginning until it has caught up with the present.

    Raises:
        KeyError: a tag has no token.
        ValueError: `url` is not http or https, or `speed` is below 1.
    """
    at_s = cast.world.at.timestamp()
    # At speed 1 the clock shows the present from the first second, and the past is due at once.
    clock = SimClock(cast.from_s if speed > 1 else time.time(), speed)
    until_s = None if minutes is None else at_s + minutes * 60
    silences = [silence_of(cast.world, n) for n in range(len(cast.tags))]
    carried = carry(cast.tags, tokens, url, silences)
    keeping = asyncio.create_task(diary.keep(clock)) if diary else None
    try:
        return await run_fleet(carried, clock, until_s)
    finally:
        if keeping and diary:
            keeping.cancel()
            diary.close(int(clock.now_s() if until_s is None else min(until_s, clock.now_s())))
