"""Reports that wait, so that live ones need not: what came late, and what a silent tag kept.

Judging again costs ten times what going on does. After an outage thousands of wearers need it, most
of them again and again as their tags' memories empty; a live fix must not wait behind that. So
where more wearers are late, or back from a silence, than a round may take, what came of them is
noted in the transaction that reads it, and each is judged once for all of it: who is back as soon
as there is room, first come, first served; who was late when the tag has told nothing late for a
moment, or when the first of it has waited long enough. Which is which, `triage` says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from ringfence.desk.monitoring.models import LateReports, WearerState
from ringfence.desk.monitoring.rows import asked

QUIET_MS = 1_000
"""Nothing late came of a wearer for so long: the tag has told what it kept."""
PATIENCE_MS = 20_000
"""The longest that a late report waits before it is its turn …"""
SHORT_PATIENCE_MS = 2_000
"""… and of a wearer of whom something is possible or confirmed at present: it may confirm that."""

_LATE = LateReports._meta.db_table
_STATE = WearerState._meta.db_table
_COLUMNS = ("wearer_id", "from_ms", "to_ms", "received_ms", "latest_ms", "reports", "late")
_NAMED = ", ".join(f"l.{name}" for name in _COLUMNS)


@dataclass(frozen=True, slots=True)
class Late:
    """A wearer's reports that wait."""

    wearer_id: int
    from_ms: int
    """The earliest of them, by its own time."""
    to_ms: int
    """The latest of them, by its own time."""
    received_ms: int
    """When the first of them came."""
    latest_ms: int
    """When the last of them came."""
    reports: int
    late: int
    """So many of them were from before the wearer's clock as they came."""


def waiting() -> int:
    """Of how many wearers anything waits."""
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
            f"SELECT {', '.join(_COLUMNS)} FROM (SELECT {_NAMED}, "  # noqa: S608 -- ours
            "CASE WHEN s.judged_ms IS NULL OR l.to_ms > s.judged_ms THEN l.received_ms "
            f"ELSE {_least()}(l.latest_ms + {QUIET_MS}, l.received_ms + CASE WHEN s.standing IN "
            f"('possible', 'confirmed') THEN {SHORT_PATIENCE_MS} ELSE {PATIENCE_MS} END) END "
            f"AS due_ms FROM {_LATE} l LEFT JOIN {_STATE} s ON s.wearer_id = l.wearer_id) AS late "
            f"{when}ORDER BY due_ms, wearer_id LIMIT %s",
            [most] if at_ms is None else [at_ms, at_ms, most],
        )
        return [Late(*row) for row in cursor.fetchall()]


def of(wearer_ids: Collection[int]) -> list[Late]:
    """What waits of these wearers."""
    found = asked(
        f"WITH asked (wearer_id) AS ({{values}}) SELECT {_NAMED} FROM asked "  # noqa: S608 -- ours
        f"CROSS JOIN {_LATE} l WHERE l.wearer_id = asked.wearer_id",
        [(wearer_id,) for wearer_id in sorted(wearer_ids)],
    )
    return [Late(*row) for row in found]


def wearers_waiting() -> set[int]:
    """Of whom anything waits: their silence means nothing yet."""
    return set(LateReports.objects.values_list("wearer_id", flat=True))


def note(late: Sequence[Late], taken_up: Collection[int]) -> None:
    """Let some wait, and strike off who was judged, within the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"DELETE FROM {_LATE} WHERE wearer_id = %s",  # noqa: S608 -- ours
            [(wearer_id,) for wearer_id in taken_up],
        )
        cursor.executemany(
            f"INSERT INTO {_LATE} ({', '.join(_COLUMNS)}) "  # noqa: S608 -- ours
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (wearer_id) DO UPDATE SET "
            f"from_ms = {_least()}({_LATE}.from_ms, excluded.from_ms), "
            f"to_ms = {_most()}({_LATE}.to_ms, excluded.to_ms), "
            f"received_ms = {_least()}({_LATE}.received_ms, excluded.received_ms), "
            f"latest_ms = {_most()}({_LATE}.latest_ms, excluded.latest_ms), "
            f"reports = {_LATE}.reports + excluded.reports, late = {_LATE}.late + excluded.late",
            [
                (x.wearer_id, x.from_ms, x.to_ms, x.received_ms, x.latest_ms, x.reports, x.late)
                for x in late
            ],
        )


def _least() -> str:
    return "min" if connection.vendor == "sqlite" else "least"


def _most() -> str:
    return "max" if connection.vendor == "sqlite" else "greatest"
