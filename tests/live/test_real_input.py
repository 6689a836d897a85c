"""Real noise through the real doors: what stands in the database is what `evaluate` says."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.live.running import Running, commands, lines_of, new_tag

TRIP = "car_scooter_brex_san_jose/ucb-sdb-ios-3/1564244052_1564263856"
"""The shortest MobilityNet trip of half a day: 891 fixes by car and scooter."""
Trail = list[dict[str, Any]]
Sends = list[Trail]


def real_tag(shared: Path) -> Trail:
    table = pq.read_table(shared / "traces" / "real_tag_dev.parquet")
    return [
        _fix(r["time_ms"], r, r["accuracy_m"], r["source"], r["speed_mps"])
        for r in table.to_pylist()
    ]


def mobilitynet_trip(shared: Path) -> Trail:
    table = pq.read_table(shared / "traces" / "mobilitynet_trips_dev.parquet")
    rows = [r for r in table.to_pylist() if r["traj"] == TRIP]
    return [_fix(r["t_ms"], r, r["acc_m"], "gnss", r["speed_mps"]) for r in rows]


def _fix(
    time_ms: int, row: dict[str, Any], accuracy_m: float, source: str, speed_mps: float
) -> dict[str, Any]:
    return {
        "time_ms": time_ms,
        "lat": row["lat_e6"] / 1e6,
        "lon": row["lon_e6"] / 1e6,
        "accuracy_m": accuracy_m,
        "source": source,
        "speed_mps": speed_mps if speed_mps is not None and speed_mps >= 0 else None,
    }


def zones(wearer: str, trail: Trail) -> list[dict[str, Any]]:
    """Zones beside and across a path, a place to stay in, a curfew at the usual place."""
    lat, lon = np.array([f["lat"] for f in trail]), np.array([f["lon"] for f in trail])
    home = [float(np.median(lon)), float(np.median(lat))]
    per_m = 1 / 111_000
    beside = [home[0] + 170 * per_m / math.cos(math.radians(home[1])), home[1]]
    south, north = (float(q) for q in np.quantile(lat, [0.02, 0.98]))
    west, east = (float(q) for q in np.quantile(lon, [0.55, 0.8]))
    first_ms = min(f["time_ms"] for f in trail)
    last_ms = max(f["time_ms"] for f in trail)
    span = {"from": _iso(first_ms - 86_400_000), "to": _iso(last_ms + 86_400_000)}
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    across = {"type": "Polygon", "coordinates": [_box(west, south, east, north)]}
    whole = {
        "type": "Polygon",
        "coordinates": [_box(float(lon.min()), south, float(lon.max()), north)],
    }
    cut = {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    rules: list[tuple[str, Any, dict[str, Any]]] = [
        (
            "beside",
            {"type": "Point", "coordinates": beside},
            {"kind": "exclusion", "radius_m": 120, "buffer_m": 100},
        ),
        ("across", across, {"kind": "exclusion", "buffer_m": 200}),
        ("cut", cut, {"kind": "exclusion", "width_m": 60}),
        ("stay", whole, {"kind": "inclusion"}),
        (
            "curfew",
            {"type": "Point", "coordinates": home},
            {
                "kind": "curfew",
                "radius_m": 150,
                "when": [{"days": days, "start": "19:00", "end": "07:00"}],
            },
        ),
    ]
    return [
        {
            "type": "Feature",
            "id": f"{wearer}-{name}",
            "geometry": geometry,
            "properties": {"wearer": wearer, **span, **said},
        }
        for name, geometry, said in rules
    ]


def _box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def _pieces(trail: Trail, sizes: Callable[[], int]) -> Sends:
    pieces, n = [], 0
    while n < len(trail):
        size = sizes()
        pieces.append(trail[n : n + size])
        n += size
    return pieces


def in_order(trail: Trail, _rng: random.Random) -> Sends:
    return _pieces(trail, lambda: 60)


def shuffled(trail: Trail, rng: random.Random) -> Sends:
    return _pieces(rng.sample(trail, len(trail)), lambda: 250)


def duplicated(trail: Trail, rng: random.Random) -> Sends:
    pieces = [p for piece in _pieces(trail, lambda: 60) for p in (piece, piece)]
    return [*pieces, *_pieces(rng.sample(trail, len(trail) // 2), lambda: 250)]


def chopped(trail: Trail, rng: random.Random) -> Sends:
    return _pieces(trail, lambda: rng.choice([1, 2, 3, 7, 40]))


WAYS = [in_order, shuffled, duplicated, chopped]


@pytest.mark.parametrize(
    "trace", [pytest.param(real_tag, marks=pytest.mark.heavy), mobilitynet_trip]
)
def test_violations_of_real_input_are_those_of_evaluate_however_it_arrives(
    trace: Callable[[Path], Trail], platform: Running, shared: Path, tmp_path: Path
):
    trail, rng = trace(shared), random.Random(7)
    sends: dict[str, Sends] = {way.__name__: way(trail, rng) for way in WAYS}
    features = [feature for wearer in sends for feature in zones(wearer, trail)]
    collection = {"type": "FeatureCollection", "features": features}
    (tmp_path / "conditions.json").write_text(json.dumps(collection))
    *tokens, _ = commands(
        *(new_tag(platform.data, f"T-{w}", w, "2015-01-01T00:00:00Z") for w in sends),
        ("import", "conditions", tmp_path / "conditions.json", "--data", platform.data),
    )
    platform.start()
    platform.wait_ready()
    for token, (wearer, pieces) in zip(tokens, sends.items(), strict=True):
        for piece in pieces:
            reports = [_as_sent(fix) for fix in piece]
            assert platform.post(f"T-{wearer}", token.strip(), reports)
    platform.wait_settled()
    # Nothing can change in the seconds between: the next deadline of silence is long past.
    until = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    platform.stop()
    _write(tmp_path / "fixes.parquet", trail, list(sends))
    files = tmp_path / "conditions.json", tmp_path / "fixes.parquet"
    commands(
        ("export", "violations", "--out", tmp_path / "live.jsonl", "--data", platform.data),
        ("evaluate", *files, "--until", until, "--out", tmp_path / "file.jsonl"),
    )
    live, file = lines_of(tmp_path / "live.jsonl"), lines_of(tmp_path / "file.jsonl")
    assert live == file
    kinds = {(v["wearer"], v["kind"], v["state"]) for v in map(json.loads, live)}
    for wearer in sends:
        assert (wearer, "exclusion", "confirmed") in kinds


def _as_sent(fix: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in fix.items() if name != "time_ms" and value is not None}
    if math.isnan(said.get("speed_mps", 0.0)):
        del said["speed_mps"]
    return {**said, "time": _iso(fix["time_ms"])}


def _write(path: Path, trail: Trail, wearers: list[str]) -> None:
    rows = [{"wearer": wearer, **fix} for wearer in wearers for fix in trail]
    pq.write_table(pa.Table.from_pylist(rows), path)
