"""`ringfence replay` and `ringfence backtest`, of files and of a data folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringfence.desk.accounts.actions import add_user
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.models import Tag
from ringfence.desk.monitoring import detect
from tests.cli.conftest import Run
from tests.desk.conftest import SQUARE
from tests.desk.monitoring.conftest import VISIT, deliver

WHY = ("--why", "a court asks")


def rules(folder: Path, name: str = "rules", **properties: object) -> str:
    said = {"wearer": "X000001", "kind": "exclusion", "from": "2026-03-01T00:00:00Z"} | properties
    feature = {"type": "Feature", "id": "c1", "geometry": SQUARE, "properties": said}
    path = folder / f"{name}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return str(path)


def fixes(folder: Path) -> str:
    lines = [
        f"X000001,{s.at.isoformat()},{s.place[0]},{s.place[1]},{s.accuracy_m}"
        for s in VISIT
        if s.place
    ]
    path = folder / "fixes.csv"
    path.write_text("\n".join(["wearer,time,lat,lon,accuracy_m", *lines]))
    return str(path)


def test_files_judged_by_what_they_were_judged_by_differ_in_nothing(
    run: Run, tmp_path: Path
) -> None:
    conditions, trail = rules(tmp_path), fixes(tmp_path)
    decided = tmp_path / "decided.jsonl"
    assert run("evaluate", conditions, trail, "--out", str(decided)).exit_code == 0
    same = run("replay", conditions, trail, "--decisions", str(decided))
    assert same.exit_code == 0, same.output
    assert "differences: 0" in same.stdout


def test_another_profile_or_condition_is_told_with_its_reason(run: Run, tmp_path: Path) -> None:
    conditions, trail = rules(tmp_path), fixes(tmp_path)
    other = run("replay", conditions, trail, "--profile", "cautious", "--format", "json")
    assert other.exit_code == 1, other.output
    said = json.loads(other.stdout)
    assert said["differences"][0]["what"] == "changed"
    assert "cautious/1" in said["differences"][0]["why"]
    assert said["before"]["confirmed"] == 1
    later = rules(tmp_path, "later", **{"from": "2026-04-01T00:00:00Z"})
    gone = run("replay", conditions, trail, "--conditions", later)
    assert gone.exit_code == 1
    assert "only before: 1" in gone.stdout
    assert "- X000001 c1 exclusion 2026-03-02T10:0" in gone.stdout


def test_what_can_not_be_used_is_refused_in_a_line(run: Run, tmp_path: Path) -> None:
    conditions, trail = rules(tmp_path), fixes(tmp_path)
    assert run("replay", conditions).exit_code == 2
    assert run("replay", conditions, trail, "--profile", "brave").exit_code == 2
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    refused = run("replay", conditions, trail, "--decisions", str(broken))
    assert refused.exit_code == 2
    assert "line 1" in refused.stderr
    assert run("backtest", conditions, str(tmp_path / "none.csv")).exit_code == 2


@pytest.mark.django_db(transaction=True)
def test_a_data_folder_is_judged_again_and_a_zone_is_tried(run: Run, tmp_path: Path) -> None:
    conditions = rules(tmp_path)
    assert run("import", "conditions", conditions).exit_code == 0
    begun = ("--from", "2026-03-02T09:00:00Z")
    assert run("tags", "add", "T1", "--wearer", "X000001", *begun).exit_code == 0
    detect.forget()
    deliver(Tag.objects.get(), VISIT)
    detect.detect()
    same = run("replay", *WHY)
    assert same.exit_code == 0, same.output
    assert run("replay").exit_code == 2  # no reason
    assert run("replay", "--profile", "cautious", *WHY).exit_code == 1
    add_user(by="system:test", username="eve", role="equipment")
    assert run("replay", "--by", "eve", *WHY).exit_code == 2
    tried = run("backtest", conditions, "--wearer", "X000001", "--format", "json", *WHY)
    assert tried.exit_code == 0, tried.output
    said = json.loads(tried.stdout)
    assert said["alerts"] == 1
    assert said["burden"]["X000001"]["inside_fixes"] == 4
    events = list(Entry.objects.order_by("id").values_list("event", flat=True))
    assert events.count("violations.replayed") == 2
    assert events.count("zone.backtested") == 1


def test_a_zone_is_tried_on_a_file(run: Run, tmp_path: Path) -> None:
    tried = run("backtest", rules(tmp_path), fixes(tmp_path))
    assert tried.exit_code == 0, tried.output
    assert "would have alerted: 1" in tried.stdout
    assert "by day: 02/03/2026 1" in tried.stdout
