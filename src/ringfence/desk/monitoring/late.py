"""Late reports that wait: so many wearers at once are judged again, the others in their turn.

Judging again costs ten times what going on does. After an outage thousands of wearers need it, most
of them again and again as their tags' memories empty; a live fix must not wait behind that. So what
is late beyond `MOST` is noted in the transaction that reads it, and taken up by who has waited
longest; what else came late of a wearer meanwhile is judged with it, in one go.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from ringfence.desk.monitoring.models import LateReports

MOST = 64
"""Wearers judged again in one round because data came late: 0.2 s of it, at most, on one core."""


@dataclass(frozen=True, slots=True)
class Late:
    """A wearer's late reports that wait."""

    wearer_id: int
    from_ms: int
    """The earliest of them, by its own time."""
    received_ms: int
    """When the first of them came."""
    reports: int


def waiting(most: int = MOST) -> list[Late]:
    """Those who have waited longest."""
    rows = LateReports.objects.order_by("received_ms", "wearer_id")[:most]
    columns = ("wearer_id", "from_ms", "received_ms", "reports")
    return [Late(*row) for row in rows.values_list(*columns)]


def wearers_waiting() -> set[int]:
    """Of whom anything late waits: their silence means nothing yet."""
    return set(LateReports.objects.values_list("wearer_id", flat=True))


def note(late: Sequence[Late], taken_up: Collection[int]) -> None:
    """Let some wait, and strike off who was judged again, within the caller's transaction."""
    if taken_up:
        LateReports.objects.filter(pk__in=taken_up).delete()
    table = LateReports._meta.db_table
    least = "min" if connection.vendor == "sqlite" else "least"
    with connection.cursor() as cursor:
        for one in late:
            cursor.execute(
                f"INSERT INTO {table} (wearer_id, from_ms, received_ms, reports) "  # noqa: S608 -- ours
                "VALUES (%s, %s, %s, %s) ON CONFLICT (wearer_id) DO UPDATE SET "
                f"from_ms = {least}({table}.from_ms, excluded.from_ms), "
                f"received_ms = {least}({table}.received_ms, excluded.received_ms), "
                f"reports = {table}.reports + excluded.reports",
                [one.wearer_id, one.from_ms, one.received_ms, one.reports],
            )
