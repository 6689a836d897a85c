"""Metres: the ellipsoid, the flat frame, and what maps draw."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import shape as from_geojson

from ringfence.geo.distance import contains
from ringfence.geo.drawing import bounds, buffered, outline
from ringfence.geo.edges import build_edge_table
from ringfence.geo.frame import LocalFrame, offset
from ringfence.geo.metric import geodesic_m
from ringfence.geo.shapes import parse_shape

from .shapes import every_sort

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.mark.parametrize(
    ("away_m", "off_m"), [(0.01, 1e-6), (100, 1e-6), (50_000, 1e-3), (200_000, 1e-3), (1e6, 0.03)]
)
def test_a_geodesic_is_pyprojs(away_m: float, off_m: float) -> None:
    rng = np.random.default_rng(1)
    lon, lat, azimuth = rng.uniform((-180, -70, 0), (180, 70, 360), (500, 3)).T
    lon2, lat2, _ = GEOD.fwd(lon, lat, azimuth, np.full(500, away_m))
    ours = [geodesic_m(*pair) for pair in zip(lon, lat, lon2, lat2, strict=True)]
    assert np.abs(np.array(ours) - away_m).max() <= off_m


def test_a_geodesic_to_itself_is_nothing() -> None:
    assert geodesic_m(-0.1, 51.5, -0.1, 51.5) == 0.0


@pytest.mark.parametrize("lat", [0.0, 51.5, -70.0])
@pytest.mark.parametrize(("away_m", "off_m"), [(1_000, 1e-3), (5_000, 2e-3), (20_000, 0.08)])
def test_the_frame_keeps_distances_from_its_origin(lat: float, away_m: float, off_m: float) -> None:
    frame = LocalFrame(-0.1, lat)
    azimuth = np.arange(0.0, 360.0, 7.0)
    n = np.ones(len(azimuth))
    lon2, lat2, _ = GEOD.fwd(-0.1 * n, lat * n, azimuth, away_m * n)
    east, north = frame.to_metres(lon2, lat2)
    assert np.abs(np.hypot(east, north) - away_m).max() <= off_m
    back = frame.to_degrees(east, north)
    np.testing.assert_allclose(back, (lon2, lat2), rtol=0, atol=1e-12)


def test_an_offset_lies_where_it_says() -> None:
    lon, lat = offset(-0.1, 51.5, 300.0, -400.0)
    assert geodesic_m(-0.1, 51.5, lon, lat) == pytest.approx(500, abs=0.01)
    assert lon > -0.1
    assert lat < 51.5


@pytest.mark.parametrize("sort", every_sort(0, 0, 0))
def test_a_drawing_covers_what_the_shape_covers(sort: str) -> None:
    shape = every_sort(-0.12, 51.5, seed=5)[sort]
    drawn = from_geojson(outline(shape))
    grown = from_geojson(buffered(shape, 100))
    assert drawn.is_valid
    assert grown.is_valid
    assert grown.contains(drawn)
    arrays = build_edge_table([shape]).arrays()
    west, south, east, north = bounds(shape)
    rng = np.random.default_rng(2)
    places = rng.uniform((west, south), (east, north), (400, 2))
    edge = shapely.distance(drawn.boundary, shapely.points(places))
    clear = edge > 2e-5  # two metres: the corners of a drawn arc cut that much off 1,600 m
    drawn_says = shapely.contains_xy(drawn, places[:, 0], places[:, 1])[clear]
    assert drawn_says.tolist() == [contains(arrays, 0, *place) for place in places[clear]]


def test_a_buffer_is_as_wide_as_it_says() -> None:
    disc = parse_shape({"type": "Point", "coordinates": [-0.1, 51.5]}, radius_m=400)
    for lon, lat in buffered(disc, 100)["coordinates"][0]:
        assert geodesic_m(-0.1, 51.5, lon, lat) == pytest.approx(500, abs=0.02)


def test_drawings_can_be_read_again() -> None:
    for shape in every_sort(-0.12, 51.5, seed=5).values():
        assert parse_shape(outline(shape))
