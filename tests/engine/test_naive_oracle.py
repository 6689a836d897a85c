"""`naive` against an obvious implementation that knows shapely and nothing of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta

import numpy as np
import pytest
import shapely
import shapely.ops
from pyproj import Geod

from ringfence.engine import NAIVE, NO_POSITION, Weekly, compile_plan, judge_all
from ringfence.engine.conditions import DAYS
from tests.engine.build import NOON, after, condition, ms, random_walk, square

UNTIL = ms(after(300))
HOLED = {
    "type": "Polygon",
    "coordinates": [square(250)["coordinates"][0], square(90, 60, -40)["coordinates"][0]],
}
GEOD = Geod(ellps="WGS84")


@dataclass
class Visit:
    """One time past the edge, as anyone would write it down."""

    how: str
    begin_ms: int
    end_ms: int | None
    ended_by: str | None
    fixes: int
    depth_m: float


def past_edge(shape, lon, lat, *, inside_is_bad: bool) -> tuple[bool, float]:
    """Whether a place is past the edge, and how far, by shapely and the ellipsoid."""
    point = shapely.Point(lon, lat)
    bad = shape.covers(point) == inside_is_bad
    foot = shapely.transform(shape.boundary, lambda p: (p - (lon, lat)) * (_scale(lat)))
    near = shapely.ops.nearest_points(foot, shapely.Point(0, 0))[0]
    x, y = np.array(near.coords[0]) / _scale(lat) + (lon, lat)
    return bad, GEOD.inv(lon, lat, x, y)[2]


def _scale(lat):
    return np.array([np.cos(np.radians(lat)) * 111_320 * 1.0021, 111_253])


def visits(shape, trail, spans, *, inside_is_bad: bool) -> list[Visit]:
    """Every visit, fix by fix; `trail` is (time, lon, lat) in order; `spans` is when it counts."""
    found: list[Visit] = []
    for start_ms, end_ms in spans:
        now = None
        before = [t for t in trail if t[0] < start_ms]
        if before and past_edge(shape, *before[-1][1:], inside_is_bad=inside_is_bad)[0]:
            depth = past_edge(shape, *before[-1][1:], inside_is_bad=inside_is_bad)[1]
            how = "present_at_start" if inside_is_bad else "absent_at_start"
            now = Visit(how, start_ms, None, None, 0, depth)
        for at_ms, lon, lat in (t for t in trail if start_ms <= t[0] < end_ms):
            bad, depth = past_edge(shape, lon, lat, inside_is_bad=inside_is_bad)
            if bad and now is None:
                now = Visit("entered" if inside_is_bad else "left", at_ms, None, None, 0, 0.0)
            if bad and now:
                now.fixes, now.depth_m = now.fixes + 1, max(now.depth_m, depth)
            elif now:
                now.end_ms, now.ended_by = at_ms, "left" if inside_is_bad else "returned"
                found.append(now)
                now = None
        if now:
            if end_ms <= UNTIL:
                now.end_ms, now.ended_by = end_ms, "condition_ended"
            found.append(now)
    return found


CASES = [
    ("exclusion", HOLED, (), [(ms(NOON - timedelta(days=30)), 2**62)]),
    ("inclusion", HOLED, (), [(ms(NOON - timedelta(days=30)), 2**62)]),
    (
        "curfew",
        square(300),
        (Weekly(DAYS, time(12, 10), time(12, 40)), Weekly(DAYS, time(12, 45), time(13, 30))),
        [(ms(after(10)), ms(after(40))), (ms(after(45)), ms(after(90)))],
    ),
    (
        "exclusion",
        square(200, 100, 0),
        (Weekly(("mon",), time(12, 15), time(12, 50)),),
        [(ms(after(15)), ms(after(50)))],
    ),
]


@pytest.mark.parametrize(("kind", "geometry", "when", "spans"), CASES)
def test_naive_equals_the_obvious(kind, geometry, when, spans) -> None:
    shape = shapely.geometry.shape(geometry)
    total = 0
    for seed in range(12):
        batch = random_walk(seed, 90)
        batch.time_ms[:] = ms(NOON) + np.arange(90) * 61_000
        plan = compile_plan(
            [condition(kind, geometry=geometry, when=when)],
            NAIVE,
            start_at=NOON - timedelta(days=2),
            end_at=NOON + timedelta(days=2),
        )
        whole = judge_all(plan, batch, UNTIL)
        said = [v for v in whole.violations if v.condition]
        trail = [
            (int(t), x / 1e7, y / 1e7)
            for t, x, y in zip(batch.time_ms, batch.lon_e7, batch.lat_e7, strict=True)
            if y != NO_POSITION
        ]
        wanted = visits(shape, trail, spans, inside_is_bad=kind == "exclusion")
        total += len(wanted)
        assert [
            (v.how, ms(v.begin_at), v.end_at and ms(v.end_at), v.ended_by, v.fixes) for v in said
        ] == [(w.how, w.begin_ms, w.end_ms, w.ended_by, w.fixes) for w in wanted]
        assert [v.depth_m for v in said] == pytest.approx(
            [w.depth_m for w in wanted], rel=0.002, abs=0.15
        )
        assert all(v.state == "confirmed" and v.confirmed_at == v.begin_at for v in said)
        assert all(v.probability == 1.0 for v in said)
    assert total > 12
