"""What can't be judged is refused, with where and what to do."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ringfence.geo.shapes import Area, Corridor, Disc, ShapeError, parse_shape

BOX = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def changed(position: int, to: object) -> dict[str, Any]:
    ring: list[Any] = [list(p) for p in BOX]
    ring[position] = to
    return polygon(ring)


REFUSED = {
    "nothing": (None, "give a GeoJSON object"),
    "no coordinates": ({"type": "Polygon"}, "Polygon is empty"),
    "no rings": ({"type": "Polygon", "coordinates": []}, "Polygon is empty"),
    "an empty ring": (polygon([]), "the outer ring has 0 different positions"),
    "a multipolygon of nothing": ({"type": "MultiPolygon", "coordinates": [[]]}, "is empty"),
    "another type": ({"type": "MultiPoint", "coordinates": [[0, 0]]}, "use Polygon, Multi"),
    "text for numbers": (changed(1, ["1", "0"]), "position 2 holds '1'"),
    "a truth for a number": (changed(1, [True, 0]), "position 2 holds True"),
    "half a position": (changed(1, [1]), r"position 2 is not a position: write \[longitude"),
    "latitude 91": (changed(2, [1, 91]), "position 3 has latitude 91, .* longitude first"),
    "longitude 181": (changed(2, [181, 1]), "position 3 has longitude 181, .* wrap it"),
    "NaN": (changed(2, [math.nan, 1]), "position 3 holds NaN or infinity"),
    "infinity": (changed(2, [0, math.inf]), "position 3 holds NaN or infinity"),
    "two points": (polygon([[0, 0], [1, 1], [0, 0]]), "2 different positions: .* three"),
    "unclosed": (polygon(BOX[:4]), "not closed: repeat its first position"),
    "a line for a ring": (polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "can't be judged"),
    "a bow tie": (
        polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]),
        "edges cross at longitude 0.5000000, latitude 0.5000000: redraw it",
    ),
    "a hole outside": (
        polygon(BOX, [[2, 2], [3, 2], [3, 3], [2, 2]]),
        "a hole lies outside its outer ring at longitude 2",
    ),
    "overlapping polygons": (
        {"type": "MultiPolygon", "coordinates": [[BOX], [[[x + 0.5, y] for x, y in BOX]]]},
        "edges cross|touches or crosses",
    ),
    "a nested polygon": (
        {
            "type": "MultiPolygon",
            "coordinates": [[BOX], [[[x / 4 + 0.25, y / 4 + 0.25] for x, y in BOX]]],
        },
        "one polygon lies inside another",
    ),
    "over the antimeridian": (
        polygon([[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]),
        "position 1 to 2 spans 358° of longitude: split the shape",
    ),
    "a second polygon's fault": (
        {"type": "MultiPolygon", "coordinates": [[BOX], [BOX[:4]]]},
        "polygon 2, the outer ring is not closed",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_faulty_geometry_is_refused_with_what_to_do(what: str) -> None:
    geometry, says = REFUSED[what]
    with pytest.raises(ShapeError, match=says):
        parse_shape(geometry)


@pytest.mark.parametrize(
    ("metres", "says"),
    [
        (None, "has no radius_m: give it in metres"),
        (0, "radius_m is 0: it must be more than 0"),
        (-5, "must be more than 0"),
        (math.nan, "give a number of metres"),
        (math.inf, "give a number of metres"),
        (True, "give a number of metres"),
        ("10", "radius_m is '10'"),
        (1e7, "draw a Polygon instead"),
    ],
)
def test_a_point_needs_a_sane_radius(metres: Any, says: str) -> None:
    with pytest.raises(ShapeError, match=says):
        parse_shape({"type": "Point", "coordinates": [0, 51]}, radius_m=metres)


def test_a_line_needs_a_width_and_two_places() -> None:
    with pytest.raises(ShapeError, match="a LineString has no width_m"):
        parse_shape({"type": "LineString", "coordinates": [[0, 0], [1, 1]]})
    with pytest.raises(ShapeError, match="fewer than two different positions"):
        parse_shape({"type": "LineString", "coordinates": [[0, 0], [0, 0]]}, width_m=9)


def test_good_geometries_become_shapes() -> None:
    hole = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.2]]
    area = parse_shape(polygon(BOX, hole))
    assert isinstance(area, Area)
    assert [len(ring) for ring in area.polygons[0]] == [5, 4]
    point = {"type": "Point", "coordinates": (-0.1, 51.5)}
    assert parse_shape(point, radius_m=250) == Disc((-0.1, 51.5), 250.0)
    line = {"type": "LineString", "coordinates": [[0, 51], [0, 52]]}
    assert parse_shape(line, width_m=40) == Corridor(((0.0, 51.0), (0.0, 52.0)), 40.0)


def test_heights_are_dropped() -> None:
    flat, high = polygon(BOX), polygon([[*p, 120.5] for p in BOX])
    assert parse_shape(high) == parse_shape(flat)


def test_holes_that_touch_in_one_corner_are_fine() -> None:
    first = [[0.2, 0.2], [0.5, 0.5], [0.2, 0.5], [0.2, 0.2]]
    second = [[0.5, 0.5], [0.8, 0.8], [0.5, 0.8], [0.5, 0.5]]
    assert isinstance(parse_shape(polygon(BOX, first, second)), Area)
