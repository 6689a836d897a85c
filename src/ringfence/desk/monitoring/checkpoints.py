"""Earlier states of a wearer, to rewind to when late data arrives.

Bounded, and never needed for the answer: without them the whole trail is judged again.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from ringfence.desk.monitoring.models import Checkpoint

EVERY_MS = 30 * 60_000
"""A late report costs at most half an hour of judging again, plus all that came after it."""
DENSE_MS = 48 * 3_600_000
"""All of the last two days of a wearer's own time: tags keep an hour or a day, rarely more."""
DAILY = 30
WEEKLY = 52
"""Older: one a day for a month, one a week for a year; so at most 96 + 30 + 52 a wearer."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier state of a wearer."""

    at_ms: int
    state: bytes


def base_before(wearer_id: int, late_ms: int) -> Base | None:
    """The newest state from before an instant; None = start from nothing."""
    # Plain: after an outage thousands ask, and Django’s question costs ten times as much.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at_ms, state FROM monitoring_checkpoint WHERE wearer_id = %s AND at_ms < %s "
            "ORDER BY at_ms DESC LIMIT 1",
            [wearer_id, late_ms],
        )
        found = cursor.fetchone()
    return Base(found[0], bytes(found[1])) if found else None


def drop_from(wearer_id: int, at_ms: int) -> None:
    """Drop a wearer's checkpoints from an instant on, within the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM monitoring_checkpoint WHERE wearer_id = %s AND at_ms >= %s",
            [wearer_id, at_ms],
        )


def to_drop(at_ms: list[int]) -> list[int]:
    """Which of a wearer's checkpoints, by their instants, are no longer kept."""
    if not at_ms:
        return []
    newest = max(at_ms)
    kept: set[int] = set()
    days: dict[int, int] = {}
    weeks: dict[int, int] = {}
    for at in sorted(at_ms):
        if newest - at <= DENSE_MS:
            kept.add(at)
        days.setdefault(at // DAY_MS, at)
        weeks.setdefault(at // (7 * DAY_MS), at)
    kept.update(sorted(days.values())[-DAILY:])
    kept.update(sorted(weeks.values())[-WEEKLY:])
    return sorted(set(at_ms) - kept)


def prune(wearer_id: int) -> None:
    """Drop what is no longer kept of a wearer's checkpoints."""
    at_ms = list(Checkpoint.objects.filter(wearer_id=wearer_id).values_list("at_ms", flat=True))
    gone = to_drop(at_ms)
    if gone:
        Checkpoint.objects.filter(wearer_id=wearer_id, at_ms__in=gone).delete()
