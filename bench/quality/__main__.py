"""`make bench-quality [WEEKS=30]`: the engine and five rules of thumb on the same weeks."""

from __future__ import annotations

import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality.baselines import RULES
from bench.quality.judged import CLAIMS, judge
from bench.quality.overlay import HABITS, START_MS, report_week
from bench.quality.reliability import Reliability
from bench.quality.residuals import read_residuals
from bench.quality.score import Score
from bench.quality.truth import Week, make_week, shape_in_degrees
from ringfence.engine import CAUTIOUS, STANDARD, Batch
from ringfence.geo.distance import signed_distances_m
from ringfence.geo.edges import build_edge_table
from ringfence.geo.shapes import parse_shape

TARGETS = {
    "false per wearer-week": "≤ 0.05",
    "stays >=3 min %": "≥ 98.5",
    "stays >=10 min %": "≥ 99",
    "median delay s": "≤ 60",
    "p95 delay s": "≤ 180",
    "passes possible %": "≥ 90",
    "passes confirmed %": "≥ 65",
    "doubled %": "≤ 1.5",
}


def main(weeks: int) -> None:
    """Judge the weeks and print two tables a habit."""
    residuals = read_residuals()
    lives = [make_week(seed) for seed in range(weeks)]
    for habit in HABITS:
        scores = {name: Score() for name in (*CLAIMS, "cautious", *RULES)}
        reliability = Reliability()
        for seed, week in enumerate(lives):
            batch = report_week(week, residuals, seed + 1_000_000, habit=habit)
            heard_s = (batch.time_ms - START_MS) / 1000
            for name, claim in CLAIMS.items():
                found = judge(week, claim(batch), STANDARD)
                scores[name].add(week, heard_s, found.confirmed, found.possible)
                if name == "standard":
                    reliability.add(week, found.all)
            found = judge(week, batch, CAUTIOUS)
            scores["cautious"].add(week, heard_s, found.confirmed, found.possible)
            signed_m = _signed_m(week, batch)
            for name, rule in RULES.items():
                scores[name].add(week, heard_s, rule(signed_m, batch), [])
        _print(f"{weeks} wearer-weeks, habit: {habit}", scores)
        _print_reliability(reliability)


def _signed_m(week: Week, batch: Batch) -> np.ndarray:
    arrays = build_edge_table([parse_shape(shape_in_degrees(week.ring))]).arrays()
    return signed_distances_m(arrays, 0, batch.lon_e7 / 1e7, batch.lat_e7 / 1e7)


def _print(title: str, scores: dict[str, Score]) -> None:
    table = Table(title=title)
    table.add_column("rule")
    for name in scores["standard"].row():
        table.add_column(name, justify="right")
    table.add_row("target of standard", *TARGETS.values())
    for rule, score in scores.items():
        table.add_row(rule, *(f"{value:.2f}" for value in score.row().values()))
    Console(width=170).print(table)


def _print_reliability(reliability: Reliability) -> None:
    table = Table(title="are the probabilities true?")
    for name in ("given", "violations", "true %"):
        table.add_column(name, justify="right")
    for given, count, true in reliability.rows():
        table.add_row(given, str(count), f"{true:.0f}")
    Console(width=170).print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
