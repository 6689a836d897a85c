"""A second world: a week of errands beside, into, through and round a zone, the truth kept.

Written without a look at `truth` and `overlay`, so that the engine is judged by two hands. Places
are metres from the middle of the zone; ways run along its edge at a distance, or straight.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.quality.truth import WEEK_S, Week

Floats = NDArray[np.float64]
HOME_M = (30.0, 600.0)
VISIT_S = (60.0, 2400.0)
PASS_S = (20.0, 180.0)
ERRANDS_A_DAY = 4.0
BESIDE_M = (18.0, 50.0)
LINGER_S = (120.0, 1200.0)
ROUND_M = (30.0, 120.0)
HOMEWARD_M = (50.0, 110.0)
DEPTH_M = (120.0, 260.0)
DRIVEN_SHARE = 0.5
"""Of visits, how many come by car."""
ROOF_SHARE = 0.15
"""Of visits, how many go under a roof after a minute and a half in the open."""
WALK_MPS = (1.1, 1.6)
CAR_MPS = (6.0, 13.0)
BRIDGE_S = 60
"""Outside for less than this between two stays, they are one."""


@dataclass(frozen=True)
class Zone:
    """A star-shaped ring: corners by angle, so that a way can follow its edge."""

    angles: Floats
    corners: Floats

    def inside(self, at: Floats) -> NDArray[np.bool_]:
        """Which of the places (n, 2) are in it."""
        turn = np.mod(np.arctan2(at[:, 1], at[:, 0]), math.tau)
        i = np.searchsorted(self.angles, turn, side="right") - 1
        a, b = self.corners[i], self.corners[(i + 1) % len(self.corners)]
        edge, off = b - a, at - a
        return np.asarray(edge[:, 0] * off[:, 1] - edge[:, 1] * off[:, 0] >= 0)

    def from_edge_m(self, at: Floats) -> Floats:
        """How far each of the places (n, 2) is from the edge, whichever side."""
        a = self.corners
        edge = np.roll(a, -1, axis=0) - a
        off = at[:, None, :] - a
        along = np.clip((off * edge).sum(2) / (edge**2).sum(1), 0, 1)
        return np.asarray(np.hypot(*np.moveaxis(off - along[..., None] * edge, 2, 0)).min(1))

    def off_edge(self, turn: float, off_m: float) -> Floats:
        """The place in direction `turn` that is `off_m` outside the edge (negative: inside)."""
        way = np.array([math.cos(turn), math.sin(turn)])
        i = int(np.searchsorted(self.angles, math.fmod(turn, math.tau) % math.tau, "right")) - 1
        a, b = self.corners[i], self.corners[(i + 1) % len(self.corners)]
        edge = b - a
        reach_m = (a[0] * edge[1] - a[1] * edge[0]) / (way[0] * edge[1] - way[1] * edge[0])
        if off_m == 0:
            return np.asarray(way * reach_m)
        tried = np.maximum(0.0, reach_m + off_m * np.linspace(0, 4, 101))
        off = np.maximum.accumulate(self.from_edge_m(tried[:, None] * way))
        return np.asarray(way * np.interp(abs(off_m), off, tried))


def make_zone(rng: np.random.Generator) -> Zone:
    """A zone of 12 to 28 corners, about 150 to 400 m to each side."""
    n = int(rng.integers(12, 29))
    angles = (np.arange(n) + rng.uniform(0, 0.5, n)) / n * math.tau
    angles[0] = 0.0
    wave = sum(
        rng.uniform(0, 0.2 / k) * np.cos(k * angles + rng.uniform(0, math.tau)) for k in (1, 2, 3)
    )
    far = rng.uniform(200, 450) * (1 + wave)
    return Zone(angles, far[:, None] * np.column_stack([np.cos(angles), np.sin(angles)]))


@dataclass
class Walker:
    """Where one wearer was, second by second, as the day is lived."""

    rng: np.random.Generator
    zone: Zone
    home: Floats
    places: list[Floats] = field(default_factory=list)
    open_air: list[NDArray[np.bool_]] = field(default_factory=list)
    now_s: int = 0

    @property
    def at(self) -> Floats:
        """Where he is now."""
        return self.places[-1][-1] if self.places else self.home

    def stay(self, seconds: float, *, outdoors: bool, sway_m: float = 0.0) -> None:
        """Stay about here; out of doors, pottering up to `sway_m` about."""
        n = max(1, round(seconds))
        at = np.repeat(self.at[None], n, axis=0)
        if sway_m:
            t = np.arange(n)[:, None] / self.rng.uniform(60, 240, 2)
            at = at + sway_m * (np.sin(t + (p := self.rng.uniform(0, math.tau, 2))) - np.sin(p)) / 2
        self._append(at, outdoors=outdoors)

    def go(self, way: list[Floats], speed_mps: float) -> None:
        """Go along corners at about a speed."""
        corners = np.array([self.at, *way])
        lengths = np.hypot(*np.diff(corners, axis=0).T)
        n = max(1, round(lengths.sum() / speed_mps))
        # Faster here, slower there, as kerbs and lights have it.
        pace = 1 + 0.3 * np.sin(np.arange(n) / self.rng.uniform(8, 40))
        along = np.cumsum(pace) / pace.sum() * lengths.sum()
        reached = np.concatenate([[0.0], np.cumsum(lengths)])
        at = np.column_stack([np.interp(along, reached, corners[:, k]) for k in (0, 1)])
        self._append(at, outdoors=True)

    def go_round(self, to: Floats, off_m: float, speed_mps: float) -> None:
        """Go to a place outside, along the edge at `off_m` wherever the straight way is barred."""
        here, there = (math.atan2(p[1], p[0]) for p in (self.at, to))
        turn = math.remainder(there - here, math.tau)
        straight = self.at + np.linspace(0, 1, 60)[:, None] * (to - self.at)
        if not self.zone.inside(straight).any() and self._clears(straight, off_m):
            self.go([to], speed_mps)
            return
        steps = max(2, int(abs(turn) / 0.15))
        turns = here + turn * np.linspace(0, 1, steps)
        offs = off_m * self.rng.uniform(0.7, 1.5, steps)
        self.go([self.zone.off_edge(t, o) for t, o in zip(turns, offs, strict=True)], speed_mps)
        self.go([to], speed_mps)

    def _clears(self, way: Floats, off_m: float) -> bool:
        return bool(self.zone.from_edge_m(way[5:-5]).min() > off_m * 0.7)

    def _append(self, at: Floats, *, outdoors: bool) -> None:
        self.places.append(at)
        self.open_air.append(np.full(len(at), outdoors))
        self.now_s += len(at)


def make_week(seed: int) -> Week:
    """One wearer's week of errands from a home near a zone."""
    rng = np.random.default_rng([seed, 7])
    zone = make_zone(rng)
    home = zone.off_edge(rng.uniform(0, math.tau), rng.uniform(*HOME_M))
    walker = Walker(rng, zone, home)
    for start_s in _starts(rng):
        if start_s > walker.now_s:
            walker.stay(start_s - walker.now_s, outdoors=False)
        kind = rng.choice(len(ERRANDS), p=SHARES)
        ERRANDS[kind](walker)
        walker.go_round(walker.home, rng.uniform(*HOMEWARD_M), rng.uniform(*WALK_MPS))
        walker.stay(600, outdoors=False)
    walker.stay(max(1, WEEK_S - walker.now_s), outdoors=False)
    at = np.concatenate(walker.places)[:WEEK_S]
    inside = zone.inside(at)
    return Week(
        [(float(x), float(y)) for x, y in zone.corners],
        at[:, 0].astype(np.float32),
        at[:, 1].astype(np.float32),
        np.concatenate(walker.open_air)[:WEEK_S],
        inside,
        stays_of(inside),
    )


