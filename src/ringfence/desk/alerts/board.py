"""The queue as the control room shows it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from ringfence.desk.alerts.models import Alert, Notice
from ringfence.desk.alerts.queries import open_counts, queue
from ringfence.desk.monitoring.bulletin import latest_change_id

SHOWN = 50
"""More than anybody handles at a glance; the page says how many more there are, and where."""


@dataclass(frozen=True, slots=True)
class Board:
    """The queue's first alerts, and how many there are in all."""

    alerts: list[Alert]
    """Each with `undelivered`: no open page has shown it yet."""
    total: int
    counts: dict[int, int]
    """By severity."""
    change_id: int
    """The newest change that this board holds."""

    @property
    def beyond(self) -> int:
        """How many alerts stand below what is shown."""
        return self.total - len(self.alerts)


def board() -> Board:
    """Read the queue, gravest and newest first."""
    # Read first: a change that comes meanwhile is then told again rather than lost.
    change_id = latest_change_id()
    counts = open_counts()
    waiting = Notice.objects.filter(
        alert=OuterRef("pk"), channel="control_room", delivered_at__isnull=True
    )
    alerts = queue().annotate(undelivered=Exists(waiting))[:SHOWN]
    return Board(list(alerts), sum(counts.values()), counts, change_id)
