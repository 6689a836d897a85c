"""True movement: stays and ways, one after the other without a gap, to the second."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ringfence.sim.ground import Spot, course_deg
from ringfence.sim.people import Haunt
from ringfence.sim.streets import Streets

SPEEDS_MPS = {"walk": 1.35, "bike": 4.5, "dash": 8.0, "bus": 5.5, "car": 8.5}
"""Door to door, stops included; `dash` is an electric bike at full speed."""
WALKABLE_M = 1_300.0


@dataclass(frozen=True, slots=True)
class Truth:
    """Where somebody truly is at an instant."""

    spot: Spot
    speed_mps: float
    course_deg: float | None
    indoors: bool
    mode: str
    where: str


@dataclass(frozen=True)
class Segment:
    """One stay (a single spot) or one way (several), between two instants in epoch seconds."""

    from_s: float
    to_s: float
    spots: tuple[Spot, ...]
    mode: str = "rest"
    start: Haunt | None = field(default=None, repr=False)
    goal: Haunt | None = field(default=None, repr=False)
    """Where it begins and ends; the same for a stay."""

    @property
    def indoors(self) -> bool:
        """Only stays can be indoors."""
        return self.mode == "rest" and self.goal is not None and self.goal.indoors

    @cached_property
    def _marks_m(self) -> NDArray[np.float64]:
        steps = [a.distance_m(b) for a, b in pairwise(self.spots)]
        return np.concatenate([[0.0], np.cumsum(steps)])

    @cached_property
    def _lonlat(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.array([s.lon for s in self.spots]), np.array([s.lat for s in self.spots])

    def positions(
        self, at_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes and latitudes at instants within the segment, shape (n,)."""
        lon, lat = self._lonlat
        share = (at_s - self.from_s) / max(self.to_s - self.from_s, 1e-9)
        along_m = np.clip(share, 0, 1) * self._marks_m[-1]
        return np.interp(along_m, self._marks_m, lon), np.interp(along_m, self._marks_m, lat)

    def at(self, at_s: float) -> Truth:
        """Where he is at an instant within the segment."""
        lon, lat = self.positions(np.array([at_s]))
        where = self.goal.what if self.mode == "rest" and self.goal else ""
        spot, length_m = Spot(float(lon[0]), float(lat[0])), float(self._marks_m[-1])
        if length_m == 0:
            return Truth(spot, 0.0, None, self.indoors, self.mode, where)
        along_m = (at_s - self.from_s) / (self.to_s - self.from_s) * length_m
        leg = min(bisect_right(self._marks_m.tolist(), along_m), len(self.spots) - 1)
        course = course_deg(*self.spots[leg - 1].to(self.spots[leg]))
        speed = length_m / (self.to_s - self.from_s)
        return Truth(spot, speed, course, self.indoors, self.mode, where)


def stay(haunt: Haunt, from_s: float, to_s: float) -> Segment:
    """Time spent at a place."""
    return Segment(from_s, to_s, (haunt.spot,), start=haunt, goal=haunt)


def way(
    streets: Streets, start: Haunt, goal: Haunt, *, leave_s: float, mode: str | None = None
) -> Segment:
    """Go along the streets from one place to another, leaving at an instant."""
    spots = (
        start.spot,
        *streets.way((start.district, start.node), (goal.district, goal.node)),
        goal.spot,
    )
    length_m = sum(a.distance_m(b) for a, b in pairwise(spots))
    mode = mode or ("walk" if length_m < WALKABLE_M else "bus")
    lasts_s = max(1.0, round(length_m / SPEEDS_MPS[mode]))
    return Segment(leave_s, leave_s + lasts_s, spots, mode, start, goal)


def join(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Segments in order, checked to follow each other without a gap or a leap.

    Raises:
        ValueError: one does not begin when and where the one before it ends.
    """
    made = tuple(s for s in segments if s.to_s > s.from_s)
    for a, b in pairwise(made):
        if a.to_s != b.from_s or a.spots[-1].distance_m(b.spots[0]) > 1.0:
            raise ValueError(f"movement leaps at {a.to_s:.0f}: a made-up person walks every metre")
    return made
