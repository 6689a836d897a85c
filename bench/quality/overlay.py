"""What the tag says of a week: real errors laid over the truth, with a tag's habits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.quality.residuals import Residuals
from bench.quality.truth import LAT0, LON0, WEEK_S, Week
from ringfence.engine.fix import E7, Batch, Source
from ringfence.geo.frame import LocalFrame

HABITS = ("tag", "phone", "drift")
JUMP_SHARE = 0.0015
START_MS = 1_772_323_200_000  # 2026-03-01


class _Errors:
    """Walks through blocks of real errors, a new one when a block ends."""

    def __init__(
        self, blocks: list[NDArray[np.float64]], rng: np.random.Generator, *, timed: bool
    ) -> None:
        self.blocks, self.rng, self.timed = blocks, rng, timed
        self.weights = np.array([len(b) for b in blocks], float)
        self.block, self.at, self.since_s = blocks[0], len(blocks[0]), 0.0

    def next(self, second: float) -> NDArray[np.float64]:
        """The error at an instant: the next of the block, or the one of that time in it."""
        if self.timed and self.at < len(self.block):
            self.at = int(np.searchsorted(self.block[:, 3], second - self.since_s))
        if self.at >= len(self.block):
            pick = self.rng.choice(len(self.blocks), p=self.weights / self.weights.sum())
            self.block = _turned(self.blocks[pick], self.rng)
            self.at = int(self.rng.integers(0, len(self.block)))
            self.since_s = second - self.block[self.at, 3]
        self.at += 1
        return self.block[self.at - 1]


def _turned(block: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    return np.column_stack([block[:, :2] @ np.array([[c, s], [-s, c]]), block[:, 2:]])


def report_week(week: Week, residuals: Residuals, seed: int, *, habit: str = "tag") -> Batch:
    """The week's fixes of wearer 0.

    A `tag` has satellites each minute outdoors, cell or wifi each five minutes indoors. A `phone`
    says a position each minute everywhere and calls it a satellite fix, which is harder to judge.
    A `drift` is a tag whose receiver holds on to satellites indoors every other time, each minute,
    with the errors of phones at rest, each in its own time: they stay for many fixes.
    """
    rng = np.random.default_rng(seed)
    drift, phone = habit == "drift", habit == "phone"
    sky = _Errors(residuals.outdoors, rng, timed=drift)
    roof = _Errors(residuals.desk if drift else residuals.indoors, rng, timed=drift)
    window = _Errors(residuals.phones, rng, timed=True)
    gaps = [(g := rng.uniform(0, WEEK_S), g + rng.uniform(600, 5400)) for _ in range(3)]
    rows: list[tuple[float, float, float, float, int]] = []
    t, holds = rng.uniform(0, 60), phone
    while t < WEEK_S:
        second = int(t)
        outdoors = bool(week.outdoors[second])
        if drift and outdoors:
            holds = rng.random() < 0.5  # settled anew when next indoors
        errors = sky if outdoors else window if drift and holds else roof
        if not any(a < t < b for a, b in gaps):
            rows.append(_fix(week, second, errors.next(t), outdoors=outdoors or holds))
            if outdoors and rng.random() < JUMP_SHARE:
                rows[-1] = _jumped(rows[-1], rng)
        # Indoors the tag wakes when it moves: the first satellite fix comes within a minute.
        often = holds or outdoors or week.outdoors[min(second + 60, WEEK_S - 1)]
        t += (60 if often else 300) + rng.normal(0, 1)
    return _batch(rows)


def _fix(
    week: Week, second: int, error: NDArray[np.float64], *, outdoors: bool
) -> tuple[float, float, float, float, int]:
    source = Source.GNSS if outdoors else Source.CELL
    accuracy = float(error[2])
    if not outdoors and accuracy < 60:
        source = Source.WIFI
    x, y = float(week.x_m[second]) + error[0], float(week.y_m[second]) + error[1]
    return second, x, y, accuracy, int(source)


def _jumped(
    row: tuple[float, float, float, float, int], rng: np.random.Generator
) -> tuple[float, float, float, float, int]:
    """Over-confident: 100–250 m off at a claimed 2–8 m."""
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(100, 250)
    x, y = row[1] + far * np.cos(angle), row[2] + far * np.sin(angle)
    return row[0], x, y, float(rng.uniform(2, 8)), row[4]


def _batch(rows: list[tuple[float, float, float, float, int]]) -> Batch:
    second, x, y, accuracy, source = np.array(rows).T
    lon, lat = LocalFrame(LON0, LAT0).to_degrees(x, y)
    batch = Batch.empty(len(rows))
    batch.wearer[:] = 0
    batch.time_ms[:] = START_MS + second.astype(np.int64) * 1000
    batch.lat_e7[:], batch.lon_e7[:] = np.round(lat * E7), np.round(lon * E7)
    batch.accuracy_m[:], batch.source[:] = accuracy, source
    return batch
