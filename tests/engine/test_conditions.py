"""A faulty condition says which field is wrong and what to do."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from ringfence.engine import (
    Absence,
    Condition,
    ConditionError,
    Kind,
    Weekly,
    compile_plan,
    find_profile,
)
from tests.engine.build import NOON, condition, disc, square

NIGHT = Weekly(("mon",), time(19), time(7))
BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
NAIVE_TIME = datetime(2026, 1, 1)  # noqa: DTZ001 - the fault under test
FAULTS = [
    ({"id": ""}, "id: empty"),
    ({"wearer": ""}, "wearer: empty"),
    ({"timezone": ""}, "timezone: absent"),
    ({"timezone": "Europe/Londn"}, "timezone: 'Europe/Londn' is not a zone we know: use"),
    ({"timezone": "../etc/passwd"}, "timezone:"),
    ({"to_at": NOON - timedelta(days=30)}, "from: .* is not before .*: swap"),
    ({"from_at": NAIVE_TIME}, "from: .* has no offset"),
    ({"geometry": None}, "geometry: absent: exclusion needs a zone: draw"),
    ({"geometry": disc()}, "geometry: a Point has no radius_m"),
    ({"geometry": BOW_TIE}, "geometry: .*edges cross at longitude 0.5"),
    ({"geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}, "width_m"),
    ({"buffer_m": -1.0}, "buffer_m: -1.0 is not a width"),
    ({"buffer_m": float("nan")}, "buffer_m"),
    ({"kind": "proximity", "geometry": None}, "victim, distance_m"),
    (
        {"kind": "proximity", "victim": "V1", "distance_m": -5.0},
        "distance_m: -5.0 is not a distance",
    ),
    ({"kind": "proximity", "victim": "W1", "distance_m": 5.0}, "victim: the wearer's own device"),
]


@pytest.mark.parametrize(("given", "said"), FAULTS)
def test_a_faulty_field_is_named(given, said) -> None:
    good = {
        "id": "c1",
        "wearer": "W1",
        "kind": Kind.EXCLUSION,
        "from_at": NOON - timedelta(days=30),
        "geometry": square(),
    }
    with pytest.raises(ConditionError, match=said):
        Condition(**(good | given))


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(ConditionError, match="kind: 'banishment' is none of exclusion"):
        Condition("c1", "W1", "banishment", NOON)  # type: ignore[arg-type]


def test_weekly_times_name_their_faults() -> None:
    with pytest.raises(ConditionError, match="day 'moonday' is none of mon"):
        Weekly(("moonday",), time(1), time(2))
    with pytest.raises(ConditionError, match="no days"):
        Weekly((), time(1), time(2))
    with pytest.raises(ConditionError, match="local times"):
        Weekly(("mon",), time(1, tzinfo=NOON.tzinfo), time(2))


def test_an_absence_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ConditionError, match=r"except: .* is not before"):
        Absence(NOON, NOON)


def test_one_version_stands_once() -> None:
    horizon = {"start_at": NOON, "end_at": NOON + timedelta(days=1)}
    with pytest.raises(ConditionError, match="'c1' stands twice as version 1"):
        compile_plan([condition(), condition()], **horizon)
    assert len(compile_plan([condition(), condition(wearer="W2")], **horizon).conditions) == 2
    later = condition(version=2)
    assert len(compile_plan([condition(), later], **horizon).conditions) == 2


def test_a_place_excepted_from_a_proximity_is_a_geometry_and_only_a_proximity_has_some() -> None:
    near = {"victim": "V1", "distance_m": 200.0}
    assert condition("proximity", **near, except_places=(square(),)).places
    court = {**disc(), "radius_m": 80.0}
    assert condition("proximity", **near, except_places=(court,)).places
    with pytest.raises(ConditionError, match="except_places 2: a Point has no radius_m"):
        condition("proximity", **near, except_places=(square(), disc()))
    with pytest.raises(ConditionError, match="except_places 1: not a GeoJSON geometry"):
        condition("proximity", **near, except_places=("court",))
    with pytest.raises(ConditionError, match="except_places: only a proximity has them"):
        condition(except_places=(square(),))


def test_unknown_profiles_list_the_known_ones_and_short_names_mean_the_latest() -> None:
    with pytest.raises(ValueError, match="'bold' is none of naive/1, standard/1, cautious/1"):
        find_profile("bold")
    assert find_profile("standard").name == "standard/1"
