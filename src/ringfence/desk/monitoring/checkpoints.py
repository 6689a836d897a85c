"""Earlier states of a wearer, to rewind to when late data arrives.

Bounded, and never needed for the answer: without them the whole trail is judged again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from ringfence.desk.monitoring.models import Checkpoint
from ringfence.desk.monitoring.rows import asked

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


def bases_before(late_ms: Mapping[int, int]) -> dict[int, Base]:
    """The newest state from before an instant.

    Args:
        late_ms: the instant, by wearer.

    Returns:
        By wearer; who is missing starts from nothing.
    """
    # Plain, and of many at once: after an outage thousands ask.
    found = asked(
        "WITH late (wearer_id, at_ms) AS ({values}) SELECT c.wearer_id, c.at_ms, c.state "
        "FROM late CROSS JOIN monitoring_checkpoint c WHERE c.wearer_id = late.wearer_id "
        "AND c.at_ms = (SELECT max(x.at_ms) FROM monitoring_checkpoint x "
        "WHERE x.wearer_id = late.wearer_id AND x.at_ms < late.at_ms)",
        [*late_ms.items()],
    )
    return {wearer_id: Base(at_ms, bytes(state)) for wearer_id, at_ms, state in found}


def drop_from(at_ms: Mapping[int, int]) -> None:
    """Drop checkpoints from an instant on, by wearer, within the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "DELETE FROM monitoring_checkpoint WHERE wearer_id = %s AND at_ms >= %s",
            [*at_ms.items()],
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


def prune(wearer_ids: Sequence[int]) -> None:
    """Drop what is no longer kept of these wearers' checkpoints."""
    at_ms: dict[int, list[int]] = defaultdict(list)
    kept = Checkpoint.objects.filter(wearer_id__in=wearer_ids)
    for wearer_id, at in kept.values_list("wearer_id", "at_ms"):
        at_ms[wearer_id].append(at)
    gone = [(wearer_id, at) for wearer_id, all_of in at_ms.items() for at in to_drop(all_of)]
    with connection.cursor() as cursor:
        cursor.executemany(
            "DELETE FROM monitoring_checkpoint WHERE wearer_id = %s AND at_ms = %s", gone
        )
