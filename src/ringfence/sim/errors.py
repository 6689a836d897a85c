"""How wrong a tag's fixes are: noise, correlated drift indoors, and confident mistakes.

Figures [S] and [D] from the field: cell fixes of a tag on a desk lie 175 m (p90) to 229 m (p99)
off and drift slowly; a satellite fix is good to 10 m outdoors, but once in a while it is 200 m off
at a claimed radius of a few metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ringfence.engine.fix import Source

TO_95 = math.sqrt(-2 * math.log(0.05))
"""Radius that holds 95 % of a round normal error, in its standard deviations: 2.448."""
GNSS_M, GNSS_S = 3.3, 90.0
"""Standard deviation on each axis, and how long an error lasts."""
CELL_M, CELL_S = 80.0, 1500.0
"""Rayleigh: p90 = 172 m, p99 = 243 m."""
CELL_MOST_M = 250.0
RF_M = 4.0
JUMP_RATE, JUMP_M, JUMP_CLAIM_M = 0.0015, (150.0, 250.0), (2.0, 8.0)
CLAIM_SPREAD = 0.12
"""A tag's own idea of its error is itself a little wrong (log-normal)."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A scripted drift of cell fixes: fades in, holds, fades out."""

    from_s: float
    to_s: float
    east_m: float
    north_m: float
    fade_s: float = 10.0

    def strength(self, at_s: float) -> float:
        """From 0 (none) to 1 (whole)."""
        rise = (at_s - self.from_s) / self.fade_s
        return min(1.0, max(0.0, min(rise, (self.to_s - at_s) / self.fade_s)))


@dataclass(frozen=True, slots=True)
class Mistake:
    """What to add to the truth, and the 95 % radius that the tag claims."""

    east_m: float
    north_m: float
    claimed_m: float


class ErrorModel:
    """One tag's errors, remembered from fix to fix (Gauss-Markov on each axis)."""

    def __init__(
        self, rng: np.random.Generator, *, calm: float = 1.0, drifts: tuple[Drift, ...] = ()
    ) -> None:
        """Begin.

        Args:
            rng: the tag's own randomness.
            calm: scale of the cell drift; the scripted drifter is calm between his scenes.
            drifts: scripted scenes.
        """
        self._rng, self._calm, self._drifts = rng, calm, drifts
        self._memory = {
            Source.GNSS: rng.normal(0, GNSS_M, 2),
            Source.CELL: rng.normal(0, CELL_M, 2),
        }
        self._last_s: dict[Source, float] = {}

    def mistake(self, source: Source, at_s: float) -> Mistake:
        """The error of a fix taken at an instant; instants must not go back."""
        match source:
            case Source.GNSS:
                return self._satellite(at_s)
            case Source.CELL:
                return self._cell(at_s)
        east, north = self._rng.normal(0, RF_M, 2)
        return Mistake(float(east), float(north), 30.0)

    def _satellite(self, at_s: float) -> Mistake:
        east, north = self._step(Source.GNSS, at_s, GNSS_M, GNSS_S)
        if self._rng.random() < JUMP_RATE:
            # The receiver believed a reflection: far off, and sure of itself.
            reach, turn = self._rng.uniform(*JUMP_M), self._rng.uniform(0, math.tau)
            claimed = float(self._rng.uniform(*JUMP_CLAIM_M))
            return Mistake(reach * math.cos(turn), reach * math.sin(turn), claimed)
        return Mistake(east, north, self._claim(GNSS_M))

    def _cell(self, at_s: float) -> Mistake:
        east, north = self._step(Source.CELL, at_s, CELL_M, CELL_S)
        reach = math.hypot(east, north)
        # The network knows which mast: the error ends where the mast's reach does.
        shrink = self._calm * min(1.0, CELL_MOST_M / max(reach, 1e-9))
        east, north = east * shrink, north * shrink
        for drift in self._drifts:
            strength = drift.strength(at_s)
            east += strength * drift.east_m
            north += strength * drift.north_m
        return Mistake(east, north, self._claim(CELL_M))

    def _step(
        self, source: Source, at_s: float, sigma_m: float, lasts_s: float
    ) -> tuple[float, float]:
        since_s = at_s - self._last_s.get(source, at_s)
        kept = math.exp(-since_s / lasts_s)
        fresh = self._rng.normal(0, sigma_m, 2)
        self._memory[source] = kept * self._memory[source] + math.sqrt(1 - kept * kept) * fresh
        self._last_s[source] = at_s
        east, north = self._memory[source]
        return float(east), float(north)

    def _claim(self, sigma_m: float) -> float:
        # Centred a little high, so that with its spread it still holds 95 % of the truth.
        return float(TO_95 * sigma_m * 1.02 * self._rng.lognormal(0, CLAIM_SPREAD))
