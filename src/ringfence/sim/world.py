"""The made-up world as frozen values: the same seed and instant give the same world."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ringfence.sim import people, rules
from ringfence.sim.people import Haunt, Order, Tag, Victim, Wearer
from ringfence.sim.rules import ZoneSite
from ringfence.sim.streets import ACROSS_M, ALONG_M, DISTRICTS, Streets
from ringfence.sim.zones import quiet_corners

DRIFTER_HOME = (5, 5)
"""At the end of a street of district 0, so that his way to anywhere leads away from his zone."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the platform may be told, and where everybody lives, which it is not."""

    seed: int
    at: datetime
    """The instant at which the scripted first minute begins."""
    people: tuple[Wearer, ...]
    victims: tuple[Victim, ...]
    orders: tuple[Order, ...]
    conditions: dict[str, Any]
    """A FeatureCollection as in contract `evaluate`; extra properties `order`, `title` and
    `protects` (a victim's label)."""
    streets: dict[str, Any]
    """A FeatureCollection of LineStrings with `name` and `class`."""
    tags: tuple[Tag, ...]
    sites: tuple[ZoneSite, ...] = field(repr=False)
    """Where each wearer must not go; the simulator's own, as are homes and haunts."""


def build_world(seed: int, at: datetime, wearers: int = 24) -> World:
    """Make a world whose scripted first minute begins at `at`.

    Args:
        seed: the same seed and instant give the same world, to the byte.
        at: an aware instant.
        wearers: 4 to 24; the first four play the script.

    Raises:
        ValueError: `at` has no time zone, or `wearers` is out of range.
    """
    if at.tzinfo is None:
        raise ValueError("at has no time zone: give an aware instant, such as now(UTC)")
    if not 4 <= wearers <= len(people.WEARERS):
        raise ValueError(f"wearers is {wearers}: give 4 to {len(people.WEARERS)}")
    at = at.replace(microsecond=0)
    streets = Streets(seed)
    cast = tuple(_wearer(n, seed, streets) for n in range(wearers))
    sites = tuple(_site(n, streets) for n in range(wearers))
    victims = tuple(_victim(n, seed, sites[n]) for n in range(min(wearers, len(people.VICTIMS))))
    orders = tuple(_order(n, w, at) for n, w in enumerate(cast))
    features = [
        feature
        for n, (wearer, order) in enumerate(zip(cast, orders, strict=True))
        for feature in _rules(
            n, wearer, order, at=at, zone=rules.exclusion(n, wearer, order, sites[n], streets)
        )
    ]
    return World(
        seed=seed,
        at=at,
        people=cast,
        victims=victims,
        orders=orders,
        conditions={"type": "FeatureCollection", "features": features},
        streets=streets.geojson(),
        tags=tuple(
            Tag(w.tag, w.id, o.from_at + timedelta(hours=16))
            for w, o in zip(cast, orders, strict=True)
        ),
        sites=sites,
    )


def _wearer(number: int, seed: int, streets: Streets) -> Wearer:
    rng = np.random.default_rng([seed, number, 4])
    district = _home_district(number)
    # Who must stay inside an area works there.
    near = rng.random() < 0.4 or has_restriction(number)
    work_district = district if near else (district + 1) % len(DISTRICTS)
    home = DRIFTER_HOME if number == 3 else _node(rng, 6)
    return Wearer(
        id=f"X{number + 1:06d}",
        name=people.WEARERS[number],
        relationship=people.RELATIONSHIPS[number % 3],
        risk="very_high" if number == 0 else people.RISKS[number % 4],
        victim=f"V{number + 1}" if number < len(people.VICTIMS) else None,
        tag=f"T{number + 1001}",
        home=_haunt("home", streets, district, home),
        work=_haunt("work", streets, work_district, _node(rng, 3)) if rng.random() < 0.7 else None,
        haunts=(
            _haunt("probation", streets, district, (1, -1)),
            _haunt("shop", streets, district, _node(rng, 2)),
            _haunt("park", streets, district, (2, -3), indoors=False),
            _haunt("pub", streets, district, _node(rng, 3)),
            _haunt("library", streets, work_district, (-1, 2)),
        ),
        beacon=number % 4 == 1 and number != 1,
        drives=number % 5 == 2,
    )


def has_restriction(number: int) -> bool:
    """Whether this wearer must stay inside an area of the size of a borough."""
    return number % 8 == 4


def _home_district(number: int) -> int:
    # The drifter lives in district 0, beside his zone; who approaches one comes from elsewhere.
    return 0 if number == 3 else (number + 3) % len(DISTRICTS)


def _node(rng: np.random.Generator, reach: int) -> tuple[int, int]:
    i, j = (int(n) for n in rng.integers(1, reach + 1, 2))
    side_i, side_j = (int(n) for n in rng.choice((-1, 1), 2))
    return i * side_i, j * side_j


def _haunt(
    what: str, streets: Streets, district: int, node: tuple[int, int], *, indoors: bool = True
) -> Haunt:
    spot = streets.corner(district, node).moved(9.0, 12.0)
    return Haunt(what, district, node, spot, indoors)


def _site(number: int, streets: Streets) -> ZoneSite:
    # Two districts on from home: neither home nor work is there, nor any bus between them.
    district = 0 if number == 3 else (_home_district(number) + 3) % len(DISTRICTS)
    corners = quiet_corners(streets, district)
    corner, second = corners[(number // 6) % 2], streets.corner(district, corners[2])
    if number == 3:
        x, y = DRIFTER_HOME
        centre = streets.off_grid(0, x * ACROSS_M + 200.0, y * ALONG_M)
    else:
        centre = streets.corner(district, corner)
    return ZoneSite(district, corner, centre, second)


def _victim(number: int, seed: int, site: ZoneSite) -> Victim:
    # Off the zone's centre, or its shape would say where she lives.
    east, north = np.random.default_rng([seed, number, 5]).uniform(-140, 140, 2)
    home = Haunt("home", site.district, site.corner, site.centre.moved(float(east), float(north)))
    return Victim(f"V{number + 1}", people.VICTIMS[number], home)


def _order(number: int, wearer: Wearer, at: datetime) -> Order:
    kind = people.ORDERS[number % 2]
    days, lasts = 20 + 5 * number, 183 if kind == "licence" else 365
    from_at = at.replace(hour=0, minute=0, second=0) - timedelta(days=days)
    unit = f"{DISTRICTS[wearer.home.district].name} PDU"
    return Order(f"O-{wearer.id}", wearer.id, kind, from_at, from_at + timedelta(days=lasts), unit)


def _rules(
    number: int,
    wearer: Wearer,
    order: Order,
    *,
    at: datetime,
    zone: dict[str, Any],
) -> list[dict[str, Any]]:
    made = [zone]
    if number == 1:
        made.append(rules.scripted_curfew(wearer, order, at))
    elif number % 2 and number != 3:
        made.append(rules.curfew(number, wearer, order))
    if number % 4 == 2:
        made.append(rules.attendance(number, wearer, order, wearer.haunts[0].spot))
    if has_restriction(number):
        made.append(rules.restriction(number, wearer, order, wearer.home.spot))
    if order.type == "licence":
        made.append(rules.trail(wearer, order))
    return made
