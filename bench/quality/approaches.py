"""`python -m bench.quality.approaches [RUNS=20]`: 35 scripted approaches, each with other errors.

Every run lays errors over a script's true ways and judges what the two devices tell:

- **full**: a pre-alert was confirmed first, and the violation was confirmed while the two were
  within the distance, at most 4 minutes after they came within it [V: NIJ Standard 1004.00, active
  tracking: from event to agency], counted when the deciding fixes had reached the platform;
- **partial**: some of that: late, without a pre-alert, a pre-alert alone, or possible only;
- **none**: nothing was said.

A control is full if exactly what it wants was said.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.quality.approach_scripts import APPROACHES, CONTROLS, HOME, Script, Side
from ringfence.engine import (
    NAIVE,
    STANDARD,
    Batch,
    Condition,
    Kind,
    Profile,
    Source,
    Violation,
    compile_plan,
    evaluate,
    initial_state,
    standings,
    victim_number,
    violations,
    with_victims,
)
from ringfence.engine.fix import E7
from ringfence.geo.frame import LocalFrame

START_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
LON0, LAT0 = -0.1, 51.5
OUTCOMES = ("full", "partial", "none")
IN_TIME_S = 240.0
SIGMAS = 2.4477
ALIKE_S = {Source.GNSS: 40.0, Source.WIFI: 240.0, Source.CELL: 600.0}
"""How long errors stay alike: a drift is one error, not many."""
CELL_CLAIM_M = 600.0
JUMP_SHARE = 0.0015
"""Of satellite fixes: 100–250 m off at a claimed 2–8 m, as in `overlay`."""

Floats = NDArray[np.float64]
Found = list[tuple[Script, Counter[str]]]


@dataclass(frozen=True)
class Truth:
    """What truly happened, in seconds from the script's start; None = never."""

    warned_from_s: float | None
    """From when on they were within twice the distance."""
    near_from_s: float | None
    near_until_s: float | None


def truth_of(script: Script) -> Truth:
    """Read the encounter off the two ways, second by second."""
    second = np.arange(0.0, 60 * script.until_min)
    he, she = _at(script.he, second), _at(script.she, second)
    apart = np.hypot(*(he - she))
    judged = np.ones(len(second), np.bool_)
    if script.court_m is not None:
        judged = np.hypot(*(he - np.array(HOME)[:, None])) > script.court_m
    near = np.flatnonzero((apart <= script.distance_m) & judged)
    ring = np.flatnonzero((apart <= 2 * script.distance_m) & (apart > script.distance_m) & judged)
    if not len(near):
        return Truth(float(ring[0]) if len(ring) else None, None, None)
    before = ring[ring < near[0]]
    gone = np.flatnonzero((second > near[0]) & ((apart > script.distance_m) | ~judged))
    until = float(gone[0]) if len(gone) else float(second[-1])
    return Truth(float(before[0]) if len(before) else None, float(near[0]), until)


def told(side: Side, script: Script, rng: np.random.Generator) -> Batch:
    """What one device tells of its way, errors laid over."""
    first = rng.uniform(0, side.every_s)
    second = np.arange(first, 60 * script.until_min, side.every_s)
    second = second + rng.normal(0, 1, len(second)).clip(-3, 3)
    kept = rng.random(len(second)) >= side.lost_share
    for begin, end in side.gaps:
        kept &= (second < 60 * begin) | (second >= 60 * end)
    second = second[kept & (second > 0)]
    source = np.full(len(second), int(side.source))
    for begin, end in side.by_cell:
        source[(second >= 60 * begin) & (second < 60 * end)] = int(Source.CELL)
    true_m = np.where(source == Source.CELL, CELL_CLAIM_M, side.claimed_m or 10.0)
    east, north = _at(side, second) + _errors(second, source, true_m / SIGMAS, rng)
    claimed_m = true_m if side.claimed_m is not None else np.full(len(second), np.nan)
    jumps = np.flatnonzero((source == Source.GNSS) & (rng.random(len(second)) < JUMP_SHARE))
    angle, far = rng.uniform(0, 2 * np.pi, len(jumps)), rng.uniform(100, 250, len(jumps))
    east[jumps] += far * np.cos(angle)
    north[jumps] += far * np.sin(angle)
    claimed_m[jumps] = rng.uniform(2, 8, len(jumps))
    return _batch(second, (east, north), claimed_m, source)


def judged(
    script: Script, he: Batch, she: Batch, profile: Profile = STANDARD
) -> tuple[list[Violation], str]:
    """The violations of the pair, and how they stand at the end."""
    place = {"type": "Point", "coordinates": [LON0, LAT0], "radius_m": script.court_m}
    rule = Condition(
        "near",
        "W",
        Kind.PROXIMITY,
        START_AT - timedelta(days=9),
        victim="V",
        distance_m=script.distance_m,
        except_places=() if script.court_m is None else (place,),
    )
    day = timedelta(days=1)
    plan = compile_plan([rule], profile, start_at=START_AT - day, end_at=START_AT + day)
    she.wearer[:], she.victim[:] = -1, victim_number("V")
    batch = with_victims(plan, Batch.concat([he, she]))
    end_at = START_AT + timedelta(minutes=script.until_min)
    result = evaluate(plan, initial_state(plan), batch, round(end_at.timestamp() * 1000))
    said = [v for v in violations(plan, result.events, result.state) if v.condition]
    return said, standings(plan, result.state, "W")[0].state


