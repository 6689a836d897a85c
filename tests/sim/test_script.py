"""The demo's first minute, judged by the engine itself: three must be found, one must not."""

from __future__ import annotations

import math
from datetime import datetime

import pytest

from ringfence.engine import STANDARD, Batch, Condition, Violation, compile_plan, judge_all
from ringfence.engine.fix import E7, Signal, Source
from ringfence.sim.cast import Cast, build_cast
from ringfence.sim.tag import Report
from ringfence.sim.world import World
from tests.sim.conftest import AT, AT_S, reports

HISTORY_S = 6 * 3600


def batch_of(wearer: int, said: list[Report]) -> Batch:
    batch = Batch.empty(len(said))
    batch.wearer[:] = wearer
    for k, report in enumerate(said):
        batch.time_ms[k] = report["seq"] * 1000
        for signal in report.get("signals", ()):
            batch.signals[k] |= Signal.parse(signal)
        if "lat" in report:
            batch.lat_e7[k] = round(report["lat"] * E7)
            batch.lon_e7[k] = round(report["lon"] * E7)
            batch.accuracy_m[k] = report["accuracy_m"]
            batch.source[k] = Source.parse(report["source"])
            batch.speed_mps[k] = report.get("speed_mps", math.nan)
            batch.course_deg[k] = report.get("course_deg", math.nan)
    return batch


def judged(cast: Cast, conditions: list[Condition], until_s: int) -> list[Violation]:
    start_at, end_at = (datetime.fromtimestamp(s, AT.tzinfo) for s in (cast.from_s, until_s))
    wearers = [w.id for w in cast.world.people]
    plan = compile_plan(conditions, STANDARD, start_at=start_at, end_at=end_at, wearers=wearers)
    batches = [
        batch_of(plan.wearers.index(w), reports(cast, n, until_s)) for n, w in enumerate(wearers)
    ]
    return judge_all(plan, Batch.concat(batches), until_s * 1000).violations


@pytest.fixture(scope="module")
def minute(world: World, conditions: list[Condition]) -> list[Violation]:
    """What stands a minute after `at`, with six hours of history before it."""
    return judged(build_cast(world, conditions, backfill_s=HISTORY_S), conditions, AT_S + 60)


def found(violations: list[Violation], wearer: str) -> list[Violation]:
    return [v for v in violations if v.wearer == wearer and v.state == "confirmed"]


def test_the_approach_is_confirmed_within_50_s(minute: list[Violation]) -> None:
    mine = {v.how: v for v in found(minute, "X000001") if v.condition == "X000001-exclusion"}
    assert mine["entered"].confirmed_at is not None
    assert 11 <= (mine["entered"].confirmed_at - AT).total_seconds() <= 50


def test_the_curfew_breaks_by_deadline_without_waiting_for_a_fix(minute: list[Violation]) -> None:
    (absent,) = [v for v in found(minute, "X000002") if v.kind == "curfew"]
    assert absent.how == "absent_at_start"
    assert (absent.begin_at - AT).total_seconds() == 20
    assert absent.confirmed_at is not None
    assert (absent.confirmed_at - AT).total_seconds() <= 55


def test_the_strap_cut_is_found_at_its_own_instant(minute: list[Violation]) -> None:
    (cut,) = [v for v in found(minute, "X000003") if v.kind == "tamper"]
    assert (cut.begin_at - AT).total_seconds() == 12


def test_the_drifter_is_never_confirmed_in_his_scene(
    world: World, conditions: list[Condition]
) -> None:
    cast = build_cast(world, conditions, backfill_s=HISTORY_S)
    over = [v for v in judged(cast, conditions, AT_S + 1800) if v.condition == "X000004-exclusion"]
    assert not [v for v in over if v.state == "confirmed"]
    drifted = [r for r in reports(build_cast(world, conditions), 3, AT_S + 60) if "lat" in r]
    assert len(drifted) >= 4, "too few fixes over the edge for the page to show the drift"


def test_the_history_before_it_is_calm(minute: list[Violation]) -> None:
    before = [v for v in minute if v.state == "confirmed" and v.begin_at < AT]
    assert not [v for v in before if v.condition], before
