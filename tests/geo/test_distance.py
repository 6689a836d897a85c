"""Properties that hold for every shape and place."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ringfence.geo.distance import BEYOND_M, contains, signed_distance_m
from ringfence.geo.edges import build_edge_table
from ringfence.geo.shapes import Corridor, ShapeError, parse_shape

from .shapes import every_sort

E7 = 10_000_000
SHAPES = every_sort(-0.12, 51.5, seed=3)
NAMES = list(SHAPES)
ARRAYS = build_edge_table(list(SHAPES.values())).arrays()

offsets = st.integers(-400_000, 400_000)
numbers = st.sampled_from(range(len(NAMES)))
reaches = st.floats(0, 5_000)
# A coarse lattice, so that corners, edges and rays through corners are hit all the time.
lattice = st.integers(0, 12).map(lambda k: k * 1_000)


@given(numbers, offsets, offsets, reaches)
def test_a_short_reach_changes_cost_and_nothing_else(
    shape: int, east: int, north: int, reach_m: float
) -> None:
    lon, lat = -0.12 + east / E7, 51.5 + north / E7
    whole = signed_distance_m(ARRAYS, shape, lon, lat, math.inf)
    near = signed_distance_m(ARRAYS, shape, lon, lat, reach_m)
    assert near == (whole if abs(whole) <= reach_m else math.copysign(BEYOND_M, whole))
    assert contains(ARRAYS, shape, lon, lat) == (whole >= 0)


@given(numbers, offsets, offsets)
def test_a_shape_is_judged_alone_as_in_a_table(shape: int, east: int, north: int) -> None:
    lon, lat = -0.12 + east / E7, 51.5 + north / E7
    alone = build_edge_table([SHAPES[NAMES[shape]]]).arrays()
    assert signed_distance_m(alone, 0, lon, lat, 900.0) == signed_distance_m(
        ARRAYS, shape, lon, lat, 900.0
    )


@given(numbers, offsets, offsets, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_a_step_changes_the_distance_by_no_more_than_the_step(
    shape: int, east: int, north: int, step_east: int, step_north: int
) -> None:
    lon, lat = -0.12 + east / E7, 51.5 + north / E7
    here = signed_distance_m(ARRAYS, shape, lon, lat, math.inf)
    there = signed_distance_m(ARRAYS, shape, lon + step_east / E7, lat + step_north / E7, math.inf)
    step_m = math.hypot(step_east * 0.00696, step_north * 0.01113)
    assert abs(here - there) <= step_m * 1.002 + 1e-6


@given(
    st.lists(st.tuples(lattice, lattice), min_size=3, max_size=16, unique=True),
    st.tuples(lattice, lattice),
)
@settings(max_examples=150)
def test_the_verdict_is_that_of_exact_integers(
    corners: list[tuple[int, int]], place: tuple[int, int]
) -> None:
    # In order of their direction from a place within, most make a ring that does not cross itself.
    east, north = (sum(c) / len(corners) for c in zip(*corners, strict=True))
    corners.sort(key=lambda c: math.atan2(c[1] - north, c[0] - east))
    ring = [[x / E7, (515_000_000 + y) / E7] for x, y in [*corners, corners[0]]]
    try:
        shape = parse_shape({"type": "Polygon", "coordinates": [ring]})
    except ShapeError:
        assume(False)
        return
    x, y = place
    crossings, on_edge = 0, False
    for (x1, y1), (x2, y2) in itertools.pairwise([*corners, corners[0]]):
        side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        between = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
        on_edge |= side == 0 and between
        crossings += (y1 > y) != (y2 > y) and (side > 0) == (y2 > y1)
    if on_edge and not any(x == cx and y == cy for cx, cy in corners):
        # Between two corners an edge's own place is rounded to 1e-14 degrees: a nanometre.
        distance = signed_distance_m(
            build_edge_table([shape]).arrays(), 0, x / E7, (515_000_000 + y) / E7, math.inf
        )
        assert abs(distance) < 1e-7
        return
    verdict = contains(build_edge_table([shape]).arrays(), 0, x / E7, (515_000_000 + y) / E7)
    assert verdict == (on_edge or crossings % 2 == 1)


@pytest.mark.parametrize("name", ["box", "star", "hole", "fine", "pair", "sliver"])
def test_every_corner_belongs_to_its_shape(name: str) -> None:
    number = NAMES.index(name)
    for rings in SHAPES[name].polygons:
        for lon, lat in itertools.chain.from_iterable(rings):
            assert contains(ARRAYS, number, lon, lat)
            assert signed_distance_m(ARRAYS, number, lon, lat, 10.0) == 0.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [(math.nan, 51.5), (-0.12, math.nan), (math.inf, 51.5)])
def test_what_is_no_place_is_outside(name: str, place: tuple[float, float]) -> None:
    number = NAMES.index(name)
    assert not contains(ARRAYS, number, *place)
    assert signed_distance_m(ARRAYS, number, *place, math.inf) == -BEYOND_M


def test_a_disc_goes_on_beyond_the_antimeridian() -> None:
    disc = parse_shape({"type": "Point", "coordinates": [179.9999, 0.0]}, radius_m=1000)
    arrays = build_edge_table([disc]).arrays()
    assert contains(arrays, 0, -179.9999, 0.0)
    assert signed_distance_m(arrays, 0, -179.9999, 0.0, math.inf) == pytest.approx(977.7, abs=0.1)


def test_a_corridor_reaches_half_its_width_to_each_side() -> None:
    line = {"type": "LineString", "coordinates": [[0, 0], [0.01, 0]]}
    arrays = build_edge_table([parse_shape(line, width_m=100)]).arrays()
    metre = 1 / 110_574.3
    assert signed_distance_m(arrays, 0, 0.005, 0.0, math.inf) == pytest.approx(50)
    assert signed_distance_m(arrays, 0, 0.005, 49 * metre, math.inf) == pytest.approx(1, abs=1e-3)
    assert signed_distance_m(arrays, 0, 0.005, 51 * metre, math.inf) == pytest.approx(-1, abs=1e-3)


def test_a_table_without_shapes_is_a_table() -> None:
    assert len(build_edge_table([])) == 0


def test_bands_hold_every_edge_and_few_copies() -> None:
    table = build_edge_table([SHAPES["fine"]])
    assert table.shapes[0]["bands"] > 10
    assert len(np.unique(table.banded, axis=0)) == 400
    assert len(table.banded) <= 4 * 400


def test_a_position_given_twice_changes_nothing() -> None:
    once = Corridor(((0.0, 51.0), (0.01, 51.0)), 60)
    twice = Corridor(((0.0, 51.0), (0.0, 51.0), (0.01, 51.0)), 60)
    arrays = build_edge_table([once, twice]).arrays()
    assert signed_distance_m(arrays, 0, 0.0, 51.0001, 99.0) == signed_distance_m(
        arrays, 1, 0.0, 51.0001, 99.0
    )
