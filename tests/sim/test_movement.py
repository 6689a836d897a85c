from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from ringfence.sim import habits
from ringfence.sim.cast import Cast
from ringfence.sim.ground import Spot
from ringfence.sim.movement import SPEEDS_MPS, Segment, join
from tests.sim.conftest import AT_S, DAY_S

FASTEST_MPS = max(SPEEDS_MPS.values())


def test_nobody_ever_moves_faster_than_his_vehicle(day: Cast) -> None:
    seconds = np.arange(AT_S - DAY_S, AT_S + 3 * 3600, 10, dtype=np.float64)
    for track in day.tracks:
        lon, lat = track.positions(seconds)
        step_m = np.hypot(np.diff(lon) * 69_300, np.diff(lat) * 111_260)
        assert step_m.max() / 10 < FASTEST_MPS * 1.1


def test_many_positions_at_once_are_the_same_as_one_by_one(day: Cast) -> None:
    seconds = np.arange(AT_S - 7200, AT_S + 1200, 61, dtype=np.float64)
    for track in day.tracks[:5]:
        lon, lat = track.positions(seconds)
        for k, at_s in enumerate(seconds):
            spot = track.at(at_s).spot
            assert (spot.lon, spot.lat) == (lon[k], lat[k])


def test_everybody_is_at_home_at_midnight_before_the_script(day: Cast) -> None:
    midnight_s = habits.epoch_s(date(2026, 11, 24), 0)
    assert all(track.at(midnight_s).where == "home" for track in day.tracks)


def test_who_has_an_appointment_on_tuesday_is_there(day: Cast) -> None:
    at_s = datetime(2026, 11, 24, 10, 15, tzinfo=UTC).timestamp()
    assert day.tracks[10].at(at_s).where == "probation"


def test_the_order_of_asking_changes_nothing(day: Cast, cast: Cast) -> None:
    asked = [AT_S + 5 * k * 3600 for k in range(-3, 9)]
    forward = [day.tracks[0].at(s) for s in asked]
    backward = [cast.tracks[0].at(s) for s in reversed(asked)]
    assert forward == backward[::-1]


def test_life_goes_on_for_a_week_without_a_leap(cast: Cast) -> None:
    for track in cast.tracks:
        for hour in range(7 * 24):
            track.segment(AT_S + hour * 3600.0)


def test_a_leap_is_refused() -> None:
    here, there = Spot(0.0, 51.5), Spot(0.1, 51.5)
    with pytest.raises(ValueError, match="leaps"):
        join([Segment(0, 10, (here,)), Segment(10, 20, (there,))])
    with pytest.raises(ValueError, match="leaps"):
        join([Segment(0, 10, (here,)), Segment(11, 20, (here,))])


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_of_a_clock_change_is_whole(cast: Cast, day: date, hours: int) -> None:
    wearer = cast.world.people[5]
    rhythm = habits.rhythm_of(wearer, cast.world.conditions["features"])
    streets = cast.tracks[5]._streets
    segments = habits.day_of(wearer, rhythm, day, streets, np.random.default_rng(1))
    assert segments[-1].to_s - segments[0].from_s == hours * 3600
