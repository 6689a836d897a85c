"""What a tag says of a week of `errands`: blocks of real errors, jumps, losses, late uploads.

The choices here and in `errands` were made so that the rules of thumb fare as their authors report,
and before any look at what the engine makes of it. Change none of them for its sake.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.quality.overlay import START_MS
from bench.quality.residuals import Residuals
from bench.quality.truth import LAT0, LON0, WEEK_S, Week
from ringfence.engine import Batch, Source
from ringfence.engine.fix import E7
from ringfence.geo.frame import LocalFrame

Floats = NDArray[np.float64]
JUMP_SHARE = 0.0015
LOST_SHARE = 0.03
GAPS_A_WEEK = 20.0
GAP_S = (180.0, 2400.0)
BUNDLES_A_WEEK = 6.0
OUTDOORS_S = 60.0
LONGEST_HOLD_S = 600.0
"""No error is held for longer than this where a block has a hole."""
HONEST = 0.93
"""Outdoor blocks whose circles hold a smaller share of their errors are left out. In some, the way
that a phone is measured against is itself 30 m off, which looks like a drift at a claim of 3 m."""


@dataclass(frozen=True)
class Habit:
    """What a receiver does under a roof, and whether it tells speeds."""

    cells: float
    """Share of spells under a roof in which it falls back to cells …"""
    cells_s: float
    """… and how often it reports then."""
    kept_s: float
    """How often it reports in the others, by satellites."""
    speeds: bool
    honest: float = HONEST


HABITS = {
    "speeds told": Habit(cells=0.8, cells_s=60.0, kept_s=120.0, speeds=True),
    "no speeds": Habit(cells=0.6, cells_s=90.0, kept_s=300.0, speeds=False),
    # Added after a look at the engine's figures for the others; its own were not known then.
    "smaller circles": Habit(cells=0.8, cells_s=60.0, kept_s=120.0, speeds=False, honest=0.8),
}


def report_week(week: Week, residuals: Residuals, seed: int, *, habit: str) -> Batch:
    """The week as its fixes come in: bundles late, newest first, some rows twice."""
    rng = np.random.default_rng([seed, 11])
    blocks = dataclasses.replace(
        residuals, outdoors=honest(residuals.outdoors, HABITS[habit].honest)
    )
    spells = [_spell(week, blocks, rng, HABITS[habit], span) for span in _spells(week.outdoors)]
    rows = np.concatenate([s for s in spells if len(s)])
    rows = _jumped(rows, rng)
    rows = rows[_heard(rows[:, 0], rng)]
    return _batch(rows[_arrival(rows[:, 0], rng)])


def in_order(batch: Batch) -> Batch:
    """The same fixes by time, each once."""
    _, first = np.unique(batch.time_ms, return_index=True)
    return batch.take(first)


def _spells(outdoors: NDArray[np.bool_]) -> list[tuple[int, int]]:
    cuts = np.flatnonzero(np.diff(outdoors.astype(int))) + 1
    edges = [0, *cuts.tolist(), len(outdoors)]
    return list(pairwise(edges))


def _spell(
    week: Week,
    residuals: Residuals,
    rng: np.random.Generator,
    habit: Habit,
    span: tuple[int, int],
) -> Floats:
    """Rows of one spell: second, east, north, circle, source, speed."""
    begin, end = span
    if week.outdoors[begin]:
        at = _ticks(rng, begin, end, OUTDOORS_S)
        error, source = _by_index(residuals.outdoors, rng, at - begin), Source.GNSS
    elif rng.random() < habit.cells:
        at = _ticks(rng, begin, end, habit.cells_s)
        error, source = _by_clock(residuals.desk, rng, at - begin), Source.CELL
    else:
        at = _ticks(rng, begin, end, habit.kept_s)
        error, source = _by_clock(residuals.phones, rng, at - begin), Source.GNSS
    i = at.astype(int)
    speed = (
        _speeds(week, i, rng) if habit.speeds and source == Source.GNSS else np.full(len(i), np.nan)
    )
    return np.column_stack(
        [
            at,
            week.x_m[i] + error[:, 0],
            week.y_m[i] + error[:, 1],
            error[:, 2],
            np.full(len(i), source),
            speed,
        ]
    )


def _ticks(rng: np.random.Generator, begin: int, end: int, period_s: float) -> Floats:
    at = np.arange(begin + rng.uniform(0, period_s), end, period_s)
    return np.clip(np.round(at + rng.uniform(-2, 2, len(at))), begin, end - 1)


def honest(blocks: list[Floats], share: float) -> list[Floats]:
    """The blocks whose circles hold such a share of their errors or more."""
    return [b for b in blocks if (np.hypot(b[:, 0], b[:, 1]) <= b[:, 2]).mean() >= share]


def _by_index(blocks: list[Floats], rng: np.random.Generator, since_s: Floats) -> Floats:
    """One error of the block for each fix, in their order."""
    block = _turned(blocks[int(rng.integers(len(blocks)))], rng)
    first = int(rng.integers(len(block)))
    return block[(first + np.round(since_s / OUTDOORS_S).astype(int)) % len(block), :3]


def _by_clock(blocks: list[Floats], rng: np.random.Generator, since_s: Floats) -> Floats:
    """The error that was the last known at that time of the block."""
    block = _turned(blocks[int(rng.integers(len(blocks)))], rng)
    clock = np.concatenate([[0.0], np.cumsum(np.minimum(np.diff(block[:, 3]), LONGEST_HOLD_S))])
    at = (clock[int(rng.integers(len(block)))] + since_s) % clock[-1]
    return block[np.searchsorted(clock, at, side="right") - 1, :3]


def _turned(block: Floats, rng: np.random.Generator) -> Floats:
    turn = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(turn), np.sin(turn)
    return np.column_stack(
        [c * block[:, 0] - s * block[:, 1], s * block[:, 0] + c * block[:, 1], block[:, 2:]]
    )


def _speeds(week: Week, i: NDArray[np.int_], rng: np.random.Generator) -> Floats:
    j = np.minimum(i + 1, WEEK_S - 1)
    true = np.hypot(week.x_m[j] - week.x_m[i], week.y_m[j] - week.y_m[i])
    return np.maximum(0.0, true + rng.normal(0, 0.2, len(i)))


def _jumped(rows: Floats, rng: np.random.Generator) -> Floats:
    """Some satellite fixes far off, and sure of themselves."""
    hit = np.flatnonzero((rng.random(len(rows)) < JUMP_SHARE) & (rows[:, 4] == Source.GNSS))
    far, turn = rng.uniform(100, 250, len(hit)), rng.uniform(0, 2 * np.pi, len(hit))
    rows[hit, 1] += far * np.cos(turn)
    rows[hit, 2] += far * np.sin(turn)
    rows[hit, 3] = rng.uniform(2, 10, len(hit))
    return rows


def _heard(at: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Lost neither singly nor in a gap."""
    heard = rng.random(len(at)) >= LOST_SHARE
    for _ in range(rng.poisson(GAPS_A_WEEK)):
        begin, lasts = rng.uniform(0, WEEK_S), np.exp(rng.uniform(*np.log(GAP_S)))
        heard &= (at < begin) | (at > begin + lasts)
    return np.asarray(heard)


def _arrival(at: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """The order in which rows come: some hours newest first, and some of their rows again."""
    order = np.arange(len(at))
    for _ in range(rng.poisson(BUNDLES_A_WEEK)):
        begin = rng.uniform(0, WEEK_S)
        bundle = np.flatnonzero((at >= begin) & (at < begin + rng.uniform(1200, 7200)))
        rest = order[~np.isin(order, bundle)]
        place = int(np.searchsorted(rest, bundle[-1])) if len(bundle) else 0
        order = np.concatenate([rest[:place], bundle[::-1], bundle[:3], rest[place:]])
    return order


def _batch(rows: Floats) -> Batch:
    batch = Batch.empty(len(rows))
    batch.wearer[:] = 0
    batch.time_ms[:] = START_MS + np.round(rows[:, 0] * 1000)
    lon, lat = LocalFrame(LON0, LAT0).to_degrees(rows[:, 1], rows[:, 2])
    batch.lon_e7[:], batch.lat_e7[:] = np.round(lon * E7), np.round(lat * E7)
    batch.accuracy_m[:], batch.source[:], batch.speed_mps[:] = rows[:, 3], rows[:, 4], rows[:, 5]
    return batch
