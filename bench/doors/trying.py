"""`python -m bench.doors.trying FOLDER`: seconds to try a zone on a wearer's stored month, as JSON.

30 days on SQLite: once with a fix a minute, once with the denser fixes of a violation, every 15 s
all the time. Reading included; the first try, which loads the compiled engine, is told apart.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ringfence.desk.config.opening import open_desk
from ringfence.engine import Condition, Kind

END = datetime.now(UTC).replace(microsecond=0)
START = END - timedelta(days=30)
ROUNDS = 3


def main(folder: Path) -> None:
    open_desk(folder)

    from ringfence.desk.cases.actions import add_wearer  # noqa: PLC0415 -- needs Django set up
    from ringfence.desk.cases.models import Wearer  # noqa: PLC0415
    from ringfence.desk.cases.tag_actions import add_tag, fit_tag  # noqa: PLC0415
    from ringfence.desk.config.backtesting import backtest_stored  # noqa: PLC0415
    from ringfence.desk.monitoring.models import Cursor, Frame, Report  # noqa: PLC0415
    from ringfence.desk.monitoring.queries import STAGE  # noqa: PLC0415

    def month(crn: str, step_s: int) -> Wearer:
        wearer = add_wearer(by="system:bench", crn=crn)
        tag, _ = add_tag(by="system:bench", name=f"T-{crn}")
        fit_tag(by="system:bench", tag=tag, wearer=wearer, from_at=START - timedelta(days=1))
        frame = Frame.objects.create(tag=tag, door="bench", peer="", received_ms=0, raw=b"")
        rng, count = np.random.default_rng(1), 30 * 86_400 // step_s
        # Home, and out to the zone's neighbourhood and into it several times a day.
        phase = np.arange(count) * step_s / 86_400 * 2 * np.pi * 5
        lat = 51.5 + 0.02 * np.sin(phase) + rng.normal(0, 5e-5, count)
        lon = -0.1 + 0.03 * np.cos(phase) + rng.normal(0, 5e-5, count)
        first_ms = int(START.timestamp() * 1000)
        Report.objects.bulk_create(
            [
                Report(
                    tag=tag,
                    frame=frame,
                    digest=n,
                    time_ms=first_ms + 1000 * step_s * n,
                    received_ms=first_ms + 1000 * step_s * n + 1000,
                    lat_e7=round(lat[n] * 1e7),
                    lon_e7=round(lon[n] * 1e7),
                    accuracy_m=8.0,
                    source=1,
                )
                for n in range(count)
            ],
            batch_size=5000,
        )
        return wearer

    zone = Condition(
        "tried",
        "anyone",
        Kind.EXCLUSION,
        START,
        geometry={"type": "Point", "coordinates": [-0.07, 51.5]},
        radius_m=800.0,
        buffer_m=200.0,
    )
    people = {"minute": month("X000001", 60), "dense": month("X000002", 15)}
    last = Report.objects.order_by("-id").values_list("id", flat=True)[0]
    Cursor.objects.create(stage=STAGE, position=last)

    def tried(wearer: Wearer) -> tuple[float, int]:
        begun = time.perf_counter()
        done = backtest_stored(zone, wearer, by="system:bench", why="bench", until_at=END)
        return time.perf_counter() - begun, len(done.alerts)

    took = {"first_s": tried(people["minute"])[0]}
    for name, wearer in people.items():
        rounds = [tried(wearer) for _ in range(ROUNDS)]
        took[f"{name}_s"] = min(seconds for seconds, _ in rounds)
        took[f"{name}_alerts"] = rounds[0][1]
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
