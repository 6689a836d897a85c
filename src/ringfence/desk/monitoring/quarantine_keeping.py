"""The quarantine has a size: beyond it, what came first goes first."""

from __future__ import annotations

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Length

from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.kit.acting import action
from ringfence.desk.monitoring.allowance import ROW_BYTES
from ringfence.desk.monitoring.models import Quarantine

MOST_BYTES = 512 << 20
"""Of known senders, and as much of strangers: no stranger pushes out what a tag said. Under the
steadiest attack that the allowance lets in, strangers' part goes back 18 hours."""
MOST_ROWS = 5_000
"""In one go, so that the write lock is never held for long; twice what the allowance lets in
between two runs."""
KNOWN = Q(tag__isnull=False) | Q(feed__isnull=False)


def keep_within(most_bytes: int = MOST_BYTES) -> int:
    """Drop what is too much, and record how much it was; resolved items first, then the oldest.

    Args:
        most_bytes: raw bytes, with `ROW_BYTES` a row, of each half.

    Returns:
        How many were dropped: at most `MOST_ROWS` of each half.
    """
    return sum(_keep(half, most_bytes) for half in (KNOWN, ~KNOWN))


def _keep(half: Q, most_bytes: int) -> int:
    held = Quarantine.objects.filter(half).aggregate(raw=Sum(Length("raw")), rows=Count("id"))
    over = (held["raw"] or 0) + held["rows"] * ROW_BYTES - most_bytes
    if over <= 0:
        return 0
    rows = Quarantine.objects.filter(half).order_by(F("resolved_at").asc(nulls_last=True), "id")
    going = []
    for pk, size in rows.values_list("pk", Length("raw"))[:MOST_ROWS]:
        going.append(pk)
        over -= size + ROW_BYTES
        if over <= 0:
            break
    _drop(going)
    return len(going)


@action
def _drop(going: list[int]) -> None:
    rows = Quarantine.objects.filter(pk__in=going)
    reasons = dict(rows.values_list("reason").annotate(Count("id")).order_by())
    rows.delete()
    record(
        by="system:housekeeping",
        event=Event.QUARANTINE_DROPPED,
        subject="register:quarantine",
        reason="the quarantine is full",
        detail={"items": len(going), "reasons": reasons, "last": max(going)},
    )
