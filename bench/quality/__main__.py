"""`make bench-quality [WEEKS=60]`: the engine and five rules of thumb on the same weeks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality.baselines import RULES
from bench.quality.overlay import START_MS, report_week
from bench.quality.residuals import read_residuals
from bench.quality.score import Alert, Score
from bench.quality.truth import WEEK_S, Week, make_week, shape_in_degrees
from ringfence.engine import (
    STANDARD,
    Batch,
    Condition,
    Kind,
    Plan,
    compile_plan,
    evaluate,
    initial_state,
    violations,
)
from ringfence.geo.distance import signed_distances_m
from ringfence.geo.edges import build_edge_table
from ringfence.geo.shapes import parse_shape

START_AT = datetime.fromtimestamp(START_MS / 1000, UTC)
DAY = timedelta(days=1)


def main(weeks: int) -> None:
    """Judge the weeks and print one table a habit."""
    residuals = read_residuals()
    for habit in ("tag", "phone"):
        scores = {name: Score() for name in ("standard", *RULES)}
        for seed in range(weeks):
            week = make_week(seed)
            batch = report_week(week, residuals, seed + 1_000_000, habit=habit)
            scores["standard"].add(week, *judged(week, batch))
            signed_m = _signed_m(week, batch)
            for name, rule in RULES.items():
                scores[name].add(week, rule(signed_m, batch), [])
        _print(f"{weeks} wearer-weeks, habit of a {habit}", scores)


def judged(week: Week, batch: Batch) -> tuple[list[Alert], list[Alert]]:
    """What `standard` confirms, and all that it calls possible or more."""
    plan = _plan(week)
    result = evaluate(plan, initial_state(plan), batch)
    confirmed: list[Alert] = []
    possible: list[Alert] = []
    for v in violations(plan, result.events, result.state):
        if v.kind != Kind.EXCLUSION:
            continue
        end = _second(v.end_at) if v.end_at else float(WEEK_S)
        possible.append((_second(v.begin_at), end))
        if v.confirmed_at:
            confirmed.append((_second(v.confirmed_at), end))
    return confirmed, possible


def _plan(week: Week) -> Plan:
    rule = Condition(
        id="zone",
        wearer="W",
        kind=Kind.EXCLUSION,
        from_at=START_AT - DAY,
        geometry=shape_in_degrees(week.ring),
    )
    return compile_plan([rule], STANDARD, start_at=START_AT - DAY, end_at=START_AT + 8 * DAY)


def _second(at: datetime) -> float:
    return (at - START_AT).total_seconds()


def _signed_m(week: Week, batch: Batch) -> np.ndarray:
    arrays = build_edge_table([parse_shape(shape_in_degrees(week.ring))]).arrays()
    return signed_distances_m(arrays, 0, batch.lon_e7 / 1e7, batch.lat_e7 / 1e7)


def _print(title: str, scores: dict[str, Score]) -> None:
    table = Table(title=title)
    table.add_column("rule")
    for name in scores["standard"].row():
        table.add_column(name, justify="right")
    for rule, score in scores.items():
        table.add_row(rule, *(f"{value:.2f}" for value in score.row().values()))
    Console(width=160).print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
