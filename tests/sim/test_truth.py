from __future__ import annotations

import io
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from shapely import MultiPolygon, Point, Polygon, contains_xy
from shapely.geometry import shape

from ringfence.engine.conditions import Condition, Kind
from ringfence.sim.cast import Cast
from ringfence.sim.truth import TruthFile, VisitLog
from tests.sim.conftest import AT_S, DAY_S


def lines(cast: Cast, conditions: list[Condition], chops: list[int]) -> list[dict[str, Any]]:
    out = io.StringIO()
    truth = TruthFile(out, cast.tracks, conditions)
    for a, b in pairwise(chops):
        truth.write(a, b)
    text = out.getvalue()
    return [json.loads(line) for line in text.splitlines()]


def test_the_truth_agrees_with_another_geometry_library(
    day: Cast, conditions: list[Condition]
) -> None:
    seconds = np.arange(AT_S - 600, AT_S + 1800)
    polygons = [c for c in conditions if c.kind is Kind.EXCLUSION and c.radius_m is None
                and c.width_m is None]  # fmt: skip
    assert polygons
    for condition in polygons:
        track = next(t for t in day.tracks if t.wearer.id == condition.wearer)
        lon, lat = track.positions(seconds.astype(np.float64))
        polygon: Polygon | MultiPolygon = shape(condition.geometry)
        inside = contains_xy(polygon, lon, lat)
        visits = list(VisitLog(track, condition).between(int(seconds[0]), int(seconds[-1]) + 1))
        assert sum(v.end_s - v.begin_s for v in visits if v.end_s) == inside.sum()


def test_the_approach_is_a_true_visit_of_its_disc(day: Cast, conditions: list[Condition]) -> None:
    zone = next(c for c in conditions if c.id == "X000001-exclusion")
    (visit,) = VisitLog(day.tracks[0], zone).between(AT_S - DAY_S, AT_S + 3600)
    assert 5 <= visit.begin_s - AT_S <= 15
    centre = Point(zone.geometry["coordinates"])  # type: ignore[index]
    for at_s, sign in ((visit.begin_s - 1, 1), (visit.begin_s, -1)):
        spot = day.tracks[0].at(at_s).spot
        metres = np.hypot((spot.lon - centre.x) * 69_250, (spot.lat - centre.y) * 111_260)
        assert sign * (metres - 350) > -1.0


def test_the_day_before_the_script_is_calm(day: Cast, conditions: list[Condition]) -> None:
    track = {t.wearer.id: t for t in day.tracks}
    visits = [
        v for c in conditions for v in VisitLog(track[c.wearer], c).between(AT_S - DAY_S, AT_S)
    ]
    assert len(visits) <= 1


def test_chopping_the_time_changes_no_visit(cast: Cast, conditions: list[Condition]) -> None:
    whole = lines(cast, conditions, [AT_S, AT_S + 3000])
    chopped = lines(cast, conditions, [AT_S, AT_S + 13, AT_S + 14, AT_S + 1811, AT_S + 3000])
    key = json.dumps
    assert sorted(whole, key=key) == sorted(chopped, key=key)
    assert [v["condition"] for v in whole if v["what"] == "visit"] == [
        "X000001-exclusion", "X000002-curfew",
    ]  # fmt: skip


def test_a_visit_that_lasts_is_said_at_the_close(cast: Cast, conditions: list[Condition]) -> None:
    zone = next(c for c in conditions if c.id == "X000001-exclusion")
    log = VisitLog(cast.tracks[0], zone)
    assert not list(log.between(AT_S, AT_S + 120))
    (visit,) = log.still_open()
    assert visit.end_s is None


def test_the_drifter_is_truly_never_in_his_zone(day: Cast, conditions: list[Condition]) -> None:
    zone = next(c for c in conditions if c.id == "X000004-exclusion")
    assert not list(VisitLog(day.tracks[3], zone).between(AT_S - DAY_S, AT_S + 4 * 3600))


@pytest.mark.parametrize("number", range(12))
def test_everybodys_place_is_written_each_minute(
    number: int, cast: Cast, conditions: list[Condition]
) -> None:
    made = lines(cast, conditions, [AT_S, AT_S + 600])
    mine = [p for p in made if p["what"] == "position"
            and p["wearer"] == cast.world.people[number].id]  # fmt: skip
    assert len(mine) == 10
    assert {p["time"][-3:] for p in mine} == {"00Z"}
