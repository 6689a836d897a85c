"""The real command on real files: what it prints, what it refuses, and that order means nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from ringfence.cli import app

COMMAND = Path(sys.executable).parent / "ringfence"
BOX = [[-0.11, 51.49], [-0.09, 51.49], [-0.09, 51.51], [-0.11, 51.51], [-0.11, 51.49]]
HEADER = "wearer,time,lat,lon,accuracy_m,source"
WALK = [
    "W1,2026-03-01T10:00:00Z,51.5,-0.2,8,gnss",
    "W1,2026-03-01T10:01:00Z,51.5,-0.1,8,gnss",
    "W1,2026-03-01T10:02:00.250Z,51.5,-0.1,8,gnss",
    "W1,2026-03-01T10:03:00Z,51.5,-0.2,8,gnss",
]
CONTRACT = (
    *("wearer", "condition", "kind", "state", "begin", "confirmed_at", "end", "probability"),
    *("depth_m", "fixes", "how", "profile", "why", "doubts"),
)


def zone(**properties: Any) -> dict[str, Any]:
    told = {"wearer": "W1", "kind": "exclusion", "from": "2026-01-01T00:00:00Z", "to": None}
    return {
        "type": "Feature",
        "id": "c7",
        "geometry": {"type": "Polygon", "coordinates": [BOX]},
        "properties": told | properties,
    }


class Desk:
    """A folder with the two files, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conditions = folder / "conditions.geojson"
        self.fixes = folder / "fixes.csv"
        self.write([zone()], WALK)

    def write(self, features: list[Any] | None = None, rows: list[str] | None = None) -> None:
        if features is not None:
            whole = {"type": "FeatureCollection", "features": features}
            self.conditions.write_text(json.dumps(whole))
        if rows is not None:
            self.fixes.write_text("\n".join([HEADER, *rows]) + "\n")

    def run(self, *more: object) -> tuple[int, list[dict[str, Any]], str]:
        arguments = ["evaluate", self.conditions, self.fixes, *more]
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        return result.exit_code, lines, result.stderr


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_installed_command_judges_files_without_django(desk: Desk) -> None:
    out = desk.folder / "violations.jsonl"
    command = [COMMAND, "evaluate", desk.conditions, desk.fixes, "--profile", "naive"]
    run = subprocess.run([*command, "--out", out], capture_output=True, text=True, check=True)
    (line,) = out.read_text().splitlines()
    found = json.loads(line)
    assert tuple(found) == CONTRACT
    assert (found["wearer"], found["condition"], found["kind"]) == ("W1", "c7", "exclusion")
    assert (found["state"], found["how"], found["profile"]) == ("confirmed", "entered", "naive/1")
    assert found["begin"] == found["confirmed_at"] == "2026-03-01T10:01:00Z"
    assert found["end"] == "2026-03-01T10:03:00Z"
    assert found["fixes"] == 2
    assert found["depth_m"] == pytest.approx(694.5, abs=1)
    assert run.stdout == ""
    summary = dict(said.split(": ") for said in run.stderr.splitlines())
    assert (summary["fixes read"], summary["refused"], summary["wearers"]) == ("4", "0", "1")
    assert summary["violations"] == "1 (1 confirmed)"
    assert {"seconds", "fixes per second"} <= summary.keys()


