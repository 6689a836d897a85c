from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from ringfence.engine.conditions import Condition
from ringfence.engine.fix import Signal
from ringfence.sim.battery import Battery
from ringfence.sim.cast import Cast, build_cast
from ringfence.sim.gaps import gap_on, silence_of
from ringfence.sim.world import World
from tests.sim.conftest import AT_S, DAY_S, reports


def test_the_same_world_makes_the_same_reports_to_the_byte(
    world: World, conditions: list[Condition]
) -> None:
    casts = [build_cast(world, conditions, backfill_s=7200) for _ in range(2)]
    said = [[reports(c, n, AT_S + 1800) for n in range(len(c.tags))] for c in casts]
    assert json.dumps(said[0]) == json.dumps(said[1])


def test_a_tag_numbers_and_dates_every_report_once_and_in_order(day: Cast) -> None:
    for n in range(len(day.tags)):
        numbers = [r["seq"] for r in reports(day, n, AT_S + 3600)]
        assert numbers == sorted(set(numbers))


def test_satellite_fixes_come_each_minute_outdoors_and_cell_fixes_each_five_indoors(
    day: Cast,
) -> None:
    steps: dict[str, Counter[int]] = {"gnss": Counter(), "cell": Counter()}
    for n in (4, 6, 7, 8, 10):
        made = [r for r in reports(day, n, AT_S) if "source" in r]
        for a, b in pairwise(made):
            if a["source"] == b["source"] and a["source"] in steps:
                steps[a["source"]][b["seq"] - a["seq"]] += 1
    assert steps["gnss"].most_common(1)[0][0] == 60
    assert steps["cell"].most_common(1)[0][0] == 300


def test_a_tag_hurries_near_its_wearers_zone(cast: Cast) -> None:
    made = reports(cast, 0, AT_S + 300)
    inside = [r["seq"] for r in made if r["seq"] >= AT_S + 2]
    assert set(np.diff(inside)) == {15}


def test_a_strap_cut_is_said_at_once_and_without_a_position(cast: Cast) -> None:
    cut = [r for r in reports(cast, 2, AT_S + 60) if "strap_cut" in r.get("signals", ())]
    assert [r["seq"] for r in cut] == [AT_S + 12]
    assert "lat" not in cut[0]


def test_a_report_has_the_shape_of_the_contract(day: Cast) -> None:
    satellite = next(r for r in reports(day, 7, AT_S) if r.get("source") == "gnss")
    assert {"seq", "time", "lat", "lon", "accuracy_m", "source", "speed_mps", "satellites",
            "hdop", "battery_pct"} <= set(satellite)  # fmt: skip
    assert 0 <= satellite.get("course_deg", 0) < 360


def test_a_battery_drains_by_day_and_is_charged_at_home_in_the_evening() -> None:
    rng = np.random.default_rng(3)
    midnight_s = AT_S - AT_S % DAY_S
    battery, said, least = Battery(rng, midnight_s), Counter[str](), 100.0
    for minute in range(14 * 24 * 60):
        hour = minute // 60 % 24
        signals = battery.advance(midnight_s + 60 * minute, at_home=hour < 8 or hour >= 19)
        said.update(signals.names())
        least = min(least, battery.pct)
    assert 12 <= said["charging"] <= 16
    assert least > 0


def test_a_forgotten_charge_says_low_then_critical_once_each() -> None:
    battery = Battery(np.random.default_rng(1), 0)
    signals = [battery.advance(600 * k, at_home=False) for k in range(6 * 60)]
    assert sum(Signal.BATTERY_LOW in s for s in signals) == 1
    assert sum(Signal.BATTERY_CRITICAL in s for s in signals) == 1


def test_gaps_last_about_an_hour_and_are_not_rare() -> None:
    gaps = [gap_on(7, n, 739_000 + d) for n in range(24) for d in range(20)]
    lasting = [b - a for a, b in filter(None, gaps)]
    assert len(lasting) / len(gaps) == pytest.approx(0.25, abs=0.06)
    assert min(lasting) >= 45 * 60
    assert max(lasting) <= 80 * 60


def test_no_gap_swallows_the_script(world: World) -> None:
    for number in range(len(world.people)):
        silence_at = silence_of(world, number)
        assert not any(silence_at(AT_S + s) for s in range(-3600, 900, 60))
