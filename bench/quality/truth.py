"""Weeks of made-up lives near a zone, second by second, in metres round the zone's middle.

Homes lie 30–600 m from the zone's edge. A week holds visits of 1–40 min, passes by bus and car of
20 s–3 min, walks and drives beside the zone, work, and nights. What counts as inside is read off
the path and the zone afterwards, never off the plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringfence.geo.frame import offset

WEEK_S = 7 * 86_400
LON0, LAT0 = -0.1, 51.5
WALK_MPS, CAR_MPS = 1.35, 11.0


@dataclass(frozen=True)
class Week:
    """One wearer's week: where they were each second, and what they truly did."""

    ring: list[tuple[float, float]]
    x_m: NDArray[np.float32]
    y_m: NDArray[np.float32]
    outdoors: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    stays: list[tuple[int, int]]
    """Seconds from and to (exclusive) of every true stay inside, gaps of under 60 s bridged."""


def shape_in_degrees(ring: list[tuple[float, float]]) -> dict[str, object]:
    """The zone as GeoJSON."""
    places = [offset(LON0, LAT0, x, y) for x, y in [*ring, ring[0]]]
    return {"type": "Polygon", "coordinates": [[[lon, lat] for lon, lat in places]]}


def make_week(seed: int) -> Week:
    """Live one week."""
    rng = np.random.default_rng(seed)
    ring = _ring(rng)
    edge = np.array(ring)
    home = _beside(rng, edge, rng.uniform(30, 600))
    work = home + home / np.hypot(*home) * rng.uniform(1_500, 5_000)
    life = _Life(home, clear_m=float(np.hypot(*edge.T).max()) + 40.0)
    for day in range(7):
        life.wait_until(day * 86_400 + rng.uniform(7.0, 9.0) * 3600)
        if day < 5:
            life.go(work, CAR_MPS)
            life.rest(rng.uniform(6, 8) * 3600, outdoors=False)
            life.go(home, CAR_MPS)
            life.rest(600, outdoors=False)
        for errand in rng.permutation(["visit", "pass", "pass", "beside", "beside"])[:4]:
            _errand(str(errand), life, rng, edge, home)
            life.rest(rng.uniform(600, 3_600), outdoors=False)
    life.wait_until(WEEK_S + 1)
    x, y, outdoors = life.sampled()
    inside = _inside(x, y, ring)
    return Week(ring, x, y, outdoors, inside, _runs(inside, bridge=60))


