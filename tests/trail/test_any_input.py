"""Whatever is in a file, it is read, or refused with words: nothing else ever comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.trail.conditions_file import ConditionsFileError, read_features
from ringfence.trail.readers import read_fixes
from ringfence.trail.table import FixesFileError

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
GOOD: dict[str, Any] = {
    "type": "Feature",
    "id": "c1",
    "geometry": {"type": "Point", "coordinates": [-0.1, 51.5]},
    "properties": {
        "wearer": "W1",
        "kind": "curfew",
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
        "radius_m": 200,
        "width_m": 20,
        "buffer_m": 20,
        "timezone": "Europe/London",
        "when": [{"days": ["mon"], "start": "19:00", "end": "07:00"}],
        "except": [{"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}],
        "victim": None,
        "distance_m": None,
    },
}
PLACES = [
    *(("properties", name) for name in GOOD["properties"]),
    *((name,) for name in GOOD),
    *(("geometry", name) for name in ("type", "coordinates")),
    *(("properties", "when", 0, name) for name in ("days", "start", "end")),
    *(("properties", "except", 0, name) for name in ("from", "to")),
]
FORMS = ["Point", "LineString", "Polygon", "MultiPolygon"]


@given(st.sampled_from(PLACES), anything, st.sampled_from(FORMS), anything)
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_in_a_feature_is_read_or_refused_with_its_number(
    place: tuple[Any, ...], value: Any, form: str, coordinates: Any
) -> None:
    feature = json.loads(json.dumps(GOOD))
    if place[0] == "geometry":
        feature["geometry"] = {"type": form, "coordinates": coordinates}
    owner = feature
    for step in place[:-1]:
        owner = owner[step]
    owner[place[-1]] = value
    try:
        read_features({"type": "FeatureCollection", "features": [feature]})
    except ConditionsFileError as error:
        assert all(fault.startswith("feature 1") for fault in error.faults)  # noqa: PT017


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "fixes.csv"


fields = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["W1", "51.5", "-0.1", "1e400", "-1e308", "2026-03-01T10:02:00Z", "9" * 30, '"', "\r", "nan"]
)


@given(st.lists(st.lists(fields, max_size=7).map(",".join), max_size=6).map("\n".join))
@example("W1,2026-03-01T10:02:00Z,51.5,-0.1,8," + "9" * 30)
@settings(max_examples=80, deadline=None)
def test_any_text_under_a_header_is_read_or_refused(path: Path, text: str) -> None:
    path.write_text(f"wearer,time,lat,lon,accuracy_m,signals\n{text}", encoding="utf-8", newline="")
    try:
        fixes = read_fixes(path)
    except FixesFileError:
        return
    assert len(fixes.batch) + len(fixes.refused) == fixes.read


@given(st.binary(max_size=200), st.sampled_from([b"", b"PAR1", b"wearer,time,lat,lon\n"]))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(path: Path, content: bytes, start: bytes) -> None:
    path.write_bytes(start + content)
    try:
        fixes = read_fixes(path)
    except FixesFileError:
        return
    assert len(fixes.batch) + len(fixes.refused) == fixes.read
