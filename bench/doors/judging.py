"""`python -m bench.doors.judging FOLDER`: how long detection takes, as JSON on standard output.

A made-up world of 24 wearers with all their conditions, on SQLite. First one report at a time, as
the demo sends them; then micro-batches of 1,000 reports of all wearers, a tenth of them late; then
the bare engine over the same reports, which stores nothing.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ringfence.desk.config.opening import open_desk
from ringfence.sim.world import build_world

ALONE = 300
BATCHES = 20
BATCH = 1000
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(days=3)


def main(folder: Path) -> None:
    open_desk(folder)

    from ringfence.desk.cases.models import Fitting  # noqa: PLC0415 -- needs Django set up
    from ringfence.desk.config.demo_data import load_world  # noqa: PLC0415
    from ringfence.desk.monitoring.detect import detect  # noqa: PLC0415
    from ringfence.desk.monitoring.models import Frame, Report  # noqa: PLC0415

    load_world(build_world(seed=1, at=START))
    # The world's tags are fitted from its beginning, some before.
    tags = list(Fitting.objects.values_list("tag_id", flat=True))
    frames = {t: Frame.objects.create(tag_id=t, door="bench", received_ms=0, raw=b"") for t in tags}
    rng = np.random.default_rng(1)
    first_ms = int(START.timestamp() * 1000) + 3_600_000
    walk = {t: np.array([51.5, -0.1]) + rng.normal(0, 0.02, 2) for t in tags}
    digest = 0

    def report(tag: int, time_ms: int) -> Report:
        nonlocal digest
        digest += 1
        walk[tag] = walk[tag] + rng.normal(0, 3e-4, 2)
        lat, lon = walk[tag]
        return Report(
            tag_id=tag,
            frame=frames[tag],
            digest=digest,
            time_ms=time_ms,
            received_ms=time_ms + 1000,
            lat_e7=round(lat * 1e7),
            lon_e7=round(lon * 1e7),
            accuracy_m=8.0,
            source=1,
        )

    def judged_s() -> float:
        begun = time.perf_counter()
        detect()
        return time.perf_counter() - begun

    Report.objects.bulk_create([report(t, first_ms) for t in tags])
    detect()  # compiles, plans, opens files
    alone = []
    for n in range(ALONE):
        Report.objects.bulk_create([report(tags[n % len(tags)], first_ms + 2_500 * (n + 1))])
        alone.append(judged_s())
    batches, clock_ms = [], first_ms + 2_500 * (ALONE + 1)
    for _ in range(BATCHES):
        rows = []
        for n in range(BATCH):
            late_ms = int(rng.integers(60_000, 600_000)) if n % 10 == 0 else 0
            rows.append(report(tags[n % len(tags)], clock_ms + 60_000 * (n // len(tags)) - late_ms))
        Report.objects.bulk_create(rows)
        batches.append(judged_s())
        clock_ms += 60_000 * (BATCH // len(tags) + 1)
    json.dump({"alone_s": alone, "batches_s": batches, "engine_s": _engine_s()}, sys.stdout)


def _engine_s() -> float:
    """The engine alone over every stored report, read and sorted already."""
    from ringfence.desk.cases.models import Wearer  # noqa: PLC0415
    from ringfence.desk.monitoring.fitted import Fitted  # noqa: PLC0415
    from ringfence.desk.monitoring.judging import NEVER_MS, Task, judge  # noqa: PLC0415
    from ringfence.desk.monitoring.plans import Plans  # noqa: PLC0415
    from ringfence.desk.monitoring.rows import reports_after  # noqa: PLC0415

    rows = reports_after(0, 10**9)
    fitted = Fitted()
    fitted.refresh()
    fitted.assign(rows)
    tasks = [
        Task(w.pk, w.crn, None, NEVER_MS, rows[rows["wearer"] == w.pk], NEVER_MS)
        for w in Wearer.objects.all()
    ]
    plan = Plans().covering(int(rows["time_ms"].min()), int(rows["time_ms"].max()))
    begun = time.perf_counter()
    judge(plan, tasks)
    return (time.perf_counter() - begun) * BATCH / len(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
