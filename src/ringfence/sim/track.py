"""One wearer's whole true movement: habits day by day, and the outings that break them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ringfence.sim import habits
from ringfence.sim.movement import Segment, Truth, join, stay, way
from ringfence.sim.people import Wearer
from ringfence.sim.streets import Streets
from ringfence.sim.world import World

REACH_S = 100 * 60.0
"""An outing may bend the habits so long before and after it: time to get there and back."""
KEEP_DAYS = 3


@dataclass(frozen=True, slots=True)
class Outing:
    """Something out of the ordinary, from its first segment's beginning to its last's end."""

    what: str
    segments: tuple[Segment, ...]

    @property
    def window(self) -> tuple[float, float]:
        """The instants between which no other outing may be."""
        return self.segments[0].from_s - REACH_S, self.segments[-1].to_s + REACH_S


class Track:
    """Where a wearer truly is at any instant; days are made when they are asked for.

    Outings whose windows overlap would make him leap: that is a `ValueError` on first asking.
    """

    def __init__(
        self,
        world: World,
        number: int,
        streets: Streets,
        outings: Callable[[date], tuple[Outing, ...]],
    ) -> None:
        self._world, self._number, self._streets = world, number, streets
        self.wearer: Wearer = world.people[number]
        self._rhythm = habits.rhythm_of(self.wearer, world.conditions["features"])
        self._outings_of = outings
        self._habit_days: dict[date, tuple[Segment, ...]] = {}
        self._days: dict[date, tuple[Segment, ...]] = {}

    def at(self, at_s: float) -> Truth:
        """The truth at an instant (UTC epoch seconds)."""
        return self.segment(at_s).at(at_s)

    def segment(self, at_s: float) -> Segment:
        """The stay or way that holds an instant."""
        return _find(self._day(habits.london(at_s).date()), at_s)

    def positions(
        self, at_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """True longitudes and latitudes at instants in ascending order, shape (n,)."""
        lon, lat = np.empty(len(at_s)), np.empty(len(at_s))
        i = 0
        while i < len(at_s):
            segment = self.segment(float(at_s[i]))
            j = max(i + 1, int(np.searchsorted(at_s, segment.to_s)))
            lon[i:j], lat[i:j] = segment.positions(at_s[i:j])
            i = j
        return lon, lat

    def _day(self, day: date) -> tuple[Segment, ...]:
        if day not in self._days:
            segments = self._habit(day)
            for near in (-1, 0, 1):
                for outing in self._outings_of(_shift(day, near)):
                    segments = self._splice(segments, outing)
            self._days[day] = join(segments)
            for cache in (self._days, self._habit_days):
                for old in [d for d in cache if abs((d - day).days) > KEEP_DAYS]:
                    del cache[old]
        return self._days[day]

    def _habit(self, day: date) -> tuple[Segment, ...]:
        if day not in self._habit_days:
            rng = np.random.default_rng([self._world.seed, self._number, day.toordinal(), 6])
            self._habit_days[day] = habits.day_of(
                self.wearer, self._rhythm, day, self._streets, rng
            )
        return self._habit_days[day]

    def _habit_at(self, at_s: float) -> Segment:
        return _find(self._habit(habits.london(at_s).date()), at_s)

    def _splice(self, segments: tuple[Segment, ...], outing: Outing) -> tuple[Segment, ...]:
        """Put what of an outing falls into a day's segments in the place of the habits."""
        patch = self._patch(outing)
        low_s, high_s = patch[0].from_s, patch[-1].to_s
        day_low_s, day_high_s = segments[0].from_s, segments[-1].to_s
        if high_s <= day_low_s or low_s >= day_high_s:
            return segments
        before = tuple(s for s in segments if s.to_s <= low_s)
        after = tuple(s for s in segments if s.from_s >= high_s)
        cut = [s for s in segments if s.from_s < low_s < s.to_s or s.from_s < high_s < s.to_s]
        head = [stay(s.goal, s.from_s, low_s) for s in cut if s.from_s < low_s and s.goal]
        tail = [stay(s.goal, high_s, s.to_s) for s in cut if s.to_s > high_s and s.goal]
        inside = [p for p in patch if p.to_s > day_low_s and p.from_s < day_high_s]
        return (*before, *head, *inside, *tail, *after)

    def _patch(self, outing: Outing) -> tuple[Segment, ...]:
        """The outing with the ways to it and back, from a stay of the habits to a stay."""
        first, last = outing.segments[0], outing.segments[-1]
        if first.start is None or last.goal is None:
            raise ValueError(f"outing {outing.what} begins or ends nowhere")
        habit = self._habit_at(first.from_s - REACH_S)
        # Who is on his way then leaves from where that way began, before it began.
        low_s = habit.from_s if habit.mode != "rest" else first.from_s - REACH_S
        here = habit.start or self.wearer.home
        there = way(self._streets, here, first.start, leave_s=0)
        leave_s = first.from_s - there.to_s
        habit = self._habit_at(last.to_s + REACH_S)
        high_s = habit.to_s if habit.mode != "rest" else last.to_s + REACH_S
        goal = habit.goal or self.wearer.home
        back = way(self._streets, last.goal, goal, leave_s=last.to_s)
        return join(
            [
                stay(here, low_s, leave_s),
                way(self._streets, here, first.start, leave_s=leave_s),
                *outing.segments,
                back,
                stay(goal, back.to_s, high_s),
            ]
        )


def _find(segments: tuple[Segment, ...], at_s: float) -> Segment:
    return segments[max(0, bisect_right(segments, at_s, key=lambda s: s.from_s) - 1)]


def _shift(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days)
