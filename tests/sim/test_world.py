from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest

from ringfence.engine.conditions import Condition, Kind
from ringfence.geo.distance import contains, signed_distance_m
from ringfence.geo.edges import build_edge_table
from ringfence.sim.people import RELATIONSHIPS, RISKS
from ringfence.sim.streets import DISTRICTS, REACH, Streets
from ringfence.sim.world import World, build_world
from tests.sim.conftest import AT


def distance_m(condition: Condition, lon: float, lat: float) -> float:
    assert condition.shape is not None
    arrays = build_edge_table([condition.shape]).arrays()
    return float(signed_distance_m(arrays, 0, lon, lat, 1e6))


def test_the_same_seed_and_instant_make_the_same_world_to_the_byte() -> None:
    made = [json.dumps(asdict(build_world(7, AT)), default=str) for _ in range(2)]
    assert made[0] == made[1]
    assert json.dumps(asdict(build_world(8, AT)), default=str) != made[0]


def test_it_holds_what_the_issue_names() -> None:
    world = build_world(7, AT)
    assert len(world.people) == len(world.orders) == len(world.tags) == 24
    assert len(world.victims) == 8
    assert {p.relationship for p in world.people} == set(RELATIONSHIPS)
    assert {p.risk for p in world.people} == set(RISKS)
    assert {o.type for o in world.orders} == {"licence", "community_order"}
    features = world.conditions["features"]
    shapes = Counter(f["geometry"]["type"] for f in features if f["geometry"])
    assert set(shapes) == {"Point", "Polygon", "MultiPolygon", "LineString"}
    polygons = [f["geometry"]["coordinates"] for f in features
                if f["geometry"] and f["geometry"]["type"] == "Polygon"]  # fmt: skip
    assert max(map(len, polygons)) > 1, "no polygon has a hole"
    kinds = Counter(f["properties"]["kind"] for f in features)
    assert set(kinds) == {"exclusion", "curfew", "attendance", "restriction", "trail"}
    assert len({f["id"] for f in features}) == len(features)


def test_no_condition_says_where_a_victim_lives(world: World) -> None:
    text = json.dumps(world.conditions)
    for victim in world.victims:
        assert victim.name not in text
        lon, lat = victim.home.spot.position()
        assert str(lon) not in text
        assert str(lat) not in text


def test_a_victim_lives_inside_her_zone_and_not_at_its_centre(
    world: World, conditions: list[Condition]
) -> None:
    by_id = {c.id: c for c in conditions}
    feature_of = {
        f["properties"]["protects"]: f
        for f in world.conditions["features"]
        if "protects" in f["properties"]
    }
    for victim in world.victims:
        feature = feature_of[victim.id]
        spot = victim.home.spot
        if feature["geometry"]["type"] == "Point":
            lon, lat = feature["geometry"]["coordinates"]
            assert distance_m(by_id[feature["id"]], spot.lon, spot.lat) > 0
            assert abs(spot.lon - lon) + abs(spot.lat - lat) > 1e-5


def test_curfews_are_at_home_and_no_home_is_in_its_own_wearers_zone(
    world: World, conditions: list[Condition]
) -> None:
    home = {p.id: p.home.spot for p in world.people}
    for condition in conditions:
        spot = home[condition.wearer]
        if condition.kind in (Kind.CURFEW, Kind.RESTRICTION):
            assert distance_m(condition, spot.lon, spot.lat) > 50
        elif condition.kind is Kind.EXCLUSION:
            assert distance_m(condition, spot.lon, spot.lat) < -condition.buffer_m


def test_the_drifters_home_is_40_m_outside_his_zone(
    world: World, conditions: list[Condition]
) -> None:
    drifter = world.people[3]
    zone = next(c for c in conditions if c.id == f"{drifter.id}-exclusion")
    outside_m = -distance_m(zone, drifter.home.spot.lon, drifter.home.spot.lat)
    assert outside_m == pytest.approx(40, abs=0.5)


def test_the_scripted_curfew_starts_20_s_after_the_world(conditions: list[Condition]) -> None:
    curfew = next(c for c in conditions if c.id == "X000002-curfew")
    assert curfew.from_at == AT + timedelta(seconds=20)


@pytest.mark.parametrize("wearers", [3, 25])
def test_a_world_of_the_wrong_size_is_refused(wearers: int) -> None:
    with pytest.raises(ValueError, match="give 4 to 24"):
        build_world(7, AT, wearers)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        build_world(7, datetime(2026, 1, 1))  # noqa: DTZ001 -- that is the point


def test_every_district_is_reached_from_every_other_along_the_streets() -> None:
    streets = Streets(7)
    for a in range(len(DISTRICTS)):
        for b in range(len(DISTRICTS)):
            way = streets.way((a, (3, -2)), (b, (-4, 5)))
            assert way[0] == streets.corner(a, (3, -2))
            assert way[-1] == streets.corner(b, (-4, 5))


def test_a_corner_off_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the grid"):
        Streets(7).corner(0, (REACH + 1, 0))


def test_the_hole_in_a_zone_is_open(world: World, conditions: list[Condition]) -> None:
    holed = next(
        c for c in conditions
        if c.geometry and c.geometry["type"] == "Polygon" and len(c.geometry["coordinates"]) > 1
    )  # fmt: skip
    assert holed.geometry is not None
    ring = holed.geometry["coordinates"][1][:-1]
    lon, lat = (sum(p[k] for p in ring) / len(ring) for k in (0, 1))
    assert holed.shape is not None
    assert not contains(build_edge_table([holed.shape]).arrays(), 0, lon, lat)