def outcome(script: Script, said: list[Violation], standing: str) -> str:
    """`full`, `partial` or `none`."""
    warned = [v for v in said if v.part == "ring" and v.confirmed_at]
    sure = [v for v in said if v.part != "ring" and v.confirmed_at]
    if script.wants == "violation":
        return _of_approach(script, said)
    wanted = {
        "pre-alert": bool(warned) and not sure,
        "nothing": not warned and not sure,
        "unknown": standing == "no_data" and not sure,
    }
    return "full" if wanted[script.wants] else "none"


def _of_approach(script: Script, said: list[Violation]) -> str:
    truth = truth_of(script)
    if truth.near_from_s is None or truth.near_until_s is None:
        raise AssertionError(f"{script.name}: they never come near: correct the script")
    late_s = 60 * max(script.he.delay_min, script.she.delay_min)
    by_s = min(truth.near_from_s + IN_TIME_S, truth.near_until_s + late_s)
    warned = [_second(v.confirmed_at) for v in said if v.part == "ring" and v.confirmed_at]
    sure = [_second(v.confirmed_at) for v in said if v.part != "ring" and v.confirmed_at]
    in_time = [s for s in sure if s + late_s <= by_s]
    if in_time and (truth.warned_from_s is None or min(warned, default=np.inf) <= min(in_time)):
        return "full"
    return "partial" if said else "none"


def run(script: Script, seed: int, profile: Profile = STANDARD) -> str:
    """One script under one set of errors."""
    rng = np.random.default_rng([seed, len(script.name), int(script.distance_m)])
    he, she = told(script.he, script, rng), told(script.she, script, rng)
    return outcome(script, *judged(script, he, she, profile))


def counted(scripts: Iterable[Script], runs: int, profile: Profile = STANDARD) -> Found:
    """Each script's outcomes over so many sets of errors."""
    return [(s, Counter(run(s, seed, profile) for seed in range(runs))) for s in scripts]


def _at(side: Side, second: Floats) -> Floats:
    """(2, n): where a side truly is."""
    minute, east, north = np.array(side.way).T
    return np.array([np.interp(second / 60, minute, m) for m in (east, north)])


def _errors(
    second: Floats, source: NDArray[np.int64], sigma: Floats, rng: np.random.Generator
) -> Floats:
    """(2, n): errors that drift: each is like the one before, the more so the sooner after it."""
    out = np.zeros((2, len(second)))
    unit = rng.normal(0, 1, (2, len(second)))
    for i in range(len(second)):
        alike = 0.0
        if i and source[i] == source[i - 1]:
            alike = float(np.exp(-(second[i] - second[i - 1]) / ALIKE_S[Source(int(source[i]))]))
        before = out[:, i - 1] / sigma[i - 1] if i else 0.0
        out[:, i] = sigma[i] * (alike * before + np.sqrt(1 - alike * alike) * unit[:, i])
    return out


def _batch(
    second: Floats, place: tuple[Floats, Floats], claimed_m: Floats, source: NDArray[np.int64]
) -> Batch:
    lon, lat = LocalFrame(LON0, LAT0).to_degrees(*place)
    batch = Batch.empty(len(second))
    batch.wearer[:] = 0
    batch.time_ms[:] = round(START_AT.timestamp() * 1000) + np.rint(1000 * second).astype(np.int64)
    batch.lat_e7[:], batch.lon_e7[:] = np.rint(lat * E7), np.rint(lon * E7)
    batch.accuracy_m[:], batch.source[:] = claimed_m, source
    return batch


def _second(at: datetime | None) -> float:
    return np.inf if at is None else (at - START_AT).total_seconds()


def both_report(found: Found) -> Found:
    """Those in which neither device is silent through the whole approach."""
    return [(script, counts) for script, counts in found if script.both_report]


def shares_of(found: Found) -> list[str]:
    """Percent of all runs that are full, partial, none."""
    whole = sum((counts for _, counts in found), Counter[str]())
    return [f"{100 * whole[o] / whole.total():.1f} %" for o in OUTCOMES]


def main(runs: int) -> None:
    """Print each script, and the shares of all approaches."""
    for title, scripts in (("approaches", APPROACHES), ("controls", CONTROLS)):
        table = Table(
            "sort", "script", "full", "partial", "none", title=f"{title}, {runs} runs each"
        )
        found = counted(scripts, runs)
        for script, counts in found:
            shares = [f"{100 * counts[o] / runs:.0f} %" for o in OUTCOMES]
            table.add_row(script.sort, script.name, *shares)
        for name, some in (("all", found), ("both devices report", both_report(found))):
            table.add_row("", f"{name}: {len(some)}", *shares_of(some))
        naive = both_report(counted(scripts, runs, NAIVE))
        table.add_row("", f"the same by {NAIVE.name}", *shares_of(naive))
        Console(width=120).print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
