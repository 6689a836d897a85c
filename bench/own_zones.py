"""20,000 wearers with 8 zones each: how far is every fix from each own zone within reach?

One thread, CPU time, all in one run. Each wearer has three circles of 64 corners, four zones drawn
by hand (12–60 corners), and the borough that the home is in (500–1,500). All know whose fix it is,
and each peer is asked in its best form, with geometries made and prepared before, in flat metres,
which is less work than the ellipsoid:

- *shapely*: bounding boxes of all pairs at once in numpy, then `contains_xy` and `distance` of the
  pairs that are left, vectorised, with prepared geometries;
- *DuckDB*: a hash join on the wearer with the boxes in its condition, then `ST_Contains` and
  `ST_Distance` to the edge, one thread;
- *geopandas*: `sjoin(predicate="dwithin", on_attribute="wearer")`, then distances to the edges.

Peers judge some wearers only, and count by the fix.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import duckdb
import geopandas
import numpy as np
import shapely

from bench.row import Row, best_cpu_s
from bench.spatial import connection
from ringfence.geo.distance import BEYOND_M
from ringfence.geo.edges import build_edge_table
from ringfence.geo.frame import LocalFrame
from ringfence.geo.near import Near, Own, Places, near_own
from ringfence.geo.shapes import Area

WEARERS = 20_000
ZONES = 8
FIXES = 200
"""Of each wearer, one a minute."""
PEERS = {"shapely": 1_000, "DuckDB": 500, "geopandas": 100}
"""So many wearers are put to each peer."""
BOROUGHS = 64
REACH_M = 1_000.0
FRAME = LocalFrame(-0.1, 51.5)


def run() -> list[Row]:
    rng = np.random.default_rng(1)
    rings, zone_of = made_up_zones(rng)
    whose, metres = made_up_fixes(rng)
    table = build_edge_table([Area(((in_degrees(ring),),)) for ring in rings])
    arrays = table.arrays()
    places = Places(whose, *FRAME.to_degrees(metres[:, 0], metres[:, 1]))
    own = Own(np.arange(0, len(zone_of) + 1, ZONES), zone_of)
    few = Places(*(column[:FIXES] for column in places))
    near_own(arrays, own, few, REACH_M)  # compiled, from here on
    ours_s = best_cpu_s(lambda: near_own(arrays, own, places, REACH_M))
    rate = len(whose) / ours_s
    found = near_own(arrays, own, places, REACH_M)
    rows = [
        Row("wearers’ own zones, 8 each", rate / 1e6, "M fixes/s a core", 5.0),
        Row("pairs within 1 km", len(found.place) / len(whose), "a fix"),
    ]
    peers = {"shapely": by_shapely, "DuckDB": by_duckdb, "geopandas": by_geopandas}
    peer_rates = {}
    for name, peer in peers.items():
        count = PEERS[name]
        ask = peer(rings, zone_of[: count * ZONES], whose[: count * FIXES], metres[: count * FIXES])
        pairs = same_as(found, ask(), count * FIXES)
        peer_rates[name] = count * FIXES / best_cpu_s(ask, 2)
        rows.append(
            Row(f"{name} ({pairs:,} pairs agree)", peer_rates[name] / 1e6, "M fixes/s a core")
        )
    best = max(peer_rates, key=peer_rates.__getitem__)
    rows.append(Row("wearers’ own zones", rate / peer_rates[best], "×", 20.0, best))
    return rows


def made_up_zones(rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Rings in metres, and the numbers of each wearer's zones among them."""
    rings = [
        ring(rng, 3_000.0, int(rng.integers(500, 1_501)), 1.0) + spot(n) for n in range(BOROUGHS)
    ]
    zones = np.empty((WEARERS, ZONES), np.int32)
    for w in range(WEARERS):
        zones[w, 0] = borough_of(w)
        for z in range(1, ZONES):
            at = home(w) + rng.normal(0, 4_000, 2)
            corners = 64 if z < 4 else int(rng.integers(12, 61))
            zones[w, z] = len(rings)
            rings.append(ring(rng, 300.0, corners, 0.0 if z < 4 else 1.0) + at)
    return rings, zones.ravel()


def ring(rng: np.random.Generator, size_m: float, corners: int, rough: float) -> np.ndarray:
    """A closed line about the middle: a circle, or with bays, capes and a shaky hand."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    bays = sum(np.sin(k * angle + rng.uniform(0, 6)) / k for k in (2, 3, 5, 9))
    radius = size_m * (1 + rough * (0.1 * bays + rng.normal(0, 0.3 / corners, corners)))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def spot(n: int) -> np.ndarray:
    """The middle of a borough, metres from the middle of the town."""
    return np.array([n % 8 - 3.5, n // 8 - 3.5]) * 5_000.0


def borough_of(w: int) -> int:
    return w % BOROUGHS


def home(w: int) -> np.ndarray:
    angle = 2.4 * w
    return spot(borough_of(w)) + np.array([np.cos(angle), np.sin(angle)]) * (w % 97) * 40.0


def made_up_fixes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rest, ways and returns: walks pulled back towards home, wearer by wearer."""
    homes = np.array([home(w) for w in range(WEARERS)])
    walk = np.empty((FIXES, WEARERS, 2))
    at = rng.normal(0, 800, (WEARERS, 2))
    for i in range(FIXES):
        at = 0.9995 * at + rng.normal(0, 90, (WEARERS, 2)) * (rng.random((WEARERS, 1)) < 0.3)
        walk[i] = homes + at + rng.normal(0, 4, (WEARERS, 2))
    whose = np.repeat(np.arange(WEARERS, dtype=np.int32), FIXES)
    return whose, walk.transpose(1, 0, 2).reshape(-1, 2)