class _Life:
    """Way points in time, and whether under the sky between them."""

    def __init__(self, home: NDArray[np.float64], clear_m: float) -> None:
        self.t, self.at, self.sky = [0.0], [home], [False]
        self.clear_m = clear_m

    def line(self, to: NDArray[np.float64], mps: float) -> None:
        """Straight there, zone or not."""
        metres = float(np.hypot(*(to - self.at[-1])))
        self.t.append(self.t[-1] + max(metres / mps, 1.0))
        self.at.append(to)
        self.sky.append(True)

    def go(self, to: NDArray[np.float64], mps: float) -> None:
        """There by a way round the zone: straight where that is clear of it."""
        start = self.at[-1]
        if _clear(start, to, self.clear_m):
            self.line(to, mps)
            return
        turn = np.arctan2(start[1], start[0])
        angle = (np.arctan2(to[1], to[0]) - turn + np.pi) % (2 * np.pi) - np.pi
        for part in np.linspace(0, 1, max(2, int(abs(angle) / 0.3) + 1)):
            a = turn + part * angle
            self.line(np.array([np.cos(a), np.sin(a)]) * self.clear_m * 1.05, mps)
        self.line(to, mps)

    def rest(self, seconds: float, *, outdoors: bool) -> None:
        self.t.append(self.t[-1] + seconds)
        self.at.append(self.at[-1])
        self.sky.append(outdoors)

    def wait_until(self, t: float) -> None:
        if t > self.t[-1]:
            self.rest(t - self.t[-1], outdoors=False)

    def sampled(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        seconds = np.arange(WEEK_S)
        at = np.array(self.at)
        leg = np.clip(np.searchsorted(self.t, seconds, "right"), 1, len(self.t) - 1)
        return (
            np.interp(seconds, self.t, at[:, 0]).astype(np.float32),
            np.interp(seconds, self.t, at[:, 1]).astype(np.float32),
            np.array(self.sky)[leg],
        )


def _clear(a: NDArray[np.float64], b: NDArray[np.float64], radius_m: float) -> bool:
    along = np.clip(-(a @ (b - a)) / max(float((b - a) @ (b - a)), 1e-9), 0, 1)
    return bool(np.hypot(*(a + along * (b - a))) > radius_m)


def _errand(
    kind: str,
    life: _Life,
    rng: np.random.Generator,
    edge: NDArray[np.float64],
    home: NDArray[np.float64],
) -> None:
    if kind == "visit":
        inner = edge.mean(axis=0) + _toward(rng) * rng.uniform(0, 0.5) * _radius(edge)
        life.line(inner, WALK_MPS)
        life.rest(rng.uniform(0, 2_300), outdoors=True)
        life.line(home, WALK_MPS)
    elif kind == "pass":
        way = _toward(rng)
        aside = rng.uniform(-0.7, 0.7) * _radius(edge)
        side = np.array([-way[1], way[0]]) * aside
        chord_m = 2 * np.sqrt(_radius(edge) ** 2 - aside**2)
        life.go(edge.mean(axis=0) + side - way * 1_000, CAR_MPS)
        life.line(edge.mean(axis=0) + side + way * 1_000, chord_m / rng.uniform(20, 180))
        life.go(home, CAR_MPS)
    else:
        speed = float(rng.choice([WALK_MPS, CAR_MPS]))
        for _ in range(4):
            life.go(_beside(rng, edge, rng.uniform(15, 200)), speed)
            life.rest(rng.uniform(0, 600), outdoors=True)
        life.go(home, speed)


def _ring(rng: np.random.Generator) -> list[tuple[float, float]]:
    corners = int(rng.integers(5, 40))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(100, 400) * rng.uniform(0.8, 1.2, corners)
    if np.diff(angles, append=angles[0] + 2 * np.pi).max() > np.pi * 0.8:
        return _ring(rng)
    return [
        (float(r * np.cos(a)), float(r * np.sin(a))) for a, r in zip(angles, radius, strict=True)
    ]


def _radius(edge: NDArray[np.float64]) -> float:
    return float(np.median(np.hypot(*(edge - edge.mean(axis=0)).T)))


def _toward(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _beside(
    rng: np.random.Generator, edge: NDArray[np.float64], metres: float
) -> NDArray[np.float64]:
    """A place about `metres` outside the edge, found by walking outwards from it."""
    way = _toward(rng)
    ring = [(float(x), float(y)) for x, y in edge]
    out = 0.0
    while _inside(np.array([way[0] * out]), np.array([way[1] * out]), ring)[0]:
        out += 2.0
    return way * (out + metres)


def _inside(
    x: NDArray[np.floating], y: NDArray[np.floating], ring: list[tuple[float, float]]
) -> NDArray[np.bool_]:
    """Crossing number in metres: its own geometry, so that it can judge the engine's."""
    odd = np.zeros(len(x), bool)
    near = np.flatnonzero(np.hypot(x, y) <= max(np.hypot(*p) for p in ring))
    px, py = x[near].astype(float), y[near].astype(float)
    hits = np.zeros(len(near), bool)
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        spans = (y1 > py) != (y2 > py)
        hits ^= spans & (px < x1 + (py - y1) * (x2 - x1) / ((y2 - y1) or 1e-12))
    odd[near] = hits
    return odd


def _runs(inside: NDArray[np.bool_], bridge: int) -> list[tuple[int, int]]:
    change = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    runs: list[tuple[int, int]] = []
    for start, stop in change.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] < bridge:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
