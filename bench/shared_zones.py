"""5,000 zones that are everybody's (schools, courts): which of them is every fix in?

One thread, CPU time, all in one run, of fixes all over a town. Peers have their geometries and
indexes made before, in flat metres:

- *shapely*: `STRtree.query(predicate="intersects")` over all fixes at once; or the tree for boxes
  only, and then `intersects` of prepared polygons;
- *DuckDB*: a join on `ST_Intersects`, which it plans as SPATIAL_JOIN (checked), one thread.
"""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import shapely

from bench.own_zones import FRAME, in_degrees, ring
from bench.row import Row, best_cpu_s
from bench.spatial import connection
from ringfence.geo.grid import ShapeGrid, build_shape_grid
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
    for name, peer in PEERS.items():
        ask = peer(rings, few)
        check(found, ask())
        rates[name] = PEERS_FIXES / best_cpu_s(ask)
    best = max(rates, key=rates.__getitem__)
    return [
        Row("5,000 zones of everybody’s", rate / 1e6, "M fixes/s a core"),
        Row("their grid made in", build_s, "s"),
        Row("its size", size_of(grid) / 1e6, "MB"),
        Row("fixes in any", 100 * len(found.place) / FIXES, "%"),
        *(Row(name, told / 1e6, "M fixes/s a core") for name, told in rates.items()),
        Row("5,000 zones of everybody’s", rate / rates[best], "×", 10.0, best),
    ]


def size_of(grid: ShapeGrid) -> int:
    """Bytes of the grid and of the shapes in it."""
    arrays = (*grid.table.arrays(), *grid.cells, *grid.cells.several)
    return sum(a.nbytes for a in arrays if isinstance(a, np.ndarray))


def check(found: Near, theirs: np.ndarray) -> None:
    """Both find the same pairs, but for the peer's flat metres."""
    ours = int((found.place < PEERS_FIXES).sum())
    if abs(ours - len(theirs)) > 0.002 * ours:
        raise RuntimeError(f"we find {ours} pairs; they {len(theirs)}")


def by_tree(rings: list[np.ndarray], metres: np.ndarray) -> Any:
    polygons = np.array([shapely.Polygon(line) for line in rings])
    tree = shapely.STRtree(polygons)
    places = shapely.points(metres)

    def ask() -> np.ndarray:
        zone: np.ndarray = tree.query(places, predicate="intersects")[1]
        return zone

    return ask


def by_prepared(rings: list[np.ndarray], metres: np.ndarray) -> Any:
    polygons = np.array([shapely.Polygon(line) for line in rings])
    tree = shapely.STRtree(polygons)
    shapely.prepare(polygons)
    places = shapely.points(metres)

    def ask() -> np.ndarray:
        place, zone = tree.query(places)
        within: np.ndarray = zone[shapely.intersects(polygons[zone], places[place])]
        return within

    return ask


def by_duckdb(rings: list[np.ndarray], metres: np.ndarray) -> Any:
    polygons = np.array([shapely.Polygon(line) for line in rings])
    db = connection()
    pandas = geopandas.pd
    zones = {"number": np.arange(len(rings)), "drawn": shapely.to_wkb(polygons)}
    db.register("zones_in", pandas.DataFrame(zones))
    db.register("fixes_in", pandas.DataFrame(metres, columns=["x", "y"]))
    db.execute("create table zones as select number, ST_GeomFromWKB(drawn) as drawn from zones_in")
    db.execute("create table fixes as select ST_Point(x, y) as place from fixes_in")
    question = "select number from fixes join zones on ST_Intersects(drawn, place)"
    planned = str(db.execute(f"explain {question}").fetchall())
    if "SPATIAL_JOIN" not in planned:
        raise RuntimeError("DuckDB did not plan a SPATIAL_JOIN")
    return lambda: next(iter(db.execute(question).fetchnumpy().values()))


PEERS = {
    "shapely STRtree": by_tree,
    "shapely STRtree, prepared": by_prepared,
    "DuckDB SPATIAL_JOIN": by_duckdb,
}