def in_degrees(ring: np.ndarray) -> tuple[tuple[float, float], ...]:
    lon, lat = FRAME.to_degrees(ring[:, 0], ring[:, 1])
    return (*zip(lon.tolist(), lat.tolist(), strict=True), (float(lon[0]), float(lat[0])))


def same_as(found: Near, theirs: Any, fixes: int) -> int:
    """Check that a peer finds the same pairs and distances, but for its flat metres."""
    ours = found.place < fixes
    inside_far = found.signed_m[ours] == BEYOND_M  # deeper than the reach: peers leave it out
    count = int(ours.sum() - inside_far.sum())
    if abs(len(theirs) - count) > 0.01 * count + 5:
        raise RuntimeError(f"{len(theirs)} pairs, where we find {count}")
    mean_m = float(found.signed_m[ours][~inside_far].mean())
    if abs(float(np.mean(theirs)) - mean_m) > 5.0:
        raise RuntimeError(f"{np.mean(theirs):.1f} m in the mean, where we find {mean_m:.1f} m")
    return len(theirs)


def by_shapely(
    rings: list[np.ndarray], zone_of: np.ndarray, whose: np.ndarray, metres: np.ndarray
) -> Any:
    polygons, edges = drawn(rings, zone_of)
    shapely.prepare(polygons)
    shapely.prepare(edges)
    bounds = shapely.bounds(polygons) + np.array([-REACH_M, -REACH_M, REACH_M, REACH_M])
    west, south, east, north = (side.reshape(-1, ZONES) for side in bounds.T)

    def ask() -> np.ndarray:
        x, y = metres[:, :1], metres[:, 1:]
        boxed = (x >= west[whose]) & (x <= east[whose]) & (y >= south[whose]) & (y <= north[whose])
        fix, nth = np.nonzero(boxed)
        zone = whose[fix] * ZONES + nth
        away = shapely.distance(edges[zone], shapely.points(metres[fix]))
        near = away <= REACH_M
        fix, zone, away = fix[near], zone[near], away[near]
        inside = shapely.contains_xy(polygons[zone], metres[fix, 0], metres[fix, 1])
        signed: np.ndarray = np.where(inside, away, -away)
        return signed

    return ask


def drawn(rings: list[np.ndarray], zone_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, index = np.unique(zone_of, return_inverse=True)
    polygons = np.array([shapely.Polygon(rings[n]) for n in used])
    return polygons[index], shapely.get_exterior_ring(polygons)[index]


def by_duckdb(
    rings: list[np.ndarray], zone_of: np.ndarray, whose: np.ndarray, metres: np.ndarray
) -> Any:
    polygons, edges = drawn(rings, zone_of)
    db: duckdb.DuckDBPyConnection = connection()
    bounds = shapely.bounds(polygons)
    table = {
        "wearer": np.repeat(np.arange(len(zone_of) // ZONES), ZONES),
        "drawn": shapely.to_wkb(polygons),
        "edge": shapely.to_wkb(edges),
        **dict(zip(("w", "s", "e", "n"), bounds.T, strict=True)),
    }
    zones = geopandas.pd.DataFrame(table)
    fixes = geopandas.pd.DataFrame({"wearer": whose, "x": metres[:, 0], "y": metres[:, 1]})
    db.register("zones_in", zones)
    db.register("fixes_in", fixes)
    db.execute(
        "create table zones as select wearer, w, s, e, n, ST_GeomFromWKB(drawn) as drawn,"
        " ST_GeomFromWKB(edge) as edge from zones_in"
    )
    db.execute("create table fixes as select *, ST_Point(x, y) as place from fixes_in")
    question = f"""
        select case when ST_Contains(drawn, place) then away else -away end from (
            select drawn, place, ST_Distance(edge, place) as away
            from fixes join zones using (wearer)
            where x between w - {REACH_M} and e + {REACH_M}
              and y between s - {REACH_M} and n + {REACH_M}
        ) where away <= {REACH_M}
    """  # noqa: S608 -- our own numbers
    return lambda: next(iter(db.execute(question).fetchnumpy().values()))


def by_geopandas(
    rings: list[np.ndarray], zone_of: np.ndarray, whose: np.ndarray, metres: np.ndarray
) -> Any:
    _, edges = drawn(rings, zone_of)
    polygons = shapely.polygons(edges)
    shapely.prepare(polygons)
    shapely.prepare(edges)
    wearer = np.repeat(np.arange(len(zone_of) // ZONES), ZONES)
    zones = geopandas.GeoDataFrame(
        {"wearer": wearer, "zone": np.arange(len(edges))}, geometry=edges
    )
    fixes = geopandas.GeoDataFrame({"wearer": whose}, geometry=shapely.points(metres))
    return partial(asked_of_geopandas, fixes, zones, polygons, edges)


def asked_of_geopandas(fixes: Any, zones: Any, polygons: np.ndarray, edges: np.ndarray) -> Any:
    found = geopandas.sjoin(
        fixes, zones, predicate="dwithin", distance=REACH_M, on_attribute="wearer"
    )
    places, zone = found.geometry.to_numpy(), found["zone"].to_numpy()
    inside = shapely.contains(polygons[zone], places)
    away = shapely.distance(edges[zone], places)
    return np.where(inside, away, -away)
