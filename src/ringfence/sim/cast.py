"""The wearers of a world, set in motion, with their tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ringfence.engine.conditions import Condition
from ringfence.sim.script import outings_of, part_of
from ringfence.sim.streets import Streets
from ringfence.sim.tag import SimTag
from ringfence.sim.track import Track
from ringfence.sim.world import World


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
