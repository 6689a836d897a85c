"""A million random pairs of place and shape, judged by shapely and pyproj as well."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numba
import numpy as np
import pyproj
import pytest
import shapely

from ringfence.geo.distance import contains_many, signed_distances_m
from ringfence.geo.edges import build_edge_table
from ringfence.geo.shapes import Area, Corridor, Disc, Shape

from .shapes import every_sort

PLACES = [(0.0, 0.0), (-0.12, 51.5), (179.0, -33.9), (25.5, 70.0)]
SORTS = list(every_sort(0, 0, 0))
TOTAL = 20_000 if numba.config.DISABLE_JIT else 1_000_000
PAIRS = -(-TOTAL // (len(PLACES) * len(SORTS)))
GEOD = pyproj.Geod(ellps="WGS84")


class Judged(NamedTuple):
    inside: np.ndarray
    edge_m: np.ndarray
    """NaN where it was not measured: of an area's places, two in three of those not in doubt."""


def lines_of(shape: Shape) -> list[np.ndarray]:
    if isinstance(shape, Area):
        return [np.array(ring) for rings in shape.polygons for ring in rings]
    return [np.array(shape.line)] if isinstance(shape, Corridor) else []


def places_near(shape: Shape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A third all around, a third beside an edge, some exactly on edges and corners."""
    row = build_edge_table([shape]).shapes[0]
    reach_lon, reach_lat = 500 * row["lon_per_m"], 500 / 111_000
    around = rng.uniform(
        (row["west"] - reach_lon, row["south"] - reach_lat),
        (row["east"] + reach_lon, row["north"] + reach_lat),
        (PAIRS, 2),
    )
    if isinstance(shape, Disc):
        azimuth = rng.uniform(0, 360, PAIRS)
        off = shape.radius_m + rng.normal(0, 1, PAIRS) * 10.0 ** rng.uniform(-3, 2, PAIRS)
        lon, lat, _ = GEOD.fwd(
            np.full(PAIRS, shape.centre[0]), np.full(PAIRS, shape.centre[1]), azimuth, off
        )
        around[PAIRS // 3 :] = np.column_stack([lon, lat])[PAIRS // 3 :]
    else:
        ends = [np.stack(pair) for line in lines_of(shape) for pair in itertools.pairwise(line)]
        edge = np.array(ends)[rng.integers(0, len(ends), PAIRS)]
        share = rng.uniform(0, 1, (PAIRS, 1))
        share[: PAIRS // 2] = rng.integers(0, 2, (PAIRS // 2, 1))
        on_edge = edge[:, 0] * (1 - share) + edge[:, 1] * share
        jitter = rng.normal(0, 1, (PAIRS, 2)) * 10.0 ** rng.uniform(-9, -3, (PAIRS, 1))
        jitter[::7] = 0.0
        around[PAIRS // 3 :] = (on_edge + jitter)[PAIRS // 3 :]
    return around[:, 0], around[:, 1]


def judged_by_others(shape: Shape, lon: np.ndarray, lat: np.ndarray, ours: np.ndarray) -> Judged:
    """shapely in degrees for the verdict; the ellipsoid's distances by pyproj for the metres."""
    if isinstance(shape, Disc):
        n = np.ones(len(lon))
        away = GEOD.inv(shape.centre[0] * n, shape.centre[1] * n, lon, lat)[2]
        return Judged(away <= shape.radius_m, np.abs(shape.radius_m - away))
    if isinstance(shape, Corridor):
        away = metres_to(lines_of(shape), lon, lat)
        return Judged(away <= shape.width_m / 2, np.abs(shape.width_m / 2 - away))
    area = shapely.MultiPolygon([shapely.Polygon(p[0], p[1:]) for p in shape.polygons])
    shapely.prepare(area)
    inside = shapely.contains_xy(area, lon, lat)
    measured = (np.arange(len(lon)) % 3 == 0) | (inside != ours)
    edge_m = np.full(len(lon), np.nan)
    edge_m[measured] = metres_to(lines_of(shape), lon[measured], lat[measured])
    return Judged(inside, edge_m)


def metres_to(lines: list[np.ndarray], lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """On an equidistant plane about the lines: it stretches by less than 1e-7 within 4 km."""
    centre = np.concatenate(lines).mean(axis=0)
    plane = pyproj.Proj(proj="aeqd", lon_0=centre[0], lat_0=centre[1], ellps="WGS84")
    drawn = shapely.segmentize(shapely.MultiLineString(lines), 0.002)
    flat = shapely.transform(drawn, lambda xy: np.column_stack(plane(xy[:, 0], xy[:, 1])))
    shapely.prepare(flat)
    return shapely.distance(flat, shapely.points(*plane(lon, lat)))


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("place", PLACES, ids=lambda p: f"latitude {p[1]:g}")
def test_shapely_and_pyproj_agree(place: tuple[float, float], sort: str) -> None:
    shape = every_sort(*place, seed=7)[sort]
    rng = np.random.default_rng(11)
    lon, lat = places_near(shape, rng)
    arrays = build_edge_table([shape]).arrays()

    inside = contains_many(arrays, 0, lon, lat)
    signed = signed_distances_m(arrays, 0, lon, lat)
    others = judged_by_others(shape, lon, lat, inside)

    wrong = (inside != others.inside) & (others.edge_m > 0.01)
    assert not wrong.any()
    assert ((signed >= 0) == inside).all()
    near = others.edge_m <= 1000
    off = np.abs(np.abs(signed[near]) - others.edge_m[near])
    assert (off <= 0.05 + 0.002 * others.edge_m[near]).all()
    # The project's own bound is tighter than the promise: 2 mm and a millionth.
    assert (off <= 0.002 + 1e-6 * others.edge_m[near]).all()
    assert inside.any()
    assert not inside.all()
