"""Naive judgement in memory, 8 zones a wearer, beside shapely doing the same geometry.

All know each fix's wearer, and look only at that wearer's zones. shapely is asked twice, both times
with arrays, prepared zones and prepared edges:

- *contains_xy + distance*: on which side of every zone every fix lies, and how far from its edge,
  which is what `signed_distances_m` says too;
- *by hand*: a numpy bounding box first, and the depth of those inside only. That is all the
  geometry that naive judgement needs, and the fairest peer; but it finds no visit's begin, end,
  confirmation, count or evidence, which Ringfence's time includes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape as from_geojson

from bench.row import Row, best_cpu_s
from ringfence.engine import (
    NAIVE,
    Batch,
    Condition,
    Kind,
    Plan,
    compile_plan,
    evaluate,
    initial_state,
)
from ringfence.engine.fix import E7
from ringfence.geo.distance import signed_distances_m
from ringfence.geo.drawing import outline
from ringfence.geo.frame import LocalFrame

WEARERS = 48
ZONES = 8
FIXES = 40_000
"""Of each wearer: four weeks, one a minute."""
PLAIN = 6
"""Wearers whose every distance shapely measures; it would take a minute for all."""
REACH_M = 1_000.0
START_AT = datetime(2026, 3, 1, tzinfo=UTC)
END_AT = datetime(2026, 4, 1, tzinfo=UTC)


def run() -> list[Row]:
    rng = np.random.default_rng(1)
    conditions, batch = made_up(rng)
    plan = compile_plan(conditions, NAIVE, start_at=START_AT, end_at=END_AT)
    judge = partial(evaluate, plan, batch=batch)
    judge(state=initial_state(plan), batch=batch.take(slice(0, 100)))  # compiled, from here on
    ours_s = best_cpu_s(lambda: judge(state=initial_state(plan)))
    by_wearer = [batch.take(batch.wearer == w) for w in range(WEARERS)]
    zones = prepared(plan)
    plain_s = best_cpu_s(lambda: all_distances(zones, by_wearer[:PLAIN])) * WEARERS / PLAIN
    by_hand_s = best_cpu_s(lambda: depths_by_hand(zones, by_wearer))
    inside = depths_by_hand(zones, by_wearer)
    arrays = plan.rules.edges
    geo_s = best_cpu_s(lambda: our_distances(arrays, by_wearer))
    rate = len(batch) / 1e6
    return [
        Row("naive judgement, 8 zones a wearer", rate / ours_s, "M fixes/s a core", 5.0),
        Row("naive judgement", plain_s / ours_s, "×", 10.0, "shapely contains_xy + distance"),
        Row("naive judgement", by_hand_s / ours_s, "×", None, "shapely by hand"),
        Row("signed distances alone", plain_s / geo_s, "×", 10.0, "shapely contains_xy + distance"),
        Row("shapely contains_xy + distance", rate / plain_s, "M fixes/s a core"),
        Row("shapely by hand", rate / by_hand_s, "M fixes/s a core"),
        Row("fix–zone pairs inside", 100 * inside / (len(batch) * ZONES), "%"),
    ]


def made_up(rng: np.random.Generator) -> tuple[list[Condition], Batch]:
    """Wearers who walk about London, in and out of zones of every shape."""
    conditions, batches = [], []
    for w in range(WEARERS):
        home = LocalFrame(float(rng.uniform(-0.3, 0.1)), float(rng.uniform(51.4, 51.6)))
        # Rest, ways and returns: a walk pulled back towards home.
        steps = rng.normal(0, 90, (FIXES, 2)) * (rng.random((FIXES, 1)) < 0.3)
        walk = np.zeros((FIXES, 2))
        for i in range(1, FIXES):
            walk[i] = 0.9995 * walk[i - 1] + steps[i]
        lon, lat = home.to_degrees(walk[:, 0], walk[:, 1])
        batch = Batch.empty(FIXES)
        batch.wearer[:] = w
        batch.time_ms[:] = int(START_AT.timestamp() * 1000) + 60_000 * np.arange(FIXES)
        batch.lat_e7[:], batch.lon_e7[:] = np.rint(lat * E7), np.rint(lon * E7)
        batch.source[:] = 1
        batches.append(batch)
        conditions += [condition(rng, home, w, z) for z in range(ZONES)]
    return conditions, Batch.concat(batches)


def condition(rng: np.random.Generator, home: LocalFrame, w: int, z: int) -> Condition:
    at = rng.normal(0, 2_500, 2)
    geometry: dict[str, Any]
    sizes: dict[str, float] = {}
    if z % 4 == 0:
        lon, lat = home.to_degrees(*at)
        geometry, sizes = (
            {"type": "Point", "coordinates": [float(lon), float(lat)]},
            {"radius_m": 500},
        )
    elif z % 4 == 1:
        way = np.cumsum(rng.normal(0, 200, (8, 2)), axis=0) + at
        geometry, sizes = (
            {"type": "LineString", "coordinates": degrees(home, way)},
            {"width_m": 100},
        )
    else:
        rings = [star(rng, 600, 30 if z % 4 == 2 else 8)]
        if z % 4 == 3:
            rings.append(star(rng, 150, 6))
        geometry = {"type": "Polygon", "coordinates": [degrees(home, ring + at) for ring in rings]}
    return Condition(
        id=f"c{w}-{z}",
        wearer=f"W{w:03d}",
        kind=Kind.EXCLUSION,
        from_at=START_AT,
        geometry=geometry,
        **sizes,
    )


def star(rng: np.random.Generator, size_m: float, corners: int) -> np.ndarray:
    angle = np.append(np.linspace(0, 2 * np.pi, corners, endpoint=False), 0.0)
    radius = size_m * rng.uniform(0.6, 1.0, corners + 1)
    radius[-1] = radius[0]
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def degrees(home: LocalFrame, metres: np.ndarray) -> list[list[float]]:
    lon, lat = home.to_degrees(metres[:, 0], metres[:, 1])
    return np.column_stack([lon, lat]).tolist()


def prepared(plan: Plan) -> list[list[tuple[Any, Any]]]:
    """Each wearer's zones as polygons in degrees, and their edges stretched to metres."""
    zones: list[list[tuple[Any, Any]]] = [[] for _ in plan.wearers]
    for c in plan.conditions:
        drawn = from_geojson(outline(c.shape))
        edge = shapely.transform(drawn.boundary, metres)
        shapely.prepare(drawn)
        shapely.prepare(edge)
        zones[plan.wearers.index(c.wearer)].append((drawn, edge))
    return zones


