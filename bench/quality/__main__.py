"""`make bench-quality [WEEKS=30]`: the engine and six rules of thumb on the same weeks."""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality.baselines import RULES
from bench.quality.judged import CLAIMS, judge
from bench.quality.overlay import START_MS
from bench.quality.receivers import in_order
from bench.quality.reliability import Reliability
from bench.quality.residuals import read_residuals
from bench.quality.score import Score
from bench.quality.truth import Week, shape_in_degrees
from bench.quality.worlds import WORLDS, World
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


def main(world: World, weeks: int, first: int) -> None:
    """Judge a world's weeks, from number `first` on, and print two tables a habit."""
    residuals = read_residuals()
    lives = {n: world.make_week(n) for n in range(first, first + weeks)}
    for habit in world.habits:
        scores = {name: Score() for name in (*CLAIMS, "cautious", *RULES)}
        reliability = Reliability()
        for number, week in lives.items():
            batch = world.report_week(week, residuals, number + 1_000_000, habit=habit)
            heard_s = (batch.time_ms - START_MS) / 1000
            for name, claim in CLAIMS.items():
                found = judge(week, claim(batch), STANDARD)
                scores[name].add(week, heard_s, found.confirmed, found.possible)
                if name == "standard":
                    reliability.add(week, found.all)
            found = judge(week, batch, CAUTIOUS)
            scores["cautious"].add(week, heard_s, found.confirmed, found.possible)
            told = in_order(batch)
            signed_m = _signed_m(week, told)
            for name, rule in RULES.items():
                scores[name].add(week, heard_s, rule(signed_m, told), [])
        numbers = f"weeks {first}–{first + weeks - 1}"
        _print(f"{world.name}, {weeks} wearer-weeks ({numbers}), habit: {habit}", scores)
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


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    asked.add_argument("weeks", nargs="?", type=int, default=30, help="wearer-weeks a habit")
    asked.add_argument("--world", choices=WORLDS, action="append", help="default: each")
    asked.add_argument("--first", type=int, default=0, help="number of the first week")
    return asked.parse_args()


if __name__ == "__main__":
    ask = _asked()
    for chosen in ask.world or WORLDS:
        main(WORLDS[chosen], ask.weeks, ask.first)
