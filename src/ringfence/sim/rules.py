"""What each wearer's order asks of him, as features of contract `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ringfence.sim import zones
from ringfence.sim.ground import Spot
from ringfence.sim.people import Haunt, Order, Wearer
from ringfence.sim.streets import Streets

LONDON = ZoneInfo("Europe/London")
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CURFEWS = (
    (EVERY_DAY, "19:00", "07:00"),
    (EVERY_DAY, "21:00", "06:00"),
    (("fri", "sat", "sun"), "20:00", "07:00"),
    (EVERY_DAY, "20:30", "06:30"),
)
ATTENDANCES = ((("tue",), "10:00", "10:30"), (("thu",), "14:00", "14:30"))
DRIFTER_GAP_M = 40.0
"""From the home of the wearer who drifts to the edge of his zone."""
CURFEW_DELAY_S, CURFEW_HOURS = 20, 11
"""The scripted curfew starts so long after the world does, and lasts so long."""


@dataclass(frozen=True, slots=True)
class ZoneSite:
    """Where a wearer must not go: a quiet corner of a district that he has no business in."""

    district: int
    corner: tuple[int, int]
    centre: Spot
    second: Spot


def exclusion(
    number: int, wearer: Wearer, order: Order, site: ZoneSite, streets: Streets
) -> dict[str, Any]:
    """The wearer's exclusion zone; its shape goes by his number, so that all shapes occur."""
    rng = np.random.default_rng([number, 2])
    centre, buffer_m = site.centre, 100.0
    match number % 5:
        case 0:
            drawn, buffer_m = zones.disc(centre, 350.0), 60.0
        case 1:
            drawn = zones.polygon(zones.hand_drawn(rng, centre, 340.0))
        case 2:
            # The hole keeps open a place that he has a reason to visit: a health centre.
            gap = zones.hole(rng, centre.moved(90.0, -60.0), 60.0)
            drawn = zones.polygon(zones.hand_drawn(rng, centre, 330.0), gap)
        case 3 if number == 3:
            drawn, buffer_m = beside(wearer.home, streets), 0.0
        case 3:
            first = zones.hand_drawn(rng, centre, 200.0)
            drawn = zones.two_places(first, zones.hand_drawn(rng, site.second, 150.0))
        case _:
            i, j = site.corner
            step = 1 if i > 0 else -1
            row = tuple(streets.corner(site.district, (step * n, j)) for n in range(2, 8))
            drawn, buffer_m = zones.corridor(row, 60.0), 50.0
    title = f"Protected zone {wearer.victim}" if wearer.victim else "Protected zone"
    more: dict[str, Any] = {"buffer_m": buffer_m, **drawn.extra}
    if wearer.victim:
        more["protects"] = wearer.victim
    return _feature("exclusion", wearer, order, title, geometry=drawn.geometry, **more)


def beside(home: Haunt, streets: Streets) -> zones.Drawn:
    """A straight-edged zone whose edge passes 40 m from a home, on the side away from the hub."""
    x, y = _own_metres(home, streets)
    west = x + DRIFTER_GAP_M
    return zones.polygon(
        zones.block(streets, home.district, (west, west + 320), (y - 260, y + 260))
    )


def _own_metres(home: Haunt, streets: Streets) -> tuple[float, float]:
    hub, unit = streets.off_grid(home.district, 0, 0), streets.off_grid(home.district, 1, 0)
    east, north = hub.to(home.spot)
    cosine, sine = hub.to(unit)
    return east * cosine + north * sine, north * cosine - east * sine


def curfew(number: int, wearer: Wearer, order: Order) -> dict[str, Any]:
    """At home at night; one of several timetables."""
    days, start, end = CURFEWS[(number // 2) % len(CURFEWS)]
    when = [{"days": list(days), "start": start, "end": end}]
    drawn = zones.disc(wearer.home.spot, 100.0)
    return _feature("curfew", wearer, order, "Curfew at home", geometry=drawn.geometry,
                    when=when, **drawn.extra)  # fmt: skip


def scripted_curfew(wearer: Wearer, order: Order, at: datetime) -> dict[str, Any]:
    """A curfew that begins 20 s after `at`, while its wearer is out, and ends the same day."""
    from_at = at + timedelta(seconds=CURFEW_DELAY_S)
    to_at = at + timedelta(hours=CURFEW_HOURS)
    start, end = (t.astimezone(LONDON).strftime("%H:%M") for t in (at, to_at))
    made = curfew(1, wearer, order)
    made["properties"] |= {
        "when": [{"days": list(EVERY_DAY), "start": start, "end": end}],
        "from": _iso(from_at),
        "to": _iso(to_at),
    }
    return made


def attendance(number: int, wearer: Wearer, order: Order, office: Spot) -> dict[str, Any]:
    """At the probation office at an hour of the week."""
    days, start, end = ATTENDANCES[(number // 4) % len(ATTENDANCES)]
    when = [{"days": list(days), "start": start, "end": end}]
    drawn = zones.disc(office, 60.0)
    return _feature("attendance", wearer, order, "Probation appointment",
                    geometry=drawn.geometry, when=when, **drawn.extra)  # fmt: skip


def restriction(number: int, wearer: Wearer, order: Order, centre: Spot) -> dict[str, Any]:
    """Stay inside an area of the size of a borough."""
    ring = zones.hand_drawn(np.random.default_rng([number, 3]), centre, 6_000.0)
    return _feature("restriction", wearer, order, "Restriction zone",
                    geometry=zones.polygon(ring).geometry)  # fmt: skip


def trail(wearer: Wearer, order: Order) -> dict[str, Any]:
    """Whereabouts are recorded, wherever."""
    return _feature("trail", wearer, order, "Trail monitoring", geometry=None)


def _feature(
    kind: str,
    wearer: Wearer,
    order: Order,
    title: str,
    *,
    geometry: dict[str, Any] | None,
    **more: Any,
) -> dict[str, Any]:
    properties = {
        "wearer": wearer.id,
        "kind": kind,
        "order": order.id,
        "title": title,
        "from": _iso(order.from_at),
        "to": _iso(order.to_at),
        "timezone": "Europe/London",
        **more,
    }
    return {
        "type": "Feature",
        "id": f"{wearer.id}-{kind}",
        "geometry": geometry,
        "properties": properties,
    }


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
