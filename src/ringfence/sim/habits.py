"""How a made-up person spends a day: home, work, errands, appointments, home again in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ringfence.sim.movement import Segment, join, stay, way
from ringfence.sim.people import Haunt, Wearer
from ringfence.sim.streets import Streets

LONDON = ZoneInfo("Europe/London")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EARLY_MIN, LATE_MIN = 8, 25
"""Minutes by which he is early for an appointment, and home before a curfew."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the order leaves of a day, in seconds after local midnight."""

    out_s: int
    home_s: int
    appointments: tuple[tuple[str, int, int], ...]
    """Weekday, from, to."""


@dataclass(frozen=True, slots=True)
class _Wish:
    haunt: Haunt
    from_s: float
    to_s: float


def rhythm_of(wearer: Wearer, features: list[dict[str, Any]]) -> Rhythm:
    """Read a wearer's curfew and appointments out of his conditions."""
    out_s, home_s = 6 * 3600 + 1800, 23 * 3600
    appointments: list[tuple[str, int, int]] = []
    for properties in (f["properties"] for f in features):
        if properties["wearer"] != wearer.id or "when" not in properties:
            continue
        for weekly in properties["when"]:
            start_s, end_s = _clock_s(weekly["start"]), _clock_s(weekly["end"])
            if properties["kind"] == "attendance":
                appointments += [(day, start_s, end_s) for day in weekly["days"]]
            elif properties["kind"] == "curfew" and start_s >= 18 * 3600:
                out_s = max(out_s, end_s + 300)
                home_s = min(home_s, start_s - LATE_MIN * 60)
    return Rhythm(out_s, home_s, tuple(appointments))


def day_of(
    wearer: Wearer, rhythm: Rhythm, day: date, streets: Streets, rng: np.random.Generator
) -> tuple[Segment, ...]:
    """One local day, from midnight at home to midnight at home."""
    wishes = [
        _Wish(w.haunt, epoch_s(day, int(w.from_s)), epoch_s(day, int(w.to_s)))
        for w in _wishes(wearer, rhythm, day, rng)
    ]
    return _fulfil(wearer, wishes, streets, rhythm=rhythm, day=day)


def london(at_s: float) -> datetime:
    """What clocks in London show at an instant."""
    return datetime.fromtimestamp(at_s, LONDON)


def epoch_s(day: date, second_of_day: int) -> float:
    """The instant at which London's clocks show so many seconds after midnight."""
    clock = time(second_of_day // 3600, second_of_day // 60 % 60, second_of_day % 60)
    return datetime.combine(day, clock, LONDON).timestamp()


def _wishes(wearer: Wearer, rhythm: Rhythm, day: date, rng: np.random.Generator) -> list[_Wish]:
    name = WEEKDAYS[day.weekday()]
    probation, shop, park, pub, library = wearer.haunts
    due = [(a, b) for d, a, b in rhythm.appointments if d == name]
    leave = rhythm.out_s + int(rng.integers(600, 5400))
    late = 60 * int(rng.integers(0, 60))
    if due:
        wishes = [_Wish(probation, a - EARLY_MIN * 60, b + 300) for a, b in due]
        last_s = wishes[-1].to_s
        wishes.append(_Wish(library, last_s + 1800, last_s + 7200 + late))
    elif wearer.work and day.weekday() < 5:
        noon = 12 * 3600 + 1800
        wishes = [_Wish(wearer.work, leave + 1800, noon), _Wish(library, noon, noon + 1500)]
        wishes.append(_Wish(wearer.work, noon + 2400, 15 * 3600 + late))
    else:
        wishes = [
            _Wish(park, leave + 3600, leave + 6000),
            _Wish(library, 13 * 3600, 15 * 3600 + late),
        ]
    if rng.random() < 0.6:
        wishes.append(_Wish(shop, 16 * 3600 + late, 16 * 3600 + late + 1200))
    if rng.random() < 0.4:
        wishes.append(_Wish(pub, 19 * 3600 + late, 21 * 3600 + late))
    return wishes


def _fulfil(
    wearer: Wearer, wishes: list[_Wish], streets: Streets, *, rhythm: Rhythm, day: date
) -> tuple[Segment, ...]:
    home_by_s = epoch_s(day, rhythm.home_s)
    mode = "car" if wearer.drives else None
    made: list[Segment] = []
    here, free_s = wearer.home, epoch_s(day, 0)
    for wish in wishes:
        there = way(streets, here, wish.haunt, leave_s=0, mode=mode)
        back = way(streets, wish.haunt, wearer.home, leave_s=0, mode=mode)
        leave_s = max(free_s, wish.from_s - there.to_s)
        to_s = max(wish.to_s, leave_s + there.to_s + 300)
        if to_s + back.to_s > home_by_s:
            continue
        made += [
            stay(here, free_s if not made else made[-1].to_s, leave_s),
            way(streets, here, wish.haunt, leave_s=leave_s, mode=mode),
        ]
        here, free_s = wish.haunt, to_s
    if made:
        made.append(stay(here, made[-1].to_s, free_s))
        made.append(way(streets, here, wearer.home, leave_s=free_s, mode=mode))
    from_s = made[-1].to_s if made else free_s
    next_midnight_s = epoch_s(date.fromordinal(day.toordinal() + 1), 0)
    return join([*made, stay(wearer.home, from_s, next_midnight_s)])


def _clock_s(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60
