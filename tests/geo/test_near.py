"""What lies near what: the same digits as asking of every place and every shape, in less time."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.geo import near
from ringfence.geo.distance import BEYOND_M, signed_distance_m
from ringfence.geo.edges import build_edge_table
from ringfence.geo.grid import build_shape_grid
from ringfence.geo.near import Own, Places, near_own
from ringfence.geo.shapes import Disc, Shape

from .shapes import every_sort

LON, LAT = -0.12, 51.5
reaches = st.sampled_from([0.0, 3.0, 250.0, 1_000.0, 7_000.0])
far_out = reaches | st.just(40_000.0)
latitudes = st.sampled_from([LAT, 0.0, -45.0, 70.0, 83.0])
"""What is carried from place to place rests on how true distances are, there as here."""
EXAMPLES = 3 if numba.config.DISABLE_JIT else 40
seeds = st.integers(0, 2**32)


def some_shapes(rng: np.random.Generator, places: int = 3, about: float = LAT) -> list[Shape]:
    """Shapes of every sort about a few places, a wide one among them."""
    shapes: list[Shape] = [Disc((LON, about), 9_000.0)]
    for n in range(places):
        lon, lat = LON + rng.normal(0, 0.1), about + rng.normal(0, 0.06)
        shapes += every_sort(lon, lat, seed=n).values()
    return shapes


def walk(rng: np.random.Generator, fixes: int, about: float = LAT) -> tuple[np.ndarray, np.ndarray]:
    """Rests, walks, rides and leaps, some of them to where nothing is; a place that is none."""
    step = rng.choice([1e-6, 1e-4, 3e-3, 0.08], (fixes, 1), p=[0.5, 0.3, 0.17, 0.03])
    way = np.cumsum(rng.normal(0, 1, (fixes, 2)) * step, axis=0)
    way -= np.rint(way / 0.6) * 0.6
    for leap in rng.integers(0, fixes, 6):  # into the widest shape, and out again
        way[leap] = rng.normal(0, 0.02, 2)
    way[rng.integers(0, fixes), 0] = np.nan
    return LON + way[:, 0], about + way[:, 1]


def asked_one_by_one(shapes, pairs, lon, lat, reach_m):
    """(place, shape, signed distance) of each pair that is near, by the plain question."""
    arrays = build_edge_table(shapes).arrays()
    said = ((i, s, signed_distance_m(arrays, s, lon[i], lat[i], reach_m)) for i, s in pairs)
    return [found for found in said if found[2] >= -reach_m]


@given(seeds, far_out, st.booleans(), latitudes)
@settings(deadline=None, max_examples=EXAMPLES)
def test_wearers_own_shapes_are_told_as_if_each_were_asked(seed, reach_m, mixed, about) -> None:
    rng = np.random.default_rng(seed)
    shapes = some_shapes(rng, about=about)
    first = np.array([0, 5, 5, 14], np.int64)
    own = Own(first, rng.integers(0, len(shapes), first[-1]).astype(np.int32))
    lon, lat = walk(rng, 120, about)
    whose = rng.integers(-1, 3, 120).astype(np.int32)
    whose = whose if mixed else np.sort(whose)
    pairs = [
        (i, int(s))
        for i, w in enumerate(whose)
        if w >= 0
        for s in own.shapes[first[w] : first[w + 1]]
    ]
    arrays = build_edge_table(shapes).arrays()
    found = near_own(arrays, own, Places(whose, lon, lat), reach_m)
    assert list(zip(*found, strict=True)) == asked_one_by_one(shapes, pairs, lon, lat, reach_m)


@given(seeds, reaches, latitudes)
@settings(deadline=None, max_examples=EXAMPLES)
def test_shapes_of_everybody_are_told_as_if_each_were_asked(seed, reach_m, about) -> None:
    rng = np.random.default_rng(seed)
    shapes = some_shapes(rng, about=about)
    lon, lat = walk(rng, 120, about)
    found = build_shape_grid(shapes, reach_m).near(lon, lat)
    pairs = [(i, s) for i in range(len(lon)) for s in range(len(shapes))]
    assert sorted(zip(*found, strict=True)) == asked_one_by_one(shapes, pairs, lon, lat, reach_m)
    assert (np.diff(found.place) >= 0).all()


@pytest.mark.parametrize("reach_m", [0.0, 5_000.0])
def test_a_disc_over_the_antimeridian_is_near_on_both_sides(reach_m) -> None:
    grid = build_shape_grid([Disc((179.9999, 0.0), 1_000.0)], reach_m)
    found = grid.near(np.array([179.995, -179.995, 0.0]), np.zeros(3))
    assert found.place.tolist() == [0, 1]


def test_a_place_on_the_edge_of_a_shape_of_everybodys_is_at_distance_0() -> None:
    shapes = list(every_sort(LON, LAT, seed=1).values())
    grid, arrays = build_shape_grid(shapes), build_edge_table(shapes).arrays()
    edges = arrays[2]
    lon, lat = edges[:, 0].copy(), edges[:, 1].copy()
    pairs = [(i, s) for i in range(len(lon)) for s in range(len(shapes))]
    said = sorted(zip(*grid.near(lon, lat), strict=True))
    assert said == asked_one_by_one(shapes, pairs, lon, lat, 0.0)
    assert sum(signed_m == 0.0 for _, _, signed_m in said) > 10


def test_deep_inside_a_wide_shape_nothing_is_measured(monkeypatch) -> None:
    grid = build_shape_grid([Disc((LON, LAT), 9_000.0)], 10.0)
    assert (grid.cells.codes < 0).any()
    found = grid.near(np.array([LON]), np.array([LAT]))
    assert found.signed_m.tolist() == [BEYOND_M]


def test_an_answer_longer_than_its_room_is_whole(monkeypatch) -> None:
    shapes = [Disc((LON, LAT), 100.0 + n) for n in range(5)]
    lon, lat = np.full(40, LON), np.full(40, LAT)
    grid, arrays = build_shape_grid(shapes), build_edge_table(shapes).arrays()
    own = Own(np.array([0, 5], np.int64), np.arange(5, dtype=np.int32))
    monkeypatch.setattr(near, "PIECE", 7)
    assert len(grid.near(lon, lat).place) == 200
    everybodys = near_own(arrays, own, Places(np.zeros(40, np.int32), lon, lat), 0.0)
    assert len(everybodys.place) == 200


@pytest.mark.parametrize("reach_m", [-1.0, 100_001.0, math.nan, math.inf])
def test_a_grid_refuses_a_reach_that_boxes_do_not_hold(reach_m) -> None:
    with pytest.raises(ValueError, match="not within 0…100000 metres"):
        build_shape_grid([], reach_m)


def test_no_shapes_are_near_nothing() -> None:
    found = build_shape_grid([]).near(np.array([LON]), np.array([LAT]))
    assert len(found.place) == 0
