"""Zones of every shape that a court draws, as GeoJSON geometries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ringfence.sim.ground import Spot
from ringfence.sim.streets import DISTRICTS, REACH, ROADS, Streets


@dataclass(frozen=True, slots=True)
class Drawn:
    """A geometry with the properties that complete it (`radius_m`, `width_m`)."""

    geometry: dict[str, Any]
    extra: dict[str, float]


def disc(centre: Spot, radius_m: float) -> Drawn:
    """All within a radius of a point."""
    return Drawn({"type": "Point", "coordinates": centre.position()}, {"radius_m": radius_m})


def corridor(line: tuple[Spot, ...], width_m: float) -> Drawn:
    """A street and its pavements."""
    coordinates = [spot.position() for spot in line]
    return Drawn({"type": "LineString", "coordinates": coordinates}, {"width_m": width_m})


def polygon(*rings: list[list[float]]) -> Drawn:
    """An outer ring and its holes."""
    return Drawn({"type": "Polygon", "coordinates": list(rings)}, {})


def two_places(first: list[list[float]], second: list[list[float]]) -> Drawn:
    """One zone in two parts, such as a home and a place of work."""
    return Drawn({"type": "MultiPolygon", "coordinates": [[first], [second]]}, {})


def hand_drawn(rng: np.random.Generator, centre: Spot, radius_m: float) -> list[list[float]]:
    """A ring as a person clicks it: uneven corners, counter-clockwise, closed, never crossing."""
    corners = int(rng.integers(9, 16))
    ring = []
    for k in range(corners):
        angle = math.tau * (k + rng.uniform(-0.3, 0.3)) / corners
        reach_m = radius_m * rng.uniform(0.78, 1.0)
        spot = centre.moved(reach_m * math.cos(angle), reach_m * math.sin(angle))
        ring.append(spot.position())
    return [*ring, ring[0]]


def hole(rng: np.random.Generator, centre: Spot, radius_m: float) -> list[list[float]]:
    """A ring to cut out of another: clockwise, as RFC 7946 asks."""
    return hand_drawn(rng, centre, radius_m)[::-1]


def block(streets: Streets, district: int, across_m: tuple[float, float],
          along_m: tuple[float, float]) -> list[list[float]]:  # fmt: skip
    """A rectangle in a district's own directions."""
    (west, east), (south, north) = across_m, along_m
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return [streets.off_grid(district, x, y).position() for x, y in corners]


def quiet_corners(streets: Streets, district: int) -> list[tuple[int, int]]:
    """Corners far from the hub, the one farthest from every main road first.

    Zones lie there, so that nobody breaks a condition by taking the bus.
    """
    far = REACH - 2
    nodes = [(i, j) for i in (-far, far) for j in (-far, far)]
    return sorted(nodes, key=lambda n: -_road_distance_m(streets.corner(district, n)))


def _road_distance_m(spot: Spot) -> float:
    pieces = [(DISTRICTS[a].hub, bend) for (a, _), bend in ROADS.items()]
    pieces += [(bend, DISTRICTS[b].hub) for (_, b), bend in ROADS.items()]
    return min(_distance_to_piece_m(spot, a, b) for a, b in pieces)


def _distance_to_piece_m(spot: Spot, a: Spot, b: Spot) -> float:
    ax, ay = spot.to(a)
    bx, by = spot.to(b)
    dx, dy = bx - ax, by - ay
    share = min(1.0, max(0.0, -(ax * dx + ay * dy) / (dx * dx + dy * dy)))
    return math.hypot(ax + share * dx, ay + share * dy)
