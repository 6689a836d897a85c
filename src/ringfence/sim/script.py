"""The demo's first minute, and the plausible events of the days after it.

All times are from the world's `at`. Wearer 0 rides into a protected zone; wearer 1 is out when his
curfew starts; wearer 2's strap is cut; wearer 3 stays at home while his cell fixes drift over the
edge of his zone, which must not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np

from ringfence.engine.fix import Signal
from ringfence.sim import habits
from ringfence.sim.errors import Drift
from ringfence.sim.movement import Segment, stay, way
from ringfence.sim.people import Haunt, Wearer
from ringfence.sim.rules import CURFEW_HOURS, DRIFTER_GAP_M
from ringfence.sim.streets import Streets
from ringfence.sim.track import Outing
from ringfence.sim.world import World

APPROACHER, LATECOMER, CUTTER, DRIFTER = 0, 1, 2, 3
RIDE_BLOCKS, RIDE_MPS = 7, 6.5
"""How far from the zone's heart the approacher sets out, and how fast he rides."""
RIDE_M = 412.0
"""How far from the heart he is at `at`: just outside the buffer, and seen to move."""
NOTICES_S = (-13, 2)
"""Reports on the way and in the buffer: from there on the tag reports each 15 s."""
LINGER_S = 420.0
CUT_S = 12
DRIFT_M = 110.0
"""How far over the edge the drifter's fixes go."""
DRIFT_EVERY_S = 3 * 3600
LAPSE_RATE, CALM_RATE = 0.2, 0.01
"""Lapses in a wearer's day, after the script has begun and before."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a wearer's tag must do beside its habits."""

    drifts: tuple[Drift, ...] = ()
    calm: float = 1.0
    forced: tuple[tuple[int, Signal], ...] = ()
    """Instants (epoch seconds) at which the tag reports, with what signals; a signal alone
    carries no position."""


def part_of(world: World, number: int, streets: Streets) -> Part:
    """The scripted part of one wearer's tag."""
    at_s = int(world.at.timestamp())
    if number == APPROACHER:
        return Part(forced=tuple((at_s + s, Signal(0)) for s in NOTICES_S))
    if number == CUTTER:
        return Part(forced=((at_s + CUT_S, Signal.STRAP_CUT),))
    if number == DRIFTER:
        district = world.people[number].home.district
        east, north = streets.off_grid(district, 0, 0).to(
            streets.off_grid(district, DRIFTER_GAP_M + DRIFT_M, 0)
        )
        scenes = range(at_s, at_s + 7 * 86_400, DRIFT_EVERY_S)
        drifts = tuple(Drift(s, s + 1500, east, north) for s in scenes)
        return Part(drifts=drifts, calm=0.1, forced=((at_s + 8, Signal(0)),))
    return Part()


def outings_of(world: World, number: int, streets: Streets) -> Callable[[date], tuple[Outing, ...]]:
    """What a wearer does out of the ordinary on a local day."""
    scripted = _scripted(world, number, streets)
    script_day = None if scripted is None else habits.london(scripted.segments[0].from_s).date()

    def on(day: date) -> tuple[Outing, ...]:
        made = (scripted,) if scripted and day == script_day else ()
        lapse = _lapse(world, number, day)
        if lapse and not (scripted and _overlap(lapse, scripted)):
            made = (*made, lapse)
        return made

    return on


def _overlap(a: Outing, b: Outing) -> bool:
    return a.window[0] < b.window[1] and b.window[0] < a.window[1]


def _scripted(world: World, number: int, streets: Streets) -> Outing | None:
    at_s = float(int(world.at.timestamp()))
    home = world.people[number].home
    match number:
        case 0:
            return _approach(world, streets, at_s)
        case 1:
            i, j = home.node
            corner = _street(streets, home.district, (-i, -j))
            back = way(streets, corner, home, leave_s=at_s + 720)
            over_s = at_s + CURFEW_HOURS * 3600 + 600
            out = stay(corner, at_s - 1800, at_s + 720)
            return Outing("out at curfew start", (out, back, stay(home, back.to_s, over_s)))
        case 2 | 3:
            return Outing("at home", (stay(home, at_s - 3600, at_s + 3600),))
    return None


def _approach(world: World, streets: Streets, at_s: float) -> Outing:
    """From a corner, ride along the street to the zone's heart, linger, ride back."""
    site = world.sites[APPROACHER]
    i, j = site.corner
    step = -1 if i > 0 else 1
    row = range(i + step * RIDE_BLOCKS, i - step, -step)
    spots = tuple(streets.corner(site.district, (n, j)) for n in row)
    wait = Haunt("street", site.district, (row[0], j), spots[0], indoors=False)
    heart = Haunt("street", site.district, site.corner, spots[-1], indoors=False)
    length_m = sum(a.distance_m(b) for a, b in pairwise(spots))
    leave_s = float(round(at_s - (length_m - RIDE_M) / RIDE_MPS))
    ride = Segment(leave_s, leave_s + round(length_m / RIDE_MPS), spots, "bike", wait, heart)
    leave_s = ride.to_s + LINGER_S
    back = replace(
        ride, from_s=leave_s, to_s=leave_s + 120, spots=ride.spots[::-1], start=heart, goal=wait
    )
    return Outing(
        "approach",
        (stay(wait, at_s - 600, ride.from_s), ride, stay(heart, ride.to_s, leave_s), back,
         stay(wait, back.to_s, back.to_s + 300)),
    )  # fmt: skip


def _street(streets: Streets, district: int, node: tuple[int, int]) -> Haunt:
    return Haunt("street", district, node, streets.corner(district, node), indoors=False)


def _lapse(world: World, number: int, day: date) -> Outing | None:
    """Something that goes wrong by itself: a visit to the zone, or home too late."""
    rng = np.random.default_rng([world.seed, number, day.toordinal(), 7])
    wearer = world.people[number]
    rhythm = habits.rhythm_of(wearer, world.conditions["features"])
    due = any(name == habits.WEEKDAYS[day.weekday()] for name, _, _ in rhythm.appointments)
    chance = rng.random()
    if chance >= LAPSE_RATE or due or number == DRIFTER:
        return None
    made = _late_home(wearer, rhythm, day, rng)
    if made is None:
        site = world.sites[number]
        heart = Haunt("street", site.district, site.corner, site.centre, indoors=False)
        from_s = habits.epoch_s(day, 60 * int(rng.integers(11 * 60, 15 * 60)))
        made = Outing("visit", (stay(heart, from_s, from_s + 60 * int(rng.integers(6, 20))),))
    is_calm = made.window[0] < world.at.timestamp()
    return None if is_calm and chance >= CALM_RATE else made


def _late_home(
    wearer: Wearer, rhythm: habits.Rhythm, day: date, rng: np.random.Generator
) -> Outing | None:
    if rhythm.home_s >= 22 * 3600 or rng.random() >= 0.5:
        return None
    times = rhythm.home_s - 1800, rhythm.home_s + 60 * int(rng.integers(45, 70))
    from_s, to_s = (habits.epoch_s(day, s) for s in times)
    return Outing("late home", (stay(wearer.haunts[3], from_s, to_s),))
