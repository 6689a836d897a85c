"""Made-up shapes of every sort, anywhere between the equator and latitude 70."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ringfence.geo.frame import LocalFrame
from ringfence.geo.shapes import Shape, parse_shape

Ring = list[list[float]]


def ring(frame: LocalFrame, east: np.ndarray, north: np.ndarray) -> Ring:
    lon, lat = frame.to_degrees(east, north)
    points = [[float(x), float(y)] for x, y in zip(lon, lat, strict=True)]
    return [*points, points[0]]


def star(
    frame: LocalFrame, rng: np.random.Generator, corners: int, size_m: float, at: float = 0.0
) -> Ring:
    angle = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    radius = size_m * rng.uniform(0.55, 1.0, corners)
    return ring(frame, at + radius * np.cos(angle), radius * np.sin(angle))


def polygon(*rings: Ring) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def every_sort(lon: float, lat: float, seed: int) -> dict[str, Shape]:
    """One shape of each sort, a kilometre or so wide, around a place."""
    rng = np.random.default_rng(seed)
    frame = LocalFrame(lon, lat)
    hole = star(frame, rng, 9, 300)
    pair = [[star(frame, rng, 12, 500, -700), star(frame, rng, 5, 200, -700)]]
    pair.append([star(frame, rng, 40, 500, 700)])
    sliver = ring(frame, np.array([-900.0, 900.0, 880.0]), np.array([0.0, 0.6, 1.4]))
    box = ring(frame, np.array([-500.0, 500, 500, -500]), np.array([-400.0, -400, 400, 400]))
    walk = np.cumsum(rng.normal(0, 150, (14, 2)), axis=0)
    path = np.column_stack(frame.to_degrees(walk[:, 0], walk[:, 1])).tolist()
    line = {"type": "LineString", "coordinates": path}
    return {
        "box": parse_shape(polygon(box)),
        "star": parse_shape(polygon(star(frame, rng, 13, 900))),
        "hole": parse_shape(polygon(star(frame, rng, 24, 1000), hole)),
        "fine": parse_shape(polygon(star(frame, rng, 400, 1000))),
        "pair": parse_shape({"type": "MultiPolygon", "coordinates": pair}),
        "sliver": parse_shape(polygon(sliver)),
        "narrow corridor": parse_shape(line, width_m=30),
        "wide corridor": parse_shape(line, width_m=1600),
        "disc": parse_shape({"type": "Point", "coordinates": [lon, lat]}, radius_m=500),
    }
