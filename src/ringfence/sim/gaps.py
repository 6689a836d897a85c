"""Hours without a network: a tag goes on measuring, and uploads late, newest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from ringfence.sim import habits
from ringfence.sim.world import World

RATE = 0.25
"""Gaps in a wearer's day."""
LASTS_MIN = (45, 80)
SPARE_S = 900
"""The scripted first minutes are heard."""


def gap_on(seed: int, number: int, day: int) -> tuple[float, float] | None:
    """When one wearer's tag has no network on a day (a proleptic ordinal), if at all."""
    rng = np.random.default_rng([seed, number, day, 8])
    if rng.random() >= RATE:
        return None
    from_s = habits.epoch_s(date.fromordinal(day), 60 * int(rng.integers(7 * 60, 21 * 60)))
    return from_s, from_s + 60.0 * int(rng.integers(*LASTS_MIN))


def silence_of(world: World, number: int) -> Callable[[float], tuple[float, float] | None]:
    """The gap that holds an instant, for one wearer's tag; none before the script is over."""
    heard_s = world.at.timestamp() + SPARE_S

    def at(at_s: float) -> tuple[float, float] | None:
        gap = gap_on(world.seed, number, habits.london(at_s).toordinal())
        if gap and gap[0] >= heard_s and gap[0] <= at_s < gap[1]:
            return gap
        return None

    return at
