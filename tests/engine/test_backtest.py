"""How often would this zone have alerted, and how much of a life does it cover?"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from ringfence.engine import CAUTIOUS, STANDARD, Batch, Source, backtest
from tests.engine.build import NOON, after, condition, found, hers, random_walk, stay
from tests.engine.build import fixes as at

ZONE = condition(wearer="anyone", buffer_m=150.0, from_at=NOON + timedelta(days=900))


def days(count: int, visit_m: float = 0.0) -> Batch:
    """Each day half an hour in the zone, half an hour in its ring, the rest far off."""
    points = []
    for day in range(count):
        begin = 1440 * day
        points += [(begin + m, e, n) for m, e, n in stay(0, 30, visit_m)]
        points += [(begin + m, e, n) for m, e, n in stay(30, 60, 280)]
        points += [(begin + m, e, n) for m, e, n in stay(60, 600, 4000)]
    return at(points)


def test_each_days_visit_is_found_with_when_how_long_how_deep_and_how() -> None:
    done = backtest(ZONE, {"W1": days(3)})
    visits = [v for v in done.alerts if v.how == "entered"]
    assert [v.begin_at for v in visits] == [after(1440 * day) for day in range(3)]
    assert all(v.state == "confirmed" and v.depth_m > 190 for v in visits)
    lasted = [v.end_at - v.begin_at for v in visits]
    assert all(timedelta(minutes=29) < span < timedelta(minutes=35) for span in lasted)


def test_counts_by_day_and_hour_are_local_and_add_up() -> None:
    done = backtest(ZONE, {"W1": days(3)})
    assert sum(done.by_hour) == sum(done.by_day.values()) == len(done.alerts)
    assert len(done.by_day) == 3
    assert done.by_hour[12] == len(done.alerts)
    summer = backtest(condition(), {"W1": _moved(days(1), timedelta(days=120))})
    assert summer.by_hour[13] == 1


def test_the_law_is_the_live_one() -> None:
    walk = random_walk(5, 300)
    walk.wearer[:] = 0
    done = backtest(condition(buffer_m=150.0), {"W1": walk}, profile=CAUTIOUS)
    first = walk.time_ms.min() / 1000
    live = condition(buffer_m=150.0, from_at=NOON.fromtimestamp(first, NOON.tzinfo))
    assert list(done.violations) == found(live, walk, profile=CAUTIOUS)


def test_several_wearers_are_tried_at_once_and_each_alone_says_the_same() -> None:
    trails = {"W1": days(2), "W2": days(1, 4000.0), "W0": days(1)}
    done = backtest(ZONE, trails)
    for name, trail in trails.items():
        alone = backtest(ZONE, {name: trail})
        assert [v for v in done.violations if v.wearer == name] == list(alone.violations)
        assert done.burden[name] == alone.burden[name]
    assert not [v for v in done.violations if v.wearer == "W2" and v.how == "entered"]


def test_the_burden_is_the_share_of_time_and_fixes_within_and_around() -> None:
    burden = backtest(ZONE, {"W1": days(1)}).burden["W1"]
    assert (burden.fixes, burden.inside_fixes, burden.buffer_fixes) == (600, 30, 30)
    assert burden.known_s == 599 * 60
    assert burden.inside_share == pytest.approx(30 / 599, abs=1e-9)
    assert burden.buffer_share == pytest.approx(30 / 599, abs=1e-9)


def test_a_gap_is_known_for_five_minutes_only_and_cell_fixes_tell_nothing() -> None:
    gap = at([(0, 0, 0), (600, 0, 0)])
    assert backtest(ZONE, {"W1": gap}).burden["W1"].known_s == 300
    cell = at([(0, 0, 0), (1, 0, 0)], source=Source.CELL)
    assert backtest(ZONE, {"W1": cell}).burden["W1"].fixes == 0


def test_order_and_repeats_mean_nothing() -> None:
    trail = days(2)
    rows = np.random.default_rng(1).permutation(np.repeat(np.arange(len(trail)), 2))
    assert backtest(ZONE, {"W1": trail.take(rows)}) == backtest(ZONE, {"W1": trail})


def test_nobody_and_nothing_are_no_alerts() -> None:
    assert backtest(ZONE, {}).violations == ()
    nothing = backtest(ZONE, {"W1": Batch.empty()})
    assert (nothing.alerts, nothing.burden["W1"].inside_share) == ((), 0.0)
    assert backtest(ZONE, {"W1": hers([(0, 0, 0)])}).alerts == ()


def test_a_curfew_can_be_tried_too_and_a_proximity_can_not() -> None:
    done = backtest(condition("curfew"), {"W1": days(1)}, profile=STANDARD)
    assert done.alerts
    with pytest.raises(ValueError, match="has no zone"):
        backtest(condition("proximity", victim="V1", distance_m=9.0), {"W1": days(1)})


def _moved(batch: Batch, by: timedelta) -> Batch:
    batch.time_ms[:] += round(1000 * by.total_seconds())
    return batch
