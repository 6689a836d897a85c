"""Many tags at once, each in its own rhythm, talking to the gateway as tags do."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from ringfence.sim.clock import SimClock
from ringfence.sim.link import Link
from ringfence.sim.outbox import Door, Outbox, RejectedError, Totals
from ringfence.sim.tag import SimTag

log = structlog.get_logger()

THREADS = 6
"""Posts in flight: an embedded platform on two cores commits them in groups anyway."""

HISTORY_S, APART_S = 600.0, 0.25
"""Tags with more than ten minutes of history send it one after the other, so far apart."""

Silence = tuple[float, float]
"""From and to (epoch seconds): no network, so nothing is uploaded."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A tag as somebody carries it about: with its token, and where the network fails it."""

    tag: SimTag
    door: Door
    silence_at: Callable[[float], Silence | None]


async def run_fleet(carried: Sequence[Carried], clock: SimClock, until_s: float | None) -> Totals:
    """Report for every tag until `until_s` in simulated time (None = until cancelled).

    Returns when all that was due is acknowledged. A tag that the gateway rejects stops alone.
    """
    totals = Totals()
    try:
        with ThreadPoolExecutor(THREADS, "tags") as threads:
            async with asyncio.TaskGroup() as group:
                for number, one in enumerate(carried):
                    outbox = Outbox(one.door, totals, threads=threads, seed=number)
                    has_history = one.tag.next_s < clock.now_s() - HISTORY_S
                    after_s = number * APART_S if has_history else 0.0
                    group.create_task(_carry(one, outbox, clock, until_s=until_s, after_s=after_s))
    finally:
        for one in carried:
            one.door.close()
    return totals


def carry(tags: Sequence[SimTag], tokens: Mapping[str, str], url: str,
          silences: Sequence[Callable[[float], Silence | None]]) -> list[Carried]:  # fmt: skip
    """Give every tag its token and a connection.

    Raises:
        KeyError: a tag has no token.
        ValueError: `url` is not http or https.
    """
    return [
        Carried(tag, Link(url, tag.id, tokens[tag.id]), silence)
        for tag, silence in zip(tags, silences, strict=True)
    ]


async def _carry(
    one: Carried, outbox: Outbox, clock: SimClock, *, until_s: float | None, after_s: float
) -> None:
    was_silent = False
    await asyncio.sleep(after_s)
    try:
        while until_s is None or one.tag.next_s <= until_s:
            now_s = clock.now_s()
            while one.tag.next_s <= (now_s if until_s is None else min(now_s, until_s)):
                outbox.hold(one.tag.take())
            silence = one.silence_at(now_s)
            if silence is None:
                await outbox.send(newest_first=was_silent)
            was_silent = silence is not None
            wakes_s = [one.tag.next_s, silence[1] if silence else math.inf, until_s or math.inf]
            await asyncio.sleep(clock.wait_s(min(wakes_s)))
        await outbox.send(newest_first=was_silent)
    except RejectedError as error:
        log.warning("tag_rejected", status=error.status, reason=error.reason, reports=len(outbox))
