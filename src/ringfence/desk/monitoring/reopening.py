"""After the platform was down, tags say first what they kept; only then is silence judged.

While the doors are closed every tag falls silent, and none of them is to blame. Judged as soon as
the doors open again, a night's maintenance would end in an alert of every wearer, each to be closed
by hand. A deadline that fell due in the dark is only put off, never dropped: it fires at its own
instant when the time is over, or when that wearer's next report is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from ringfence.desk.kit.clock import now
from ringfence.desk.monitoring.queries import heard_at

CLOSED = timedelta(minutes=5)
"""Nothing came for longer: the doors were closed, or none is there who reports."""
TIME_TO_SPEAK = timedelta(minutes=15)
"""What a tag may take to hand in what it kept (field.md: 15 min to upload)."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reopening:
    """Up to when deadlines may fire."""

    dark_from_at: datetime | None = None
    """When the last report came before the doors were closed; None = nothing is put off."""
    until_at: datetime | None = None

    def doors_open(self) -> None:
        """The platform takes reports, from now on or again."""
        at, last_at = now(), heard_at()
        if last_at is None or at - last_at <= CLOSED:
            return
        self.dark_from_at, self.until_at = last_at, at + TIME_TO_SPEAK
        log.info("deadlines_put_off", pause_s=TIME_TO_SPEAK.total_seconds())

    def limit(self, at: datetime) -> datetime:
        """Up to which instant deadlines may fire at `at`."""
        if self.dark_from_at is None or self.until_at is None:
            return at
        if at < self.until_at:
            return min(at, self.dark_from_at)
        self.dark_from_at = self.until_at = None
        return at


reopening = Reopening()
"""Of this process."""
