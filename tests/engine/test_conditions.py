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


def test_proximity_is_refused_with_a_clear_line() -> None:
    proximity = condition("proximity", victim="V1", distance_m=200.0)
    with pytest.raises(ConditionError, match="proximity can't be judged by this version: leave"):
        compile_plan([proximity], start_at=NOON, end_at=NOON + timedelta(days=1))


def test_unknown_profiles_list_the_known_ones_and_short_names_mean_the_latest() -> None:
    with pytest.raises(ValueError, match="'bold' is none of naive/1, standard/1, cautious/1"):
        find_profile("bold")
    assert find_profile("standard").name == "standard/1"
