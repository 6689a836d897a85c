"""5,000 zones that are everybody's (schools, courts): which of them is every fix in, and how deep?

One thread, CPU time, all in one run, of fixes all over a town. Peers have their geometries and
indexes made before, in flat metres:

- *shapely*: `STRtree.query(predicate="intersects")` over all fixes at once, prepared, then the
  distance of each pair to the zone's edge;
- *DuckDB*: a join on `ST_Intersects`, which it plans as SPATIAL_JOIN (checked), then
  `ST_Distance` to the edge, one thread.
"""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import shapely

from bench.own_zones import FRAME, in_degrees, ring
from bench.row import Row, best_cpu_s
from bench.spatial import connection
from ringfence.geo.grid import build_shape_grid
from ringfence.geo.near import Near
from ringfence.geo.shapes import Area

ZONES = 5_000
FIXES = 2_000_000
PEERS_FIXES = 200_000
TOWN_M = 12_000.0


def run() -> list[Row]:
    rng = np.random.default_rng(1)
    rings = [
        ring(rng, rng.uniform(40, 120), int(rng.integers(5, 41)), 1.0) + rng.normal(0, TOWN_M, 2)
        for _ in range(ZONES)
    ]
    metres = rng.normal(0, TOWN_M, (FIXES, 2))
    lon, lat = FRAME.to_degrees(metres[:, 0], metres[:, 1])
    shapes = [Area(((in_degrees(line),),)) for line in rings]
    build_s = best_cpu_s(lambda: build_shape_grid(shapes), 1)
    grid = build_shape_grid(shapes)
    grid.near(lon[:10], lat[:10])  # compiled, from here on
    rate = FIXES / best_cpu_s(lambda: grid.near(lon, lat))
    found = grid.near(lon, lat)
    few = metres[:PEERS_FIXES]
    rates: dict[str, float] = {}
    for name, peer in {"shapely STRtree": by_tree, "DuckDB SPATIAL_JOIN": by_duckdb}.items():
        ask = peer(rings, few)
        check(found, ask())
        rates[name] = PEERS_FIXES / best_cpu_s(ask)
    best = max(rates, key=rates.__getitem__)
    return [
        Row("5,000 zones of everybody’s", rate / 1e6, "M fixes/s a core"),
        Row("their grid made in", build_s, "s"),
        Row("fixes in any", 100 * len(found.place) / FIXES, "%"),
        *(Row(name, told / 1e6, "M fixes/s a core") for name, told in rates.items()),
        Row("5,000 zones of everybody’s", rate / rates[best], "×", 10.0, best),
    ]


def check(found: Near, theirs: np.ndarray) -> None:
    """Both find the same, but for the peer's flat metres."""
    ours = found.signed_m[found.place < PEERS_FIXES]
    counts, means = (len(ours), len(theirs)), (float(ours.mean()), float(theirs.mean()))
    if abs(counts[0] - counts[1]) > 0.002 * counts[0] or abs(means[0] / means[1] - 1) > 0.02:
        raise RuntimeError(
            f"we find {counts[0]} pairs, {means[0]} m deep; they {counts[1]}, {means[1]}"
        )


def by_tree(rings: list[np.ndarray], metres: np.ndarray) -> Any:
    polygons = np.array([shapely.Polygon(line) for line in rings])
    edges = shapely.get_exterior_ring(polygons)
    shapely.prepare(edges)
    tree = shapely.STRtree(polygons)
    places = shapely.points(metres)

    def ask() -> np.ndarray:
        fix, zone = tree.query(places, predicate="intersects")
        away: np.ndarray = shapely.distance(edges[zone], places[fix])
        return away

    return ask


def by_duckdb(rings: list[np.ndarray], metres: np.ndarray) -> Any:
    polygons = np.array([shapely.Polygon(line) for line in rings])
    db = connection()
    pandas = geopandas.pd
    edges = shapely.get_exterior_ring(polygons)
    zones = {"drawn": shapely.to_wkb(polygons), "edge": shapely.to_wkb(edges)}
    db.register("zones_in", pandas.DataFrame(zones))
    db.register("fixes_in", pandas.DataFrame(metres, columns=["x", "y"]))
    db.execute(
        "create table zones as select ST_GeomFromWKB(drawn) as drawn,"
        " ST_GeomFromWKB(edge) as edge from zones_in"
    )
    db.execute("create table fixes as select ST_Point(x, y) as place from fixes_in")
    question = (
        "select ST_Distance(edge, place) from fixes join zones on ST_Intersects(drawn, place)"
    )
    planned = str(db.execute(f"explain {question}").fetchall())
    if "SPATIAL_JOIN" not in planned:
        raise RuntimeError("DuckDB did not plan a SPATIAL_JOIN")
    return lambda: next(iter(db.execute(question).fetchnumpy().values()))
