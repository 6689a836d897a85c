"""What a fresh process spends on importing the engine, and until its first judgement."""

from __future__ import annotations

import statistics
import subprocess
import sys

from bench.row import Row

IMPORT = "import time; import ringfence.engine; print(time.process_time())"
JUDGE = "import time; from ringfence.engine.warm import warm; warm(); print(time.process_time())"
NUMBA = "import time; import numba; print(time.process_time())"
ROUNDS = 5


def run() -> list[Row]:
    imported_s = cpu_s(IMPORT)
    return [
        Row("import ringfence.engine", imported_s, "s of CPU"),
        Row("import ringfence.engine: how often into 1 s", 1.0 / imported_s, "times", 1.0),
        Row("import numba, put off until something is judged", cpu_s(NUMBA), "s of CPU"),
        Row("until the first judgement, compiled at install", cpu_s(JUDGE), "s of CPU"),
    ]


def cpu_s(script: str) -> float:
    """The median of some fresh processes; the first fills the caches of files."""
    command = [sys.executable, "-c", script]
    took = [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603 -- our own words
        for _ in range(ROUNDS + 1)
    ]
    return statistics.median(took[1:])
