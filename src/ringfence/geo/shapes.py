"""GeoJSON geometries become shapes that can be judged, or are refused with a reason."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

import numpy as np
import shapely

LonLat = tuple[float, float]
Line = tuple[LonLat, ...]

MAX_RADIUS_M: Final = 500_000.0
"""A disc wider than a country is a mistake; up to here its edge is exact to 1 cm."""
MAX_WIDTH_M: Final = 20_000.0
"""Half of it, 10 km, is as far as a corridor's edge is exact to a few centimetres."""


class ShapeError(ValueError):
    """A geometry that can't be judged; the text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Area:
    """Polygons with holes, edges straight in longitude and latitude (RFC 7946).

    Each polygon is its rings, the outer one first; each ring ends where it began.
    """

    polygons: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Disc:
    """All places within `radius_m` of a centre, along the ellipsoid: not a polygon."""

    centre: LonLat
    radius_m: float


@dataclass(frozen=True, slots=True)
class Corridor:
    """All places within half of `width_m` of a line, with round ends."""

    line: Line
    width_m: float


Shape = Area | Disc | Corridor


def parse_shape(
    geometry: Mapping[str, Any] | None,
    *,
    radius_m: float | None = None,
    width_m: float | None = None,
) -> Shape:
    """Read a GeoJSON geometry: Polygon, MultiPolygon, Point with `radius_m`, LineString with width.

    Args:
        geometry: a GeoJSON geometry object, WGS84 degrees, longitude first; heights are dropped.
        radius_m: for a Point, metres.
        width_m: for a LineString, metres from side to side.

    Raises:
        ShapeError: whatever can't be judged; the text says what, where, and what to do.
    """
    if not isinstance(geometry, Mapping) or "type" not in geometry:
        raise ShapeError('no geometry: give a GeoJSON object with "type" and "coordinates"')
    kind, coordinates = geometry["type"], geometry.get("coordinates")
    if not isinstance(coordinates, Sequence) or isinstance(coordinates, str) or not coordinates:
        raise ShapeError(f"{kind} is empty: give it coordinates, or remove it")
    match kind:
        case "Polygon":
            return _area([coordinates])
        case "MultiPolygon":
            return _area(coordinates)
        case "Point":
            return Disc(
                _position(coordinates, "the point"),
                _metres(radius_m, "radius_m", "a Point", MAX_RADIUS_M),
            )
        case "LineString":
            return Corridor(
                _line(coordinates), _metres(width_m, "width_m", "a LineString", MAX_WIDTH_M)
            )
    raise ShapeError(
        f"{kind} is not a zone's shape: use Polygon, MultiPolygon, Point with radius_m, "
        "or LineString with width_m"
    )


def _metres(value: object, name: str, owner: str, most: float) -> float:
    if value is None:
        raise ShapeError(f"{owner} has no {name}: give it in metres")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ShapeError(f"{name} is {value!r}: give a number of metres")
    if value <= 0:
        raise ShapeError(f"{name} is {value:g}: it must be more than 0 metres")
    if value > most:
        raise ShapeError(f"{name} is {value:g}: more than {most:g} metres; draw a Polygon instead")
    return float(value)


def _position(value: object, where: str) -> LonLat:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < 2:
        raise ShapeError(f"{where} is not a position: write [longitude, latitude]")
    for number in value[:2]:
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ShapeError(f"{where} holds {number!r}: write [longitude, latitude] in degrees")
    lon, lat = float(value[0]), float(value[1])
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise ShapeError(f"{where} holds NaN or infinity: every position needs two numbers")
    if not -90 <= lat <= 90:
        raise ShapeError(
            f"{where} has latitude {lat:g}, outside −90…90: GeoJSON writes longitude first"
        )
    if not -180 <= lon <= 180:
        raise ShapeError(f"{where} has longitude {lon:g}, outside −180…180: wrap it by 360")
    return lon, lat


def _plain(value: Sequence[Any]) -> Line | None:
    """Positions of which nothing need be said, all at once; None = look at each."""
    try:
        if {*map(type, value)} - {list, tuple} or {*map(type, chain(*value))} - {float, int}:
            return None
        points = np.array(value, np.float64)[:, :2]
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    sane = points.shape[1:] == (2,) and (np.abs(points) <= (180.0, 90.0)).all()
    if not sane or (np.abs(np.diff(points[:, 0])) > 180.0).any():
        return None
    return tuple(map(tuple, points.tolist()))


def _positions(value: object, where: str) -> Line:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ShapeError(f"{where} is not a list of positions")
    plain = _plain(value)
    if plain is not None:
        return plain
    line = tuple(_position(p, f"{where}, position {i}") for i, p in enumerate(value, 1))
    for i, ((lon1, _), (lon2, _)) in enumerate(pairwise(line), 1):
        if abs(lon2 - lon1) > 180:
            raise ShapeError(
                f"{where}: the edge from position {i} to {i + 1} spans {abs(lon2 - lon1):g}° of "
                "longitude: split the shape at the antimeridian (RFC 7946, 3.1.9)"
            )
    return line


def _line(coordinates: object) -> Line:
    line = _positions(coordinates, "the line")
    if len(set(line)) < 2:
        raise ShapeError("the line has fewer than two different positions: a Point with radius_m?")
    return line


def _ring(value: object, where: str) -> Line:
    ring = _positions(value, where)
    if len(set(ring)) < 3:
        raise ShapeError(
            f"{where} has {len(set(ring))} different positions: an area needs at least three"
        )
    if ring[0] != ring[-1]:
        raise ShapeError(f"{where} is not closed: repeat its first position at its end")
    return ring


def _area(coordinates: Sequence[Any]) -> Area:
    polygons = []
    for p, rings in enumerate(coordinates, 1):
        which = f"polygon {p}, " if len(coordinates) > 1 else ""
        if not isinstance(rings, Sequence) or isinstance(rings, str) or not rings:
            raise ShapeError(f"{which or 'the polygon '}is empty: give it a ring, or remove it")
        polygons.append(
            tuple(
                _ring(ring, f"{which}{'the outer ring' if r == 0 else f'hole {r}'}")
                for r, ring in enumerate(rings)
            )
        )
    _refuse_invalid(polygons)
    return Area(tuple(polygons))


_REASONS: Final = {
    "Self-intersection": "its edges cross",
    "Ring Self-intersection": "a ring touches or crosses itself",
    "Hole lies outside shell": "a hole lies outside its outer ring",
    "Holes are nested": "one hole lies inside another",
    "Nested shells": "one polygon lies inside another",
    "Interior is disconnected": "a hole cuts the polygon in two",
    "Duplicate Rings": "two rings are the same",
    "Too few points in geometry component": "a ring encloses nothing",
}


def _refuse_invalid(polygons: Sequence[tuple[Line, ...]]) -> None:
    drawn = [
        shapely.polygons(outer, holes=holes or None)
        for outer, *holes in ([shapely.linearrings(np.array(r)) for r in p] for p in polygons)
    ]
    reason = shapely.is_valid_reason(shapely.multipolygons(drawn))
    if reason == "Valid Geometry":
        return
    found = re.fullmatch(r"(.*)\[(\S+) (\S+)\]", reason)
    words, place = (found[1], (float(found[2]), float(found[3]))) if found else (reason, None)
    at = f" at longitude {place[0]:.7f}, latitude {place[1]:.7f}" if place else ""
    raise ShapeError(f"the polygon can't be judged: {_REASONS.get(words, words)}{at}: redraw it")
