"""From stored to judged, in one process on SQLite with every commit on the disk.

`one report` is what a report waits at the demo's load, when it comes alone; `1,000 reports` are of
24 wearers in one micro-batch, a tenth of them up to ten minutes late, so that their wearers are
rewound and judged again. The bare engine over as many reports, which stores nothing, is the peer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

import numpy as np

from bench.row import Row

MOST_S = 0.1
"""What judging may take of the second from a report's arrival to its alert on a page."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        done = subprocess.run(  # noqa: S603 -- our own module
            [sys.executable, "-m", "bench.doors.judging", folder],
            capture_output=True,
            text=True,
            check=True,
        )
    took = json.loads(done.stdout)
    alone, batches = np.array(took["alone_s"]), np.array(took["batches_s"])
    return [
        Row("one report, p50", float(np.median(alone)) * 1000, "ms"),
        Row("one report, p99", float(np.quantile(alone, 0.99)) * 1000, "ms"),
        Row(
            "one report, p99: how often into 100 ms",
            MOST_S / float(np.quantile(alone, 0.99)),
            "times",
            1.0,
        ),
        Row("1,000 reports, a tenth late, p50", float(np.median(batches)) * 1000, "ms"),
        Row("1,000 reports, a tenth late, worst", float(batches.max()) * 1000, "ms"),
        Row("judged and stored", 1000 / float(np.median(batches)), "reports/s"),
        Row("desk", float(np.median(batches)) / took["engine_s"], "times", None, "the bare engine"),
    ]