def test_judging_files_loads_no_django_and_help_no_engine() -> None:
    script = (
        "import sys, ringfence.cli; assert 'numba' not in sys.modules;"
        "import ringfence.trail.judging;"
        "print([m for m in ('django', 'asyncio', 'shapely.plotting') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "django" not in ran.stdout


def test_violations_go_to_standard_output_by_default(desk: Desk) -> None:
    status, lines, summary = desk.run("--profile", "naive")
    assert status == 0
    assert [line["condition"] for line in lines] == ["c7"]
    assert "fixes read: 4" in summary


def test_standard_is_the_default_profile(desk: Desk) -> None:
    rows = [f"W1,2026-03-01T10:{m:02d}:00Z,51.5,-0.1,8,gnss" for m in range(10, 20)]
    desk.write(rows=[*WALK[:1], *rows])
    _, (line,), _ = desk.run()
    assert line["profile"] == "standard/1"
    assert line["end"] is None


def test_until_ends_the_judgement(desk: Desk) -> None:
    status, (line,), summary = desk.run("--profile", "naive", "--until", "2026-03-01T10:02:30Z")
    assert status == 0
    assert line["end"] is None
    assert "after --until, not judged: 1" in summary


def test_until_may_be_later_than_the_last_fix(desk: Desk) -> None:
    until = "2026-03-02T10:00:00Z"
    _, lines, _ = desk.run("--until", until)
    assert "silence" in [line["kind"] for line in lines]
    _, lines, _ = desk.run()
    assert "silence" not in [line["kind"] for line in lines]


def test_signals_are_judged_with_the_fixes(desk: Desk) -> None:
    signals = desk.folder / "signals.csv"
    signals.write_text("wearer,time,kind\nW9,2026-03-01T10:00:30Z,strap_cut\n")
    _, lines, summary = desk.run("--signals", signals, "--profile", "naive")
    tamper = lines[0]
    assert (tamper["wearer"], tamper["kind"], tamper["condition"]) == ("W9", "tamper", None)
    assert "signals read: 1" in summary
    assert "wearers: 2" in summary


def test_refused_rows_are_named_counted_and_the_rest_is_judged(desk: Desk) -> None:
    desk.write(rows=[*WALK, "W1,2026-03-01T10:04:00Z,91,-0.1,8,gnss", "W1,,51.5,-0.1,8,gnss"])
    status, lines, summary = desk.run("--profile", "naive")
    assert status == 0
    assert len(lines) == 1
    assert "fixes row 6 refused: latitude 91 is outside −90…90 degrees" in summary
    assert "fixes row 7 refused: no time" in summary
    assert "refused: 2" in summary.splitlines()


def test_a_thousand_refused_rows_are_counted_by_reason(desk: Desk) -> None:
    desk.write(rows=[*WALK, *["W1,,51.5,-0.1,8,gnss"] * 1000])
    _, _, summary = desk.run("--profile", "naive")
    assert "fixes: 950 more rows refused: no time: a fix needs its instant" in summary
    assert "refused: 1,000" in summary.splitlines()


def test_no_fixes_at_all_are_no_violations(desk: Desk) -> None:
    desk.write(rows=[])
    status, lines, summary = desk.run()
    assert (status, lines) == (0, [])
    assert "fixes read: 0" in summary


BAD = {
    "self-crossing": (
        {"features": [zone() | {"geometry": {"type": "Polygon", "coordinates": [
            [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}]},
        [],
        "feature 1 (c7): geometry: .*edges cross at longitude 0.5000000, latitude 0.5000000",
    ),
    "latitude 91": (
        {"features": [zone(), zone(radius_m=5) | {"id": "c8", "geometry": {
            "type": "Point", "coordinates": [0, 91]}}]},
        [],
        "feature 2 (c8): geometry: the point has latitude 91",
    ),
    "two points": (
        {"features": [zone() | {"geometry": {"type": "Polygon", "coordinates": [
            [[0, 0], [1, 1], [0, 0]]]}}]},
        [],
        "feature 1 (c7): geometry: the outer ring has 2 different positions",
    ),
    "no time zone": ({"features": [zone(timezone="")]}, [], "feature 1 (c7): timezone: absent"),
    "no column": ({"header": "wearer,time,lat"}, [], "fixes.csv: no column lon"),
    "profile": ({}, ["--profile", "bold"], "--profile: profile 'bold' is none of naive/1"),
    "until": ({}, ["--until", "tomorrow"], "--until: 'tomorrow' is not an instant"),
    "naive until": ({}, ["--until", "2026-03-01T10:02:30"], "has no offset: add Z"),
    "no signals": ({}, ["--signals", "nowhere.csv"], "nowhere.csv: No such file"),
    "folder for fixes": ({"fixes": "."}, [], "Is a directory"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_input_that_can_not_be_used_ends_with_two_and_nothing_written(
    desk: Desk, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, arguments, says = BAD[what]
    monkeypatch.chdir(desk.folder)
    desk.write(change.get("features"))
    if "header" in change:
        desk.fixes.write_text(change["header"] + "\nW1,2026-03-01T10:00:00Z,51\n")
    if "fixes" in change:
        desk.fixes = desk.folder
    out = desk.folder / "out.jsonl"
    before = sorted(desk.folder.iterdir())
    status, lines, told = desk.run("--out", out, *arguments)
    assert status == 2
    assert lines == []
    assert sorted(desk.folder.iterdir()) == before
    first, _, rest = says.partition(".*")
    assert first in told
    assert rest in told
    assert len(told.splitlines()) == 1


def test_all_faults_are_told_in_one_go(desk: Desk) -> None:
    desk.write([zone(timezone="Mars"), zone(kind="fence") | {"id": "c8"}])
    desk.fixes.unlink()
    status, _, told = desk.run("--profile", "bold")
    assert status == 2
    assert len(told.splitlines()) == 4


def test_a_folder_that_can_not_be_written_is_told_before_judging(desk: Desk) -> None:
    status, _, told = desk.run("--out", desk.folder / "nowhere" / "out.jsonl")
    assert status == 2
    assert "give --out a folder that can be written" in told


def test_an_older_result_survives_a_failed_run(desk: Desk) -> None:
    out = desk.folder / "out.jsonl"
    out.write_text("kept\n")
    desk.write([zone(kind="fence")])
    assert desk.run("--out", out)[0] == 2
    assert out.read_text() == "kept\n"


def test_profiles_print_their_thresholds_and_sources() -> None:
    told = CliRunner().invoke(app, ["profiles"]).stdout
    for name in ("naive/1:", "standard/1:", "cautious/1:"):
        assert name in told
    assert "silence_s: 4500" in told


@pytest.mark.parametrize("profile", ["naive", "standard"])
def test_order_and_repeats_of_real_fixes_change_no_digit(
    tmp_path: Path, shared: Path, profile: str
) -> None:
    table = parquet.read_table(shared / "traces" / "real_tag_dev.parquet")
    lon, lat = (np.median(table[c].to_numpy()) / 1e6 for c in ("lon_e6", "lat_e6"))
    desk = Desk(tmp_path)
    nightly = [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "19:00", "end": "07:00"}]
    disc = {"type": "Point", "coordinates": [float(lon), float(lat)]}
    told = {"wearer": "tag-a", "from": "2025-01-01T00:00:00Z", "radius_m": 120}
    desk.write(
        [
            zone(**told, buffer_m=150) | {"geometry": disc},
            zone(**told, kind="curfew", when=nightly) | {"geometry": disc, "id": "c8"},
        ]
    )
    desk.fixes = tmp_path / "fixes.parquet"
    shuffled = np.random.default_rng(3).permutation(np.repeat(np.arange(table.num_rows), 2))
    said = []
    for rows in (np.arange(table.num_rows), np.arange(table.num_rows)[::-1], shuffled):
        parquet.write_table(table.take(rows), desk.fixes)
        out = tmp_path / "out.jsonl"
        assert desk.run("--profile", profile, "--out", out)[0] == 0
        said.append(out.read_bytes())
    assert said[0].count(b"\n") > 5
    assert said[1] == said[0]
    assert said[2] == said[0]


def test_out_that_is_a_folder_is_refused_in_a_line(desk: Desk, tmp_path: Path) -> None:
    status, lines, told = desk.run("--out", tmp_path)
    assert (status, lines) == (2, [])
    assert "is a folder: give --out a file's name" in told
    assert "Traceback" not in told
