"""The worlds that quality is measured in: true visits are inside, errors are as asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.quality import receivers
from bench.quality.baselines import RULES
from bench.quality.errands import BRIDGE_S, Walker, make_week, make_zone, stays_of
from bench.quality.receivers import HABITS, HONEST, honest, in_order, report_week
from bench.quality.residuals import Residuals
from bench.quality.truth import LAT0, LON0, WEEK_S, shape_in_degrees
from ringfence.engine import Batch, Source
from ringfence.engine.fix import E7
from ringfence.geo.distance import signed_distances_m
from ringfence.geo.edges import build_edge_table
from ringfence.geo.frame import LocalFrame
from ringfence.geo.shapes import parse_shape


def block(east_m, accuracy_m, pitch_s):
    rows = np.zeros((len(east_m), 4))
    rows[:, 0], rows[:, 2] = east_m, accuracy_m
    rows[:, 3] = np.arange(len(east_m)) * pitch_s
    return rows


EXACT = Residuals(
    outdoors=[block(np.zeros(20), 10.0, 30.0)],
    phones=[block(np.zeros(20), 15.0, 30.0)],
    desk=[block(np.zeros(20), 700.0, 300.0)],
)


@pytest.fixture(scope="module")
def weeks():
    return [make_week(seed) for seed in range(3)]


def signed_m(week, lon, lat):
    arrays = build_edge_table([parse_shape(shape_in_degrees(week.ring))]).arrays()
    return signed_distances_m(arrays, 0, np.asarray(lon), np.asarray(lat))


def degrees(week, seconds):
    return LocalFrame(LON0, LAT0).to_degrees(week.x_m[seconds], week.y_m[seconds])


def true_places(week, batch):
    seconds = (batch.time_ms - receivers.START_MS) // 1000
    x, y = LocalFrame(LON0, LAT0).to_metres(batch.lon_e7 / E7, batch.lat_e7 / E7)
    return np.hypot(x - week.x_m[seconds], y - week.y_m[seconds])


def test_a_true_stay_lies_inside_by_the_engines_own_geometry(weeks) -> None:
    for week in weeks:
        seconds = np.arange(0, WEEK_S, 97)
        depth = signed_m(week, *degrees(week, seconds))
        sure = np.abs(depth) > 1.0
        assert (week.inside[seconds] == (depth > 0))[sure].all()
        assert week.stays
        for begin, end in week.stays:
            assert week.inside[begin]
            assert week.inside[end - 1]


def test_it_lives_beside_into_through_and_around_zones_from_a_home_near_the_edge(weeks) -> None:
    for week in weeks:
        home = -signed_m(week, *degrees(week, np.array([0])))[0]
        assert 25 < home < 620
        speed = np.hypot(np.diff(week.x_m), np.diff(week.y_m))
        assert 6.0 < speed.max() < 25.0
    lasts = [end - begin for week in weeks for begin, end in week.stays]
    assert any(20 <= s < 180 for s in lasts)
    assert any(s >= 180 for s in lasts)


def test_short_ways_out_are_bridged() -> None:
    inside = np.zeros(1000, bool)
    inside[100:200] = inside[200 + BRIDGE_S - 1 : 400] = inside[400 + BRIDGE_S : 600] = True
    assert stays_of(inside) == [(100, 400), (400 + BRIDGE_S, 600)]


def test_a_way_round_stays_outside() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        zone = make_zone(rng)
        walker = Walker(rng, zone, zone.off_edge(0.0, 60.0))
        walker.go_round(zone.off_edge(math.pi * 0.9, 60.0), 40.0, 1.4)
        assert not zone.inside(np.concatenate(walker.places)).any()


@pytest.mark.parametrize("off_m", [-80.0, -10.0, 0.0, 10.0, 200.0])
def test_a_place_off_the_edge_is_as_far_off_as_asked(off_m) -> None:
    zone = make_zone(np.random.default_rng(4))
    for turn in np.linspace(0, 6, 13):
        at = zone.off_edge(turn, off_m)[None]
        assert zone.from_edge_m(at)[0] == pytest.approx(abs(off_m), abs=2.0)
        if off_m:
            assert zone.inside(at)[0] == (off_m < 0)


@pytest.mark.parametrize("habit", HABITS)
def test_without_errors_each_fix_is_where_he_was_except_the_jumps(weeks, habit) -> None:
    for seed, week in enumerate(weeks):
        batch = in_order(report_week(week, EXACT, seed, habit=habit))
        off = true_places(week, batch)
        jumped = off > 0.1
        assert (off[jumped] > 99).all()
        assert (off[jumped] < 251).all()
        assert (batch.accuracy_m[jumped] <= 10).all()
        assert (batch.source[jumped] == Source.GNSS).all()


def test_satellite_fixes_jump_at_the_rate_asked_for(weeks) -> None:
    jumped = satellites = 0
    for seed in range(30):
        week = weeks[seed % 3]
        batch = in_order(report_week(week, EXACT, seed, habit="speeds told"))
        gnss = batch.source == Source.GNSS
        jumped += (true_places(week, batch) > 0.1).sum()
        satellites += gnss.sum()
    assert 0.0008 < jumped / satellites < 0.0024


def test_under_the_sky_a_fix_comes_each_minute_but_for_losses(weeks) -> None:
    week = weeks[0]
    batch = in_order(report_week(week, EXACT, 5, habit="no speeds"))
    seconds = (batch.time_ms - receivers.START_MS) // 1000
    sky = week.outdoors[seconds]
    assert (batch.source[sky] == Source.GNSS).all()
    heard = sky.sum() / (week.outdoors.sum() / 60)
    assert 0.8 < heard < 1.05


def test_bundles_come_newest_first_and_partly_twice(weeks) -> None:
    batch = report_week(weeks[0], EXACT, 1, habit="speeds told")
    told = in_order(batch)
    assert len(told) < len(batch)
    assert (np.diff(batch.time_ms) < 0).sum() > 20
    assert (np.diff(told.time_ms) > 0).all()


def test_blocks_whose_circles_hold_too_few_errors_are_left_out() -> None:
    good, bad = block(np.full(10, 5.0), 10.0, 30.0), block(np.full(10, 30.0), 3.0, 30.0)
    assert [len(b) for b in honest([good, bad], HONEST)] == [10]
    assert 0.5 < HONEST < 1


def fixes(signed, accuracy_m, source, step_m):
    batch = Batch.empty(len(signed))
    batch.time_ms[:] = receivers.START_MS + np.arange(len(signed)) * 60_000
    batch.lat_e7[:] = np.round((LAT0 + np.cumsum(step_m) / 111_250) * E7)
    batch.lon_e7[:] = round(LON0 * E7)
    batch.accuracy_m[:], batch.source[:] = accuracy_m, source
    return np.array(signed, float), batch


@pytest.mark.parametrize(
    ("signed", "accuracy_m", "source", "step_m", "opens_at"),
    [
        ([-90, -50, 8, 60], 10, Source.GNSS, [0, 80, 80, 80], 120.0),  # on the way: the first
        ([-90, -90, 50, 50], 10, Source.GNSS, [0, 0, 140, 0], 180.0),  # from rest: the second
        ([-90, -90, 50, -90], 10, Source.GNSS, [0, 0, 140, -140], None),  # a jump
        ([-90, -50, 6, 6], 10, Source.GNSS, [0, 80, 80, 0], None),  # less than 0.7 of the circle
        ([-90, -50, 50, 60], 10, Source.CELL, [0, 80, 80, 80], None),  # by cell
    ],
)
def test_the_sketch_opens_as_it_says(signed, accuracy_m, source, step_m, opens_at) -> None:
    alerts = RULES["sketch"](*fixes(signed, accuracy_m, source, step_m))
    assert [begin for begin, _ in alerts] == ([] if opens_at is None else [opens_at])
