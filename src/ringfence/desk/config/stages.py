"""The stages of the watch loop, in the order in which a fix travels."""

from __future__ import annotations

from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.alerts.system import SystemWatch
from ringfence.desk.config.housekeeping import tidy
from ringfence.desk.config.watch import Stage
from ringfence.desk.monitoring.detect import detect, wake_due
from ringfence.desk.monitoring.quarantine_keeping import keep_within

TIDY_EVERY_S = 60.0
LOOK_EVERY_S = 1.0
"""How often the platform looks after itself: often, so that each look is short."""
KEEP_EVERY_S = 150.0
"""In this time each half of a full quarantine grows by 1.2 MiB, or 2,400 rows, at most; its size is
counted row by row."""


def stages() -> list[Stage]:
    """Each reads one table and writes the next; the order only saves a round's delay."""
    line = [
        Stage("monitoring.detect", detect),
        Stage("monitoring.deadlines", wake_due),
        Stage("alerts.opening", open_alerts),
        Stage("housekeeping", tidy, every_s=TIDY_EVERY_S),
        Stage("quarantine", keep_within, every_s=KEEP_EVERY_S),
    ]
    look = SystemWatch(lambda: [(stage.name, stage.failures) for stage in line])
    return [*line, Stage("alerts.system", look, every_s=LOOK_EVERY_S)]
