"""The manual's calibration plots: `python -m bench.quality.plots [WEEKS=30]`."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from bench.quality.judged import judge
from bench.quality.overlay import HABITS, report_week
from bench.quality.reliability import TENTHS, Reliability
from bench.quality.residuals import Residuals, read_residuals
from bench.quality.truth import make_week
from ringfence.engine import STANDARD

IMAGES = Path(__file__).parents[2] / "docs" / "images"
CLAIMS_M = (0, 6, 9, 13, 20, 35, 60, 110, 400, 3000)
FEWEST = 40


def main(weeks: int) -> None:
    """Draw both."""
    residuals = read_residuals()
    _circles(residuals).save(IMAGES / "circles.svg")
    _reliability(residuals, weeks).save(IMAGES / "reliability.svg")


def _circles(residuals: Residuals) -> Any:
    """How far off were the fixes that claimed so much? On the line, the 95 % circle is true."""
    places = {
        "phones in motion, across the true route": residuals.outdoors,
        "phones at rest": residuals.phones,
        "a real tag at rest, by cells": residuals.desk,
    }
    rows = [row for name, blocks in places.items() for row in _held(name, np.vstack(blocks))]
    line = [{"claimed": m, "off": m} for m in (3, 1000)]
    x = alt.X("claimed:Q", title="claimed radius of 95 %, metres (median of its class)")
    y = alt.Y("off:Q", title="95 % of the fixes were within, metres")
    log = alt.Scale(type="log", domain=[3, 1000], nice=False)
    kind = alt.Shape(
        "who:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=0)
    )
    points = alt.Chart(alt.Data(values=rows)).mark_point(size=90, filled=True, opacity=0.8)
    truth = alt.Chart(alt.Data(values=line)).mark_line(color="black", strokeDash=[4, 4])
    chart = points.encode(x.scale(log), y.scale(log), kind, alt.Color("who:N", title=None))
    return (truth.encode(x.scale(log), y.scale(log)) + chart).properties(width=420, height=320)


def _held(who: str, errors: NDArray[np.float64]) -> list[dict[str, Any]]:
    off, claimed = np.hypot(errors[:, 0], errors[:, 1]), errors[:, 2]
    rows = []
    for low, high in pairwise(CLAIMS_M):
        of = (claimed >= low) & (claimed < high)
        if of.sum() >= FEWEST:
            middle, within = float(np.median(claimed[of])), float(np.quantile(off[of], 0.95))
            rows.append({"who": who, "claimed": max(middle, 3.0), "off": max(within, 3.0)})
    return rows


def _reliability(residuals: Residuals, weeks: int) -> Any:
    """Of the violations that were given such a probability, how many were true?"""
    rows: list[dict[str, Any]] = []
    lives = [make_week(seed) for seed in range(weeks)]
    for habit in HABITS:
        counted = Reliability()
        for seed, week in enumerate(lives):
            batch = report_week(week, residuals, seed + 1_000_000, habit=habit)
            counted.add(week, judge(week, batch, STANDARD).all)
        for tenth in np.flatnonzero(counted.said):
            share = counted.true[tenth] / counted.said[tenth]
            row = {"habit": habit, "given": (tenth + 0.5) / TENTHS, "true": float(share)}
            rows.append(row | {"violations": int(counted.said[tenth])})
    line = [{"given": p, "true": p} for p in (0, 1)]
    x = alt.X("given:Q", title="probability that was given", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("true:Q", title="share that was true", scale=alt.Scale(domain=[0, 1]))
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, opacity=0.8)
    truth = alt.Chart(alt.Data(values=line)).mark_line(color="black", strokeDash=[4, 4])
    size = alt.Size("violations:Q", scale=alt.Scale(range=[40, 500]))
    kind = alt.Shape("habit:N"), alt.Color("habit:N")
    return (truth.encode(x, y) + points.encode(x, y, size, *kind)).properties(width=420, height=320)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