def stays_of(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """From which second until which he was inside, short ways out bridged."""
    cuts = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    stays: list[tuple[int, int]] = []
    for begin, end in cuts.reshape(-1, 2).tolist():
        if stays and begin - stays[-1][1] < BRIDGE_S:
            stays[-1] = (stays[-1][0], end)
        else:
            stays.append((begin, end))
    return stays


def _starts(rng: np.random.Generator) -> list[float]:
    """When errands begin: so many a day, between 7 and 22 o'clock."""
    return sorted(
        86_400 * day + hour * 3600
        for day in range(7)
        for hour in rng.uniform(7, 22, rng.poisson(ERRANDS_A_DAY))
    )


def _away(walker: Walker) -> None:
    """Off to somewhere else, on foot or by car, and some time there under a roof."""
    rng = walker.rng
    out = walker.home / np.hypot(*walker.home)
    aside = np.array([-out[1], out[0]]) * rng.uniform(-0.8, 0.8)
    speed = rng.uniform(*(CAR_MPS if rng.random() < 0.5 else WALK_MPS))
    walker.go([walker.home + (out + aside) * rng.uniform(200, 1500)], speed)
    walker.stay(_log_uniform(rng, 600, 4 * 3600), outdoors=False)
    walker.go([walker.home], speed)


def _beside(walker: Walker) -> None:
    """To a place a little outside the edge, along it, and a while there in the open air."""
    rng = walker.rng
    turn = math.atan2(walker.home[1], walker.home[0]) + rng.normal(0, 0.8)
    off, pace = _log_uniform(rng, *BESIDE_M), rng.uniform(*WALK_MPS)
    walker.go_round(walker.zone.off_edge(turn, off + 10), off + 10, pace)
    for _ in range(rng.integers(1, 4)):
        turn += rng.choice([-1, 1]) * rng.uniform(0.1, 0.4)
        walker.go_round(walker.zone.off_edge(turn, off + 3), off + 3, pace)
        walker.stay(_log_uniform(rng, *LINGER_S), outdoors=True, sway_m=min(4.0, off / 3))


def _round(walker: Walker) -> None:
    """Right round the zone, on foot or by car, and back another way."""
    rng = walker.rng
    there = math.atan2(walker.home[1], walker.home[0]) + rng.uniform(1.5, 4.7)
    speed = rng.uniform(*(CAR_MPS if rng.random() < 0.5 else WALK_MPS))
    far = walker.zone.off_edge(there, rng.uniform(100, 500))
    walker.go_round(far, _log_uniform(rng, *ROUND_M), speed)
    walker.stay(_log_uniform(rng, 300, 3600), outdoors=False)
    walker.go_round(walker.home, _log_uniform(rng, *ROUND_M), speed)


def _visit(walker: Walker) -> None:
    """On foot or by car into the zone for 1 to 40 minutes, and out again."""
    rng = walker.rng
    lasts = _log_uniform(rng, *VISIT_S)
    pace = rng.uniform(*(CAR_MPS if rng.random() < DRIVEN_SHARE else WALK_MPS))
    turn = math.atan2(walker.home[1], walker.home[0]) + rng.normal(0, 0.7)
    off = rng.uniform(20, 60)
    walker.go_round(walker.zone.off_edge(turn, off), off, pace)
    depth = min(rng.uniform(*DEPTH_M), 0.42 * pace * lasts)
    goal = walker.zone.off_edge(turn + rng.uniform(-0.1, 0.1), -depth)
    walker.go([goal], pace)
    left = lasts - 2 * depth / pace
    roof = left > 300 and rng.random() < ROOF_SHARE
    if roof:
        walker.stay(90, outdoors=True, sway_m=min(20.0, depth / 2))
    walker.stay(max(1.0, left - 90 * roof), outdoors=not roof, sway_m=min(20.0, depth / 2))
    walker.go([walker.zone.off_edge(turn, off)], pace)


def _drive_through(walker: Walker) -> None:
    """By bus or car across the zone in 20 s to 3 minutes, and home round it."""
    rng = walker.rng
    lasts, speed = rng.uniform(*PASS_S), rng.uniform(*CAR_MPS)
    turn = math.atan2(walker.home[1], walker.home[0]) + rng.normal(0, 0.5)
    begin = walker.zone.off_edge(turn, rng.uniform(100, 400))
    span = _span(walker.zone, turn, speed * lasts)
    end = walker.zone.off_edge(turn + span, rng.uniform(200, 800))
    walker.go_round(begin, rng.uniform(40, 90), speed)
    walker.go([walker.zone.off_edge(turn, 0), walker.zone.off_edge(turn + span, 0), end], speed)
    walker.stay(_log_uniform(rng, 300, 3600), outdoors=False)
    walker.go_round(walker.home, rng.uniform(40, 90), speed)


def _span(zone: Zone, turn: float, length_m: float) -> float:
    """The angle at which a chord from `turn` is about as long as wanted, if any is."""
    a = zone.off_edge(turn, 0)
    spans = np.linspace(0.2, math.pi, 40)
    lengths = [math.dist(a, zone.off_edge(turn + s, 0)) for s in spans]
    return float(spans[int(np.argmin(np.abs(np.array(lengths) - length_m)))])


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


ERRANDS: tuple[Callable[[Walker], None], ...] = (_away, _beside, _round, _visit, _drive_through)
SHARES = (0.33, 0.25, 0.12, 0.18, 0.12)
"""How often each is chosen."""
