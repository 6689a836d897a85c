"""`ringfence evaluate` on a long Parquet file: fixes a second, and memory, of a fresh process.

From the command to the violations on disk: import, conditions, reading, judging by `standard`,
writing. Conditions are those of `bench.law`, eight a wearer. Wearers sleep at home and go out three
times by day, so that they break about two a wearer-day: the simulator's wearers break 0.7, and
well-run schemes have 0.9 to 1.25 alerts [S]. (Those of `bench.law` walk about day and night, and
break eight.) Each day is the first one again, with other errors.
`python -m bench.parquet 50` writes and judges 50 million rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench.law import DAY, FRAME, START_AT, conditions_of
from bench.row import Row
from ringfence.engine import Condition
from ringfence.engine.fix import E7

MILLIONS = 6
WEARERS = 100
DAY_MS = 86_400_000
GROUP = 262_144
METRE_E7 = 90
"""About, in 1e-7 degrees of latitude; of longitude it is two thirds."""

LAUNCH = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
"""A small process starts the one that is measured: a child's peak counts that of who started it."""


class Used(NamedTuple):
    """What a process took."""

    cpu_s: float
    peak_kb: int


def run(millions: int = MILLIONS) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write(folder, millions * 1_000_000 // WEARERS)
        mega = (folder / "fixes.parquet").stat().st_size / 1e6
        used = judged(folder)
        violations = sum(1 for _ in (folder / "out.jsonl").open(encoding="utf-8"))
    cpu_s, peak_mb = used.cpu_s, used.peak_kb / 1024
    return [
        Row(
            f"{count / 1e6:g} M fixes, Parquet to violations", count / cpu_s / 1e6, "M/s a core", 1
        ),
        Row("memory at most", peak_mb, "MiB"),
        Row("memory at most: how often into 1 GiB", 1024 / peak_mb, "times", 1.0),
        Row("file", mega, "MB"),
        Row("violations", violations * DAY / count, "a wearer-day"),
    ]


def judged(folder: Path) -> Used:
    """What a process of its own takes for the judgement."""
    names = ("conditions.geojson", "fixes.parquet", "--out", "out.jsonl")
    arguments = [n if n.startswith("--") else str(folder / n) for n in names]
    command = [str(Path(sys.executable).parent / "ringfence"), "evaluate", *arguments]
    # Python keeps what it compiled, as wherever Ringfence is installed.
    env = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    said = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", LAUNCH, *command],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return Used(*json.loads(said.stdout))


def write(folder: Path, each: int) -> int:
    """Conditions and fixes as files, `each` fixes a wearer; returns how many in all."""
    features = []
    schema = pa.schema(
        [
            ("wearer", pa.string()),
            ("time", pa.timestamp("ms", "UTC")),
            ("lat_e7", pa.int32()),
            ("lon_e7", pa.int32()),
            ("accuracy_m", pa.float32()),
            ("source", pa.int8()),
        ]
    )
    with parquet.ParquetWriter(folder / "fixes.parquet", schema, compression="zstd") as file:
        for w in range(WEARERS):
            rng = np.random.default_rng(w)
            home, wearer = rng.normal(0, 8_000, 2), f"W{w:05d}"
            features += [feature(c) for c in conditions_of(rng, wearer, home)]
            file.write_table(fixes(rng, wearer, home, each).cast(schema), row_group_size=GROUP)
    found = {"type": "FeatureCollection", "features": features}
    (folder / "conditions.geojson").write_text(json.dumps(found))
    return each * WEARERS


def feature(condition: Condition) -> dict[str, object]:
    times = [
        {"days": list(w.days), "start": f"{w.start:%H:%M}", "end": f"{w.end:%H:%M}"}
        for w in condition.when
    ]
    sizes = {n: getattr(condition, n) for n in ("radius_m", "width_m", "buffer_m")}
    return {
        "type": "Feature",
        "id": condition.id,
        "geometry": condition.geometry,
        "properties": {
            "wearer": condition.wearer,
            "kind": str(condition.kind),
            "from": condition.from_at.isoformat(),
            "to": None,
            **({"when": times} if times else {}),
            **{n: size for n, size in sizes.items() if size},
        },
    }


def fixes(rng: np.random.Generator, wearer: str, home: np.ndarray, each: int) -> pa.Table:
    day = np.rint(np.column_stack(FRAME.to_degrees(*lived(rng, home).T)) * E7).astype(np.int32)
    circles = rng.choice([6.0, 10.0, 25.0], DAY)
    row = np.arange(each)
    error = rng.normal(0, 5, (2, each)) * METRE_E7
    return pa.table(
        {
            "wearer": pa.DictionaryArray.from_arrays(np.zeros(each, np.int32), [wearer]),
            "time": int(START_AT.timestamp() * 1000) + row // DAY * DAY_MS + row % DAY * 60_000,
            "lat_e7": day[row % DAY, 1] + error[0].astype(np.int32),
            "lon_e7": day[row % DAY, 0] + (1.5 * error[1]).astype(np.int32),
            "accuracy_m": circles[row % DAY],
            "source": np.ones(each, np.int8),
        }
    )


def lived(rng: np.random.Generator, home: np.ndarray) -> np.ndarray:
    """(DAY, 2) metres, minute by minute: out three times by day, on foot or by bus, home by six."""
    walk = np.tile(home, (DAY, 1))
    for begin in (8 * 60, 12 * 60, 15 * 60):
        goal = home + rng.normal(0, 3_000, 2)
        way = 1 + min(60, int(np.hypot(*(goal - home)) / rng.choice([80.0, 350.0])))
        there = home + np.linspace(0, 1, way)[:, None] * (goal - home)
        out = np.vstack([there, np.tile(there[-1], (rng.integers(10, 60), 1)), there[::-1]])
        first = begin + int(rng.integers(0, 30))
        walk[first : first + len(out)] = out
    return walk


if __name__ == "__main__":
    for told in run(int(sys.argv[1]) if len(sys.argv) > 1 else MILLIONS):
        sys.stdout.write(f"{told.name}: {told.figure:,.4g} {told.unit}\n")
