"""Promise 2 on real traces: a tag, phones at rest and on trips, people for years, a bus."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ringfence.engine import (
    CAUTIOUS,
    NAIVE,
    STANDARD,
    Batch,
    Plan,
    Source,
    Weekly,
    compile_plan,
    evaluate,
    initial_state,
    judge_all,
    latest_before,
    rejudge,
)
from ringfence.engine.conditions import DAYS
from ringfence.engine.events import at_of
from tests.engine.build import condition
from tests.engine.test_same_answer import outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

ROWS = 3_000
"""Of each trace: minutes are judged again for every piece that comes late."""
TRACES = (
    "real_tag_dev",
    "mobilitynet_stationary_dev",
    "mobilitynet_trips_dev",
    "geolife_dev",
    "liverpool_bus14",
)
HOUR_MS = 3_600_000
SOURCES = {"gps": Source.GNSS, "lbs": Source.CELL}
profiles = pytest.mark.parametrize("profile", [NAIVE, STANDARD, CAUTIOUS], ids=lambda p: p.name)


@pytest.fixture(scope="module", params=sorted(TRACES))
def trace(request, shared: Path) -> Batch:
    """The first rows of one subject's trace, in order of time."""
    table = pq.read_table(shared / "traces" / f"{request.param}.parquet")
    subjects = table["subject"]
    table = table.filter(pc.equal(subjects, subjects[0]))
    columns = {name: np.array(table[name].to_pylist()) for name in table.schema.names}
    batch = Batch.empty(len(table))
    batch.wearer[:] = 0
    batch.time_ms[:] = columns.get("time_ms", columns.get("t_ms"))
    batch.lat_e7[:] = columns["lat_e6"].astype(np.int64) * 10
    batch.lon_e7[:] = columns["lon_e6"].astype(np.int64) * 10
    for ours, theirs in (("accuracy_m", "acc_m"), ("course_deg", "bearing_deg")):
        values = columns.get(ours, columns.get(theirs))
        if values is not None:
            getattr(batch, ours)[:] = values.astype(np.float64)
    if "speed_mps" in columns:
        batch.speed_mps[:] = columns["speed_mps"].astype(np.float64)
    said = columns["source"] if request.param == "real_tag_dev" else np.repeat("gps", len(table))
    batch.source[:] = [SOURCES.get(str(s), Source.UNKNOWN) for s in said]
    return batch.take(np.argsort(batch.time_ms, kind="stable")[:ROWS])


def plan_for(trace: Batch, profile) -> Plan:
    """Zones on and beside the trace's own ways, so that much is found."""
    lon, lat = (np.median(a) / 1e7 for a in (trace.lon_e7, trace.lat_e7))
    here = {"type": "Point", "coordinates": [float(lon), float(lat)]}
    beside = {"type": "Point", "coordinates": [float(lon) + 0.002, float(lat)]}
    begin = at_of(int(trace.time_ms.min()) - HOUR_MS)
    rules = [
        condition(id="e", from_at=begin, geometry=here, radius_m=120.0, buffer_m=150.0),
        condition(id="b", from_at=begin, geometry=beside, radius_m=130.0),
        condition("inclusion", id="i", from_at=begin, geometry=here, radius_m=200.0),
        condition(
            "curfew",
            id="c",
            from_at=begin,
            geometry=here,
            radius_m=90.0,
            when=(Weekly(DAYS, time(19), time(7)),),
        ),
    ]
    end = at_of(int(trace.time_ms.max()) + HOUR_MS)
    return compile_plan(rules, profile, start_at=begin, end_at=end)


def newest_first(trace: Batch) -> NDArray[np.intp]:
    """Each hour's buffer comes when the hour is over, newest first."""
    return np.lexsort((-trace.time_ms, trace.time_ms // HOUR_MS))


def answer(plan: Plan, batch: Batch, until_ms: int):
    result = evaluate(plan, initial_state(plan), batch, until_ms)
    return outcome(plan, result.events, result.state, result.wake_at_ms)


@profiles
def test_shuffled_doubled_or_newest_first_it_is_the_same_to_the_byte(trace, profile) -> None:
    plan, until = plan_for(trace, profile), int(trace.time_ms.max())
    told = answer(plan, trace, until)
    rng = np.random.default_rng(1)
    doubled = np.concatenate([np.arange(len(trace)), rng.integers(0, len(trace), len(trace) // 2)])
    for rows in (rng.permutation(len(trace)), rng.permutation(doubled), newest_first(trace)):
        assert answer(plan, trace.take(rows), until) == told
    assert told[0]


@profiles
def test_chopped_anywhere_it_is_the_same_to_the_byte(trace, profile) -> None:
    plan, until = plan_for(trace, profile), int(trace.time_ms.max())
    rng = np.random.default_rng(2)
    cuts = np.unique(rng.integers(0, len(trace), 60))
    # A cut between two items of one instant is another test's matter (test_same_answer).
    cuts = cuts[(cuts > 0) & (trace.time_ms[cuts] != trace.time_ms[cuts - 1])]
    state, said = initial_state(plan), []
    for rows in np.split(np.arange(len(trace)), cuts):
        result = evaluate(plan, state, trace.take(rows))
        assert not result.late.any()
        state = result.state
        said.append(result.events)
    last = evaluate(plan, state, Batch.empty(), until)
    events = np.concatenate([*said, last.events]).view(np.recarray)
    assert outcome(plan, events, last.state, last.wake_at_ms) == answer(plan, trace, until)


@profiles
def test_buffers_that_come_late_are_rewound_to_the_same_answer(trace, profile) -> None:
    """Live: every third hour's buffer is held back until four hours later, newest first."""
    plan, until = plan_for(trace, profile), int(trace.time_ms.max())
    hour = trace.time_ms // HOUR_MS
    arrives = np.where(hour % 3 == 0, hour + 4, hour)
    here, final = np.zeros(len(trace), bool), None
    # A trail with months between two fixes would make thousands of checkpoints.
    each_ms = max(HOUR_MS, (until - int(trace.time_ms.min())) // 200)
    for now in _arrivals(arrives):
        here |= arrives == now
        rows = np.flatnonzero(here)[::-1]
        before = trace.take(rows[arrives[rows] < now])
        clock = int(before.time_ms.max()) if len(before) else 0
        fresh = trace.take(np.flatnonzero(arrives == now)[::-1])
        if not len(before) or int(fresh.time_ms.min()) > clock:
            continue
        live = judge_all(plan, before, clock, checkpoint_ms=each_ms)
        base = latest_before(live.checkpoints, int(fresh.time_ms.min()))
        state, since_ms = (base.state, base.clock_ms) if base else (initial_state(plan), 0)
        whole = trace.take(rows)
        to_ms = int(whole.time_ms.max())
        again = rejudge(plan, state, whole.take(whole.time_ms > since_ms), to_ms)
        final = again.result.state
        on_time = judge_all(plan, whole, to_ms).result.state
        assert final.slots.tobytes() == on_time.slots.tobytes()
        assert final.wearers.tobytes() == on_time.wearers.tobytes()
    assert until >= int(trace.time_ms[here].max())


def _arrivals(arrives: NDArray[np.int64]) -> Iterator[int]:
    """Up to twelve instants at which something arrives."""
    found = np.unique(arrives)
    yield from found[np.linspace(0, len(found) - 1, min(12, len(found))).astype(int)].tolist()
