from __future__ import annotations

import copy

import pytest

from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.loading import LoadError, load_conditions
from ringfence.desk.cases.models import Condition, Order, Victim, Wearer
from ringfence.desk.cases.queries import engine_conditions
from ringfence.trail.conditions_file import ConditionsFileError, read_features
from tests.desk.conftest import SQUARE


def feature(key: str, wearer: str = "X000001", **said: object) -> dict[str, object]:
    return {
        "type": "Feature",
        "id": key,
        "geometry": SQUARE,
        "properties": {
            "wearer": wearer,
            "kind": "exclusion",
            "from": "2026-03-01T00:00:00Z",
            **said,
        },
    }


def collection(*features: dict[str, object]) -> dict[str, object]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_a_file_brings_its_wearers_and_their_orders(ola):
    said = collection(
        feature("c1", title="Protected zone V1", protects="V1"),
        feature("c2", kind="curfew", when=[{"days": ["mon"], "start": "19:00", "end": "07:00"}]),
        feature("c3", wearer="X000002"),
    )
    loaded = load_conditions(said, by=ola)
    assert (loaded.wearers, loaded.orders, loaded.conditions, loaded.known) == (2, 2, 3, 0)
    assert engine_conditions() == [
        rule if rule.id != "c1" else rule.__class__(**{**_fields(rule), "victim": "V1"})
        for rule in read_features(said)
    ]
    assert Condition.objects.get(key="c1").title == "Protected zone V1"
    assert Condition.objects.get(key="c1").victim == Victim.objects.get(label="V1")
    assert Entry.objects.latest("id").detail == {"added": 3, "known": 0}


DERIVED = {"shape", "places", "extra"}


def _fields(rule: object) -> dict[str, object]:
    return {f: getattr(rule, f) for f in rule.__dataclass_fields__ if f not in DERIVED}


def test_a_proximity_keeps_the_places_in_which_it_is_not_judged(ola):
    court = {"type": "Point", "coordinates": [-0.1, 51.5], "radius_m": 80.0}
    near = {"kind": "proximity", "victim": "V1", "distance_m": 500, "except_places": [court]}
    load_conditions(collection({**feature("c1", **near), "geometry": None}), by=ola)
    (rule,) = engine_conditions()
    assert (rule.except_places, rule.distance_m, rule.victim) == ((court,), 500, "V1")
    again = load_conditions(collection({**feature("c1", **near), "geometry": None}), by=ola)
    assert again.known == 1


def test_a_known_wearer_keeps_their_order(ola, licence):
    loaded = load_conditions(collection(feature("c1")), by=ola)
    assert (loaded.wearers, loaded.orders, loaded.conditions) == (0, 0, 1)
    assert Condition.objects.get().order == licence


def test_the_same_file_twice_changes_nothing(ola):
    said = collection(feature("c1", protects="V1"), feature("c2"))
    load_conditions(said, by=ola)
    again = load_conditions(copy.deepcopy(said), by=ola)
    assert (again.conditions, again.known) == (0, 2)


def test_versions_of_one_condition_come_in_order_of_time(ola):
    later = feature("c1", **{"from": "2026-04-01T00:00:00Z", "buffer_m": 50})
    said = collection(later, feature("c1", to="2026-04-01T00:00:00Z"))
    load_conditions(said, by=ola)
    assert [(r.version, r.buffer_m) for r in engine_conditions()] == [(1, 0.0), (2, 50.0)]
    assert load_conditions(said, by=ola).known == 1


def test_what_says_something_else_is_refused_and_nothing_is_written(ola):
    load_conditions(collection(feature("c1")), by=ola)
    changed = collection(feature("c0", wearer="X000009"), feature("c1", buffer_m=5))
    with pytest.raises(LoadError, match="condition c1: recorded already and says something else"):
        load_conditions(changed, by=ola)
    assert not Wearer.objects.filter(crn="X000009").exists()


def test_every_fault_is_named_at_once(ola):
    said = collection(
        feature("c1", wearer="X" * 17),
        feature("c2"),
        feature("c2", wearer="X000002", **{"from": "2026-05-01T00:00:00Z"}),
    )
    with pytest.raises(LoadError) as refusal:
        load_conditions(said, by=ola)
    assert len(refusal.value.faults) == 2
    assert not Order.objects.exists()


def test_faults_of_the_file_name_the_feature(ola):
    with pytest.raises(ConditionsFileError, match=r"feature 2 \(c2\): kind"):
        load_conditions(collection(feature("c1"), feature("c2", kind="spell")), by=ola)


def test_the_operator_imports_nothing(otto):
    with pytest.raises(NotPermittedError):
        load_conditions(collection(feature("c1")), by=otto)
