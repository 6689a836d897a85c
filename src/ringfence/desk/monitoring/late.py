"""Late reports that wait: so many wearers at once are judged again, the others in their turn.

Judging again costs ten times what going on does. After an outage thousands of wearers need it, most
of them again and again as their tags' memories empty; a live fix must not wait behind that. So
where more than `MOST` wearers are late, what came late is noted in the transaction that reads it,
and each is judged again once for all of it: when the tag has said nothing late for a moment, or
when the first of it has waited long enough. The newest fix of each is judged at once in any case.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from ringfence.desk.monitoring.models import LateReports, WearerState

MOST = 100
"""Wearers judged again in one round because data came late: 0.2 s of it, at most, on one core."""
QUIET_MS = 1_000
"""Nothing late came of a wearer for so long: the tag has told what it kept."""
PATIENCE_MS = 20_000
"""The longest that a late report waits before it is its turn …"""
SHORT_PATIENCE_MS = 2_000
"""… and of a wearer of whom something is possible or confirmed at present: it may confirm that."""

_LATE = LateReports._meta.db_table
_STATE = WearerState._meta.db_table


@dataclass(frozen=True, slots=True)
class Late:
    """A wearer's late reports that wait."""

    wearer_id: int
    from_ms: int
    """The earliest of them, by its own time."""
    received_ms: int
    """When the first of them came."""
    latest_ms: int
    """When the last of them came."""
    reports: int


def waiting() -> int:
    """Of how many wearers anything late waits."""
    return LateReports.objects.count()


def ripe(most: int, at_ms: int | None = None) -> list[Late]:
    """Those whose turn it is, the most pressing first.

    Args:
        most: of so many wearers.
        at_ms: the present; None = whoever waits, however short.
    """
    # Where the clock was set back, what came "later" must not wait until then.
    when = "" if at_ms is None else "WHERE due_ms <= %s OR latest_ms > %s "
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wearer_id, from_ms, received_ms, latest_ms, reports FROM (SELECT l.*, "  # noqa: S608 -- ours
            f"{_least()}(l.latest_ms + {QUIET_MS}, l.received_ms + CASE WHEN s.standing IN "
            f"('possible', 'confirmed') THEN {SHORT_PATIENCE_MS} ELSE {PATIENCE_MS} END) AS due_ms "
            f"FROM {_LATE} l LEFT JOIN {_STATE} s ON s.wearer_id = l.wearer_id) AS late "
            f"{when}ORDER BY due_ms, wearer_id LIMIT %s",
            [most] if at_ms is None else [at_ms, at_ms, most],
        )
        return [Late(*row) for row in cursor.fetchall()]


def wearers_waiting() -> set[int]:
    """Of whom anything late waits: their silence means nothing yet."""
    return set(LateReports.objects.values_list("wearer_id", flat=True))


def note(late: Sequence[Late], taken_up: Collection[int]) -> None:
    """Let some wait, and strike off who was judged again, within the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"DELETE FROM {_LATE} WHERE wearer_id = %s",  # noqa: S608 -- ours
            [(wearer_id,) for wearer_id in taken_up],
        )
        cursor.executemany(
            f"INSERT INTO {_LATE} (wearer_id, from_ms, received_ms, latest_ms, reports) "  # noqa: S608
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (wearer_id) DO UPDATE SET "
            f"from_ms = {_least()}({_LATE}.from_ms, excluded.from_ms), "
            f"received_ms = {_least()}({_LATE}.received_ms, excluded.received_ms), "
            f"latest_ms = {_most()}({_LATE}.latest_ms, excluded.latest_ms), "
            f"reports = {_LATE}.reports + excluded.reports",
            [(x.wearer_id, x.from_ms, x.received_ms, x.latest_ms, x.reports) for x in late],
        )


def _least() -> str:
    return "min" if connection.vendor == "sqlite" else "least"


def _most() -> str:
    return "max" if connection.vendor == "sqlite" else "greatest"
