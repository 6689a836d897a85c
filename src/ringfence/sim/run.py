"""A whole simulation, put together: world, tracks, tags, clock, truth, fleet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ringfence.engine.conditions import Condition
from ringfence.sim.clock import SimClock
from ringfence.sim.fleet import carry, run_fleet
from ringfence.sim.gaps import silence_of
from ringfence.sim.outbox import Totals
from ringfence.sim.script import outings_of, part_of
from ringfence.sim.streets import Streets
from ringfence.sim.tag import SimTag, iso
from ringfence.sim.track import Track
from ringfence.sim.truth import TruthFile
from ringfence.sim.world import World

TRUTH_EVERY_S = 60


@dataclass(frozen=True, slots=True)
class Cast:
    """The wearers of a world, moving, and their tags."""

    world: World
    from_s: int
    """The instant (epoch seconds) from which tags report."""
    tracks: tuple[Track, ...]
    tags: tuple[SimTag, ...]


def build_cast(world: World, conditions: Sequence[Condition], *, backfill_s: int = 0) -> Cast:
    """Set everybody in motion.

    Args:
        world: from `build_world`.
        conditions: `world.conditions`, read.
        backfill_s: how long before `world.at` the tags began to report.
    """
    streets = Streets(world.seed)
    from_s = int(world.at.timestamp()) - backfill_s
    numbers = range(len(world.people))
    tracks = tuple(Track(world, n, streets, outings_of(world, n, streets)) for n in numbers)
    tags = tuple(
        SimTag(
            track,
            [c for c in conditions if c.wearer == track.wearer.id],
            part_of(world, n, streets),
            rng=np.random.default_rng([world.seed, n, 9]),
            from_s=from_s,
        )
        for n, track in enumerate(tracks)
    )
    return Cast(world, from_s, tracks, tags)


async def simulate(
    cast: Cast,
    tokens: Mapping[str, str],
    url: str,
    *,
    speed: float = 1.0,
    minutes: float | None = None,
    truth: TruthFile | None = None,
) -> Totals:
    """Report to the gateway at `url` until cancelled, or for `minutes` of simulated time.

    With speed 1, what lies in the past goes out at once, oldest first; faster, time runs from the
    cast's beginning until it has caught up with the present.
    """
    at_s = cast.world.at.timestamp()
    # At speed 1 the clock shows the present from the first second, and the past is due at once.
    clock = SimClock(cast.from_s if speed > 1 else at_s, speed)
    until_s = None if minutes is None else at_s + minutes * 60
    silences = [silence_of(cast.world, n) for n in range(len(cast.tags))]
    carried = carry(cast.tags, tokens, url, silences)
    keeping = asyncio.create_task(_keep_truth(cast, truth, clock)) if truth else None
    try:
        return await run_fleet(carried, clock, until_s)
    finally:
        if keeping:
            keeping.cancel()


async def _keep_truth(cast: Cast, truth: TruthFile, clock: SimClock) -> None:
    say_script(cast, truth)
    from_s = cast.from_s
    while True:
        to_s = int(clock.now_s())
        while from_s < to_s:
            # In small pieces: tags must not wait for the book-keeping of a day.
            next_s = min(to_s, from_s + 600)
            truth.write(from_s, next_s)
            from_s = next_s
            await asyncio.sleep(0.01)
        await asyncio.sleep(min(TRUTH_EVERY_S, 1 + clock.wait_s(from_s + TRUTH_EVERY_S)))


def say_script(cast: Cast, truth: TruthFile) -> None:
    """Write down what was arranged: the seed, and the signals that tags will send."""
    world = cast.world
    truth.say("run", seed=world.seed, at=iso(world.at.timestamp()), begin=iso(cast.from_s))
    streets = Streets(world.seed)
    for number, wearer in enumerate(world.people):
        part = part_of(world, number, streets)
        for at_s, signal in part.forced:
            if signal:
                truth.say("event", wearer=wearer.id, time=iso(at_s), signals=signal.names())
        for drift in part.drifts[:8]:
            truth.say(
                "event", wearer=wearer.id, time=iso(drift.from_s), drift_until=iso(drift.to_s)
            )
