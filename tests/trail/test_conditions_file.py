"""CONDITIONS: what the contract allows is read, every fault is told with its feature."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from ringfence.engine.conditions import Kind, Weekly
from ringfence.trail.conditions_file import ConditionsFileError, read_conditions, read_features

DISC = {"type": "Point", "coordinates": [-0.1, 51.5]}


def feature(**properties: Any) -> dict[str, Any]:
    told = {"wearer": "W1", "kind": "exclusion", "radius_m": 200, "from": "2026-03-01T00:00:00Z"}
    return {"type": "Feature", "id": "c1", "geometry": DISC, "properties": told | properties}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def faults(*features: Any) -> list[str]:
    with pytest.raises(ConditionsFileError) as caught:
        read_features(collection(*features))
    return caught.value.faults


def test_every_property_of_the_contract_is_read() -> None:
    (condition,) = read_features(
        collection(
            feature(
                kind="curfew",
                to="2026-09-01T00:00:00+01:00",
                when=[{"days": ["mon", "Tue"], "start": "19:00", "end": "07:00"}],
                **{
                    "except": [{"from": "2026-04-01T19:00Z", "to": "2026-04-02T07:00Z", "why": "x"}]
                },
                buffer_m=50,
                risk="high",
            )
        )
    )
    assert condition.kind is Kind.CURFEW
    assert condition.from_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert condition.to_at == datetime(2026, 8, 31, 23, tzinfo=UTC)
    assert condition.when == (Weekly(("mon", "tue"), time(19), time(7)),)
    assert condition.absences[0].why == "x"
    assert condition.timezone == "Europe/London"
    assert condition.radius_m == 200
    assert condition.buffer_m == 50
    assert condition.extra == {"risk": "high"}


def test_a_trail_needs_no_zone() -> None:
    trail = feature(kind="trail", radius_m=None) | {"geometry": None, "id": 7}
    (condition,) = read_features(collection(trail))
    assert (condition.id, condition.kind) == ("7", Kind.TRAIL)


BAD = {
    "no id": (feature() | {"id": None}, "id: absent: give every feature an id of its own"),
    "no wearer": (feature(wearer=""), "wearer: not a text: say whose"),
    "another kind": (feature(kind="fence"), "kind: 'fence' is none of exclusion"),
    "no from": (feature(**{"from": None}), "from: absent: write ISO 8601"),
    "naive from": (feature(**{"from": "2026-03-01T00:00:00"}), "from: .* has no offset: add Z"),
    "number for from": (feature(**{"from": 5}), "from: 5 is not an instant"),
    "to before from": (feature(to="2025-01-01T00:00:00Z"), "is not before"),
    "no time zone": (feature(timezone=None), "timezone: absent .* use a name such as Europe"),
    "unknown time zone": (feature(timezone="Mars/Base"), "timezone: 'Mars/Base'"),
    "no radius": (feature(radius_m=None), "geometry: a Point has no radius_m"),
    "latitude 91": (
        feature() | {"geometry": {"type": "Point", "coordinates": [0, 91]}},
        "geometry: the point has latitude 91",
    ),
    "NaN": (
        feature() | {"geometry": {"type": "Point", "coordinates": [math.nan, 1]}},
        "geometry: the point holds NaN",
    ),
    "self-crossing": (
        feature()
        | {
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]],
            }
        },
        "edges cross at longitude 0.5000000, latitude 0.5000000",
    ),
    "no geometry": (feature() | {"geometry": None}, "geometry: absent"),
    "day": (feature(when=[{"days": ["noday"], "start": "19:00", "end": "07:00"}]), "day 'noday'"),
    "hour": (feature(when=[{"days": ["mon"], "start": "25:00", "end": "07:00"}]), "when 1, start"),
    "midnight": (feature(when=[{"days": ["mon"], "start": "1:00", "end": "24:00"}]), "when 1"),
    "when": (feature(when={"days": ["mon"]}), "when: not a list"),
    "when's item": (feature(when=["mon"]), "when 1: write"),
    "except": (feature(**{"except": [{"from": "2026-04-01T19:00Z"}]}), "except 1, to: absent"),
    "except's order": (
        feature(**{"except": [{"from": "2026-04-02T00:00Z", "to": "2026-04-01T00:00Z"}]}),
        "except.* is not before",
    ),
    "buffer": (feature(buffer_m="wide"), "buffer_m: 'wide' is not a number"),
    "no properties": ({"type": "Feature", "id": "c1", "geometry": DISC}, "properties: absent"),
    "no feature": ("zone", "type: not a GeoJSON Feature"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_fault_names_feature_and_property(what: str) -> None:
    bad, says = BAD[what]
    (fault,) = faults(feature() | {"id": "fine"}, bad)
    assert fault.startswith("feature 2")
    assert re.search(says, fault), fault


def test_all_faults_are_told_at_once() -> None:
    told = faults(feature(kind="fence"), feature(), feature(timezone="") | {"id": "c3"})
    assert [t.split(":")[0] for t in told] == ["feature 1 (c1)", "feature 3 (c3)"]


def test_one_id_in_two_times_is_two_versions() -> None:
    later = feature(**{"from": "2026-05-01T00:00:00Z"})
    earlier = feature(to="2026-05-01T00:00:00Z")
    found = read_features(collection(later, earlier))
    assert [c.version for c in found] == [2, 1]


def test_one_id_twice_at_once_is_refused() -> None:
    (fault,) = faults(feature(), feature())
    assert "feature 2 (c1): id: also feature 1's" in fault


def test_another_reference_system_is_refused() -> None:
    grid = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    with pytest.raises(ConditionsFileError, match="crs: not WGS84"):
        read_features(collection(feature()) | {"crs": grid})
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert read_features(collection(feature()) | {"crs": named})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"type": "FeatureCollection",\n "features": [}', "not JSON at line 2, column 15"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "not a GeoJSON FeatureCollection"),
        (b'{"type": "FeatureCollection"}', "features: absent"),
    ],
)
def test_a_file_that_is_no_collection_says_where(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "conditions.geojson"
    path.write_bytes(content)
    with pytest.raises(ConditionsFileError, match=says):
        read_conditions(path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "conditions.geojson"
    path.write_text(json.dumps(collection(feature())), encoding="utf-8-sig")
    assert len(read_conditions(path)) == 1


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("bufer_m", "buffer_m"), ("wen", "when"), ("exept", "except"), ("Timezone", "timezone")],
)
def test_a_misspelt_property_is_refused_and_not_ignored(wrong: str, right: str) -> None:
    with pytest.raises(ConditionsFileError, match=f"{wrong}: .* did you mean {right}"):
        read_features(collection(feature(**{wrong: None})))


@pytest.mark.parametrize("name", ["name", "title", "order", "risk", "protects", "label", "colour"])
def test_other_programs_properties_are_let_be(name: str) -> None:
    assert read_features(collection(feature(**{name: "x"})))[0].extra == {name: "x"}


def test_a_file_that_is_nothing_but_nesting_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.geojson"
    file.write_text("[" * 300_000 + "]" * 300_000)
    with pytest.raises(ConditionsFileError, match="nested too deep"):
        read_conditions(file)
