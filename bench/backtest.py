"""How long it takes to try a zone on one wearer's month, read from SQLite."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from bench.row import Row


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        done = subprocess.run(  # noqa: S603 -- our own module
            [sys.executable, "-m", "bench.doors.trying", folder],
            capture_output=True,
            text=True,
            check=True,
        )
    took = json.loads(done.stdout)
    return [
        Row("a month, a fix a minute", took["minute_s"], "s"),
        Row("a month, a fix a minute: how often into 1 s", 1 / took["minute_s"], "times", 1.0),
        Row("a month, a fix each 15 s", took["dense_s"], "s"),
        Row("a month, a fix each 15 s: how often into 1 s", 1 / took["dense_s"], "times", 1.0),
        Row("the first try, engine loaded", took["first_s"], "s"),
        Row("alerts found", took["minute_alerts"], "alerts"),
    ]