def metres(xy: np.ndarray) -> np.ndarray:
    """Near enough for a bench: one stretch for all of London."""
    return xy * (69_400.0, 111_250.0)


def all_distances(zones: list[list[tuple[Any, Any]]], by_wearer: list[Batch]) -> None:
    for own, fixes in zip(zones, by_wearer, strict=False):
        lon, lat = fixes.lon_e7 / E7, fixes.lat_e7 / E7
        places = shapely.points(metres(np.column_stack([lon, lat])))
        for drawn, edge in own:
            side = np.where(shapely.contains_xy(drawn, lon, lat), 1.0, -1.0)
            side *= shapely.distance(edge, places)


def depths_by_hand(zones: list[list[tuple[Any, Any]]], by_wearer: list[Batch]) -> int:
    inside = 0
    for own, fixes in zip(zones, by_wearer, strict=True):
        lon, lat = fixes.lon_e7 / E7, fixes.lat_e7 / E7
        for drawn, edge in own:
            west, south, east, north = drawn.bounds
            box = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
            within = box[shapely.contains_xy(drawn, lon[box], lat[box])]
            places = shapely.points(metres(np.column_stack([lon[within], lat[within]])))
            inside += len(shapely.distance(edge, places))
    return inside


def our_distances(arrays: Any, by_wearer: list[Batch]) -> None:
    for wearer, fixes in enumerate(by_wearer):
        lon, lat = fixes.lon_e7 / E7, fixes.lat_e7 / E7
        for zone in range(ZONES):
            signed_distances_m(arrays, wearer * ZONES + zone, lon, lat, REACH_M)
