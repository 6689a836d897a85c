"""`ringfence evaluate` on a pair: two people's fixes in one file."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ringfence.cli import app

HEADER = "wearer,role,time,lat,lon,accuracy_m,source"
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
COURT = {"type": "Point", "coordinates": [-0.1, 51.5], "radius_m": 200}


def near(**more: Any) -> dict[str, Any]:
    told = {"wearer": "W1", "kind": "proximity", "from": "2026-01-01T00:00:00Z", "to": None}
    told |= {"victim": "V1", "distance_m": 500}
    return {"type": "Feature", "id": "n1", "geometry": None, "properties": told | more}


def rows(role: str = "victim") -> list[str]:
    """She is at home; he walks 84 m a minute towards her from 3 km off, and stays."""
    said = []
    for minute in range(50):
        at = TEN + timedelta(minutes=minute)
        lon = -0.1 + max(0, 3000 - 84 * minute) / 69_500
        said.append(f"W1,wearer,{at.isoformat()},51.5,{lon + minute % 2 * 1e-5:.6f},8,gnss")
        hers = at + timedelta(seconds=24)
        said.append(f"V1,{role},{hers.isoformat()},51.5,{-0.1 + minute % 2 * 1e-5:.6f},8,gnss")
    return said


def judged(
    folder: Path, features: list[Any], fixes: list[str], *more: str
) -> tuple[int, str, list[dict[str, Any]]]:
    conditions, file = folder / "conditions.geojson", folder / "fixes.csv"
    conditions.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    file.write_text("\n".join([HEADER, *fixes]) + "\n")
    done = CliRunner().invoke(app, ["evaluate", str(conditions), str(file), *more])
    out = [json.loads(line) for line in done.stdout.splitlines()] if not done.exit_code else []
    return done.exit_code, done.stderr, out


def test_it_gives_a_pre_alert_and_then_a_violation(tmp_path) -> None:
    code, told, said = judged(tmp_path, [near()], rows())
    assert code == 0
    assert [(v["wearer"], v["condition"], v["kind"], v["how"], v["state"]) for v in said] == [
        ("W1", "n1", "proximity", "approached", "confirmed"),
        ("W1", "n1", "proximity", "entered", "confirmed"),
    ]
    assert "victims' devices: 1" in told


@pytest.mark.parametrize("profile", ["naive", "standard", "cautious"])
def test_the_order_and_repeats_of_rows_change_not_a_byte(tmp_path, profile) -> None:
    shuffled = rows() + rows()[::3]
    random.Random(7).shuffle(shuffled)
    straight = judged(tmp_path, [near()], rows(), "--profile", profile)
    assert judged(tmp_path, [near()], shuffled, "--profile", profile)[2] == straight[2] != []


def test_places_are_given_as_geometries_or_as_ids_of_features(tmp_path) -> None:
    court = {
        "type": "Feature",
        "id": "court",
        "geometry": {"type": "Point", "coordinates": [-0.1, 51.5]},
        "properties": {
            "wearer": "W1",
            "kind": "attendance",
            "from": "2026-01-01T00:00:00Z",
            "radius_m": 200,
            "when": [{"days": ["sun"], "start": "10:00", "end": "11:00"}],
        },
    }
    home = rows()[60:]  # from here on he is within 500 m, and soon within the 200
    everywhere = {**COURT, "radius_m": 900}
    assert judged(tmp_path, [near()], home)[2]
    assert judged(tmp_path, [near(except_places=[everywhere])], home)[2] == []
    court["properties"]["radius_m"] = 900
    assert judged(tmp_path, [court, near(except_places=["court"])], home)[2] == []


@pytest.mark.parametrize(
    ("features", "role", "fault"),
    [
        ([near(except_places=["nowhere"])], "victim", "'nowhere' is no feature with a geometry"),
        ([near(except_places=[{"type": "Point"}])], "victim", "feature 1 (n1): except_places 1:"),
        ([near(excpt_places=[])], "victim", "did you mean except_places?"),
        ([near()], "wearer", "V1: the victim of condition 'n1', and a wearer by the fixes"),
        ([near(wearer="V1", victim="W1")], "victim", "V1: a wearer by the conditions, and a vic"),
    ],
)
def test_what_can_not_be_meant_is_refused_with_what_to_do(tmp_path, features, role, fault) -> None:
    code, told, _ = judged(tmp_path, features, rows(role))
    assert code == 2
    assert fault in told


def test_what_a_victims_device_signals_is_no_violation_of_anybody(tmp_path) -> None:
    signals = tmp_path / "signals.csv"
    signals.write_text("wearer,time,kind\nV1,2026-03-02T10:05:00Z,battery_critical\n")
    _, _, with_signals = judged(tmp_path, [near()], rows(), "--signals", str(signals))
    assert with_signals == judged(tmp_path, [near()], rows())[2] != []
