"""A made-up street grid in six districts of London, joined by main roads, and ways along it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ringfence.sim.ground import Spot

REACH = 7
"""Streets run from −REACH to +REACH on both sides of a district's hub."""
ACROSS_M, ALONG_M = 110.0, 85.0
"""A block's sides: an inner-London terrace."""


@dataclass(frozen=True, slots=True)
class District:
    """A neighbourhood round a hub where the main roads meet."""

    name: str
    hub: Spot
    turn_deg: float


DISTRICTS = (
    District("Hackney", Spot(-0.0553, 51.5450), 12.0),
    District("Stratford", Spot(-0.0033, 51.5416), -20.0),
    District("Lewisham", Spot(-0.0107, 51.4613), 8.0),
    District("Brixton", Spot(-0.1156, 51.4613), -6.0),
    District("Hammersmith", Spot(-0.2240, 51.4927), 25.0),
    District("Camden", Spot(-0.1426, 51.5390), -15.0),
)
ROADS: dict[tuple[int, int], Spot] = {
    (0, 1): Spot(-0.0300, 51.5445),
    (1, 2): Spot(-0.0030, 51.5050),
    (2, 3): Spot(-0.0650, 51.4680),
    (3, 4): Spot(-0.1700, 51.4720),
    (4, 5): Spot(-0.1750, 51.5160),
    (0, 5): Spot(-0.1060, 51.5320),
    (0, 3): Spot(-0.0880, 51.5080),
    (3, 5): Spot(-0.1220, 51.5010),
}
"""Main roads by the districts they join, each through one bend (a bridge, a junction)."""

_ROWS = ("Acre", "Birch", "Cedar", "Dune", "Elder", "Fern", "Gorse", "Hub", "Ivy", "Juniper",
         "Kelp", "Larch", "Maple", "Nettle", "Oak")  # fmt: skip
_COLUMNS = ("Anvil", "Bellows", "Chisel", "Drill", "Engine", "File", "Gauge", "Hub", "Inkwell",
            "Jigsaw", "Key", "Lathe", "Mallet", "Nail", "Oilcan")  # fmt: skip


class Streets:
    """The corners of all districts, and the shortest plain way between two of them."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        size = 2 * REACH + 1
        # A few metres of disorder keep the map from looking like graph paper.
        self._jitter = rng.uniform(-6, 6, (len(DISTRICTS), size, size, 2))
        self._jitter[:, REACH, :] = self._jitter[:, :, REACH] = 0

    def corner(self, district: int, node: tuple[int, int]) -> Spot:
        """Where street `node[0]` across meets street `node[1]` along, counted from the hub."""
        i, j = node
        if max(abs(i), abs(j)) > REACH:
            raise ValueError(f"corner {node} is outside the grid of ±{REACH} streets")
        jitter_e, jitter_n = self._jitter[district, i + REACH, j + REACH]
        return self.off_grid(district, i * ACROSS_M + jitter_e, j * ALONG_M + jitter_n)

    def off_grid(self, district: int, across_m: float, along_m: float) -> Spot:
        """A place by its metres from the hub in the district's own directions."""
        turn = math.radians(DISTRICTS[district].turn_deg)
        east = across_m * math.cos(turn) + along_m * math.sin(turn)
        north = -across_m * math.sin(turn) + along_m * math.cos(turn)
        return DISTRICTS[district].hub.moved(east, north)

    def way(
        self, from_: tuple[int, tuple[int, int]], to: tuple[int, tuple[int, int]]
    ) -> tuple[Spot, ...]:
        """The corners passed from one (district, corner) to another, both included."""
        (district_a, node_a), (district_b, node_b) = from_, to
        if district_a == district_b:
            return self._inside(district_a, node_a, node_b)
        spots = list(self._inside(district_a, node_a, (0, 0)))
        hubs = hub_way(district_a, district_b)
        for a, b in pairwise(hubs):
            spots += [ROADS[min(a, b), max(a, b)], DISTRICTS[b].hub]
        return (*spots, *self._inside(district_b, (0, 0), node_b)[1:])

    def _inside(self, district: int, a: tuple[int, int], b: tuple[int, int]) -> tuple[Spot, ...]:
        step_i, step_j = (1 if b[0] >= a[0] else -1), (1 if b[1] >= a[1] else -1)
        nodes = [(i, a[1]) for i in range(a[0], b[0] + step_i, step_i)]
        nodes += [(b[0], j) for j in range(a[1], b[1] + step_j, step_j)][1:]
        return tuple(self.corner(district, node) for node in nodes)

    def geojson(self) -> dict[str, Any]:
        """Every street and road as a FeatureCollection of LineStrings (`name`, `class`)."""
        features = [
            _line("Road", "main", (DISTRICTS[a].hub, bend, DISTRICTS[b].hub))
            for (a, b), bend in ROADS.items()
        ]
        nodes = range(-REACH, REACH + 1)
        for district in range(len(DISTRICTS)):
            for n in nodes:
                kind = "main" if n == 0 else "street"
                row = tuple(self.corner(district, (i, n)) for i in nodes)
                column = tuple(self.corner(district, (n, j)) for j in nodes)
                features.append(_line(f"{_ROWS[n + REACH]} Street", kind, row))
                features.append(_line(f"{_COLUMNS[n + REACH]} Lane", kind, column))
        return {"type": "FeatureCollection", "features": features}


def hub_way(a: int, b: int) -> tuple[int, ...]:
    """The districts passed from `a` to `b` with the fewest roads; ties go to the lower number."""
    ways: list[tuple[int, ...]] = [(a,)]
    for way in ways:
        if way[-1] == b:
            return way
        ways += [(*way, n) for n in _neighbours(way[-1]) if n not in way]
    raise ValueError(f"no road joins districts {a} and {b}")


def _neighbours(district: int) -> list[int]:
    return sorted(b if a == district else a for a, b in ROADS if district in (a, b))


def _line(name: str, kind: str, spots: tuple[Spot, ...]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"name": name, "class": kind},
        "geometry": {"type": "LineString", "coordinates": [s.position() for s in spots]},
    }
