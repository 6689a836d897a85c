"""A long Parquet file is judged a piece at a time: the same violations as of the whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from ringfence.engine import Batch
from ringfence.trail import by_piece
from ringfence.trail.by_piece import judge_files, survey_of
from ringfence.trail.judging import InputError, judge, read_files
from ringfence.trail.violations_file import violation_lines

START_MS = 1_772_359_200_000
"""1 March 2026, 10:00 UTC."""
BOX = [[-0.11, 51.49], [-0.09, 51.49], [-0.09, 51.51], [-0.11, 51.51], [-0.11, 51.49]]
MINUTES = 300


def rows(seed: int = 1, people: int = 4) -> dict[str, list[object]]:
    """Walks in and out of a zone, all wearers minute by minute, as a day's export is."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[object]] = {
        name: [] for name in ("wearer", "time", "lat_e7", "lon_e7", "accuracy_m", "source")
    }
    lon = -0.12 + np.cumsum(rng.normal(0, 0.002, (MINUTES, people)), axis=0)
    for minute in range(MINUTES):
        for w in range(people):
            columns["wearer"].append(f"W{w}")
            columns["time"].append(START_MS + 60_000 * minute + w)
            columns["lat_e7"].append(515_000_000 + w)
            columns["lon_e7"].append(int(lon[minute, w] * 1e7))
            columns["accuracy_m"].append(8.0)
            columns["source"].append(1)
    return columns


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(by_piece, "ROWS", 150)
    features = [
        {
            "type": "Feature",
            "id": f"c{w}",
            "geometry": {"type": "Polygon", "coordinates": [BOX]},
            "properties": {
                "wearer": f"W{w}",
                "kind": "exclusion",
                "from": "2026-01-01T00:00:00Z",
                "buffer_m": 300,
            },
        }
        for w in range(3)
    ]
    told = {"type": "FeatureCollection", "features": features}
    (tmp_path / "conditions.geojson").write_text(json.dumps(told))
    return tmp_path


def write(folder, columns, **more):
    table = pa.table({name: pa.array(values) for name, values in (columns | more).items()})
    if "time" in columns:
        at = table.column_names.index("time")
        time = table["time"].cast(pa.int64()).cast(pa.timestamp("ms", "UTC"))
        table = table.set_column(at, "time", time)
    parquet.write_table(table, folder / "fixes.parquet", row_group_size=200)
    return folder / "conditions.geojson", folder / "fixes.parquet"


def as_whole(conditions, fixes, **more):
    files = read_files(conditions, fixes, **more)
    return files, judge(files)


def same(conditions, fixes, **more) -> tuple[object, object]:
    """Judge both ways and compare all that is told."""
    (files, found), (whole, all_found) = (
        judge_files(conditions, fixes, **more),
        as_whole(conditions, fixes, **more),
    )
    assert violation_lines(found.violations) == violation_lines(all_found.violations)
    assert (found.wearers, found.after_until, found.misdated) == (
        all_found.wearers,
        all_found.after_until,
        all_found.misdated,
    )
    assert files.fixes.refused == whole.fixes.refused
    assert files.fixes.read == whole.fixes.read
    assert files.fixes.wearers == whole.fixes.wearers
    return files, found


@pytest.mark.parametrize("profile", ["naive", "standard", "cautious"])
def test_it_finds_what_the_whole_file_holds(folder, profile) -> None:
    files, found = same(*write(folder, rows()), profile=profile)
    assert len(found.violations) > 5
    assert not len(files.fixes.batch), "it was judged by pieces"


def test_it_judges_up_to_an_instant(folder) -> None:
    until = datetime.fromtimestamp(START_MS / 1000 + 7_000, UTC).isoformat()
    _, found = same(*write(folder, rows()), until=until)
    assert found.after_until > 0
    later = datetime.fromtimestamp(START_MS / 1000 + 90_000, UTC).isoformat()
    same(folder / "conditions.geojson", folder / "fixes.parquet", until=later)


def test_rows_that_are_refused_are_named_by_their_numbers(folder) -> None:
    columns = rows()
    for row in (0, 7, 640, len(columns["wearer"]) - 1):
        columns["lat_e7"][row] = 1_800_000_000
    columns["wearer"][300] = " "
    files, _ = same(*write(folder, columns))
    assert [row for row, _ in files.fixes.refused] == [1, 8, 301, 641, 1200]


@pytest.mark.parametrize("order", ["wearers", "backwards", "twice"])
def test_any_order_leads_to_the_same(folder, order) -> None:
    columns = rows()
    by = {
        "wearers": np.lexsort((columns["time"], columns["wearer"])),
        "backwards": np.arange(len(columns["time"]))[::-1],
        "twice": np.tile(np.arange(len(columns["time"])), 2),
    }[order]
    moved = {name: [values[i] for i in by] for name, values in columns.items()}
    files, _ = same(*write(folder, moved))
    assert bool(len(files.fixes.batch)) == (order != "wearers"), "read whole only if it must be"


def test_a_clock_that_is_years_off_is_read_whole(folder) -> None:
    columns = rows()
    columns["time"][500] += 10 * 366 * 86_400_000
    files, found = same(*write(folder, columns))
    assert found.misdated == 1
    assert isinstance(files.fixes.batch, Batch)


def test_victims_devices_are_read_whole(folder) -> None:
    paths = write(
        folder, rows(), role=["victim" if w == "W3" else "wearer" for w in rows()["wearer"]]
    )
    assert survey_of(paths[1]) is None
    same(*paths)


@pytest.mark.parametrize("missing", ["lat_e7", "wearer", "time"])
def test_what_is_missing_is_said_as_of_any_file(folder, missing) -> None:
    columns = rows()
    del columns[missing]
    with pytest.raises(InputError, match="no column"):
        judge_files(*write(folder, columns))


def test_a_file_cut_short_is_said_to_be_damaged(folder) -> None:
    conditions, fixes = write(folder, rows())
    data = fixes.read_bytes()
    fixes.write_bytes(data[:60] + bytes(len(data) // 2) + data[60 + len(data) // 2 :])
    with pytest.raises(InputError, match=r"damaged|can not be read"):
        judge_files(conditions, fixes)
