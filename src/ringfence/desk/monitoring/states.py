"""Where the engine stands with each wearer: read and written many at once.

Plain SQL, as in `storing`: of every round of detection, Django's objects took more than the law.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from ringfence.desk.monitoring.judging import NEVER_MS
from ringfence.desk.monitoring.models import LateReports, WearerState
from ringfence.desk.monitoring.rows import asked
from ringfence.desk.monitoring.storing import Table, insert

TOGETHER = 500
"""Wearers in one question."""
COLUMNS = (
    "wearer_id",
    "profile",
    "state",
    "judged_ms",
    "wake_ms",
    "standing",
    "standings",
    "last_report_ms",
    "last_received_ms",
    "fix",
    "battery_pct",
    "fittings",
)
_LATE = LateReports._meta.db_table
_TABLE = Table(WearerState._meta.db_table, COLUMNS, over="wearer_id")
_SELECT = (
    "SELECT w.id, w.crn, w.public_id, s.state, s.judged_ms, s.wake_ms, s.last_report_ms, "
    "s.last_received_ms, s.fix, s.battery_pct, s.fittings, "
    "(SELECT max(c.at_ms) FROM monitoring_checkpoint c WHERE c.wearer_id = w.id) "
    "FROM cases_wearer w LEFT JOIN monitoring_wearerstate s ON s.wearer_id = w.id WHERE w.id IN "
)


@dataclass(frozen=True, slots=True)
class Known:
    """A wearer, and what the database holds of where the engine stands with them."""

    wearer_id: int
    crn: str
    public_id: str
    state: bytes | None
    """None = nothing was ever judged, and so are all that follow but the fittings."""
    judged_ms: int
    wake_ms: int
    last_report_ms: int | None
    last_received_ms: int | None
    fix: dict[str, Any] | None
    battery_pct: float | None
    fittings: list[list[int]]
    checkpoint_ms: int | None
    """Of the newest checkpoint."""

    @property
    def clock_ms(self) -> int:
        """Everything up to here was judged."""
        return NEVER_MS if self.state is None else self.judged_ms


class Stand(NamedTuple):
    """What a new report of a wearer is held against; `NEVER_MS` = there is none."""

    judged_ms: int
    """Up to where everything was judged."""
    heard_ms: int
    """When the last report came that was judged."""
    waits_to_ms: int
    """The latest of what waits."""


def known(wearer_ids: Iterable[int]) -> dict[int, Known]:
    """What is known of wearers, by their ids."""
    found: dict[int, Known] = {}
    ids = sorted(wearer_ids)
    with connection.cursor() as cursor:
        for first in range(0, len(ids), TOGETHER):
            some = ids[first : first + TOGETHER]
            cursor.execute(f"{_SELECT}({','.join(['%s'] * len(some))})", some)
            found |= {row[0]: _known(row) for row in cursor.fetchall()}
    return found


def stands(wearer_ids: Sequence[int]) -> dict[int, Stand]:
    """Where wearers stand, by their ids."""
    found = asked(
        f"WITH asked (wearer_id) AS ({{values}}) SELECT asked.wearer_id, s.judged_ms, "  # noqa: S608 -- ours
        f"s.last_received_ms, l.to_ms FROM asked LEFT JOIN {_TABLE.name} s "
        f"ON s.wearer_id = asked.wearer_id LEFT JOIN {_LATE} l ON l.wearer_id = asked.wearer_id",
        [(wearer_id,) for wearer_id in wearer_ids],
    )
    return {
        wearer_id: Stand(*(NEVER_MS if ms is None else ms for ms in stand))
        for wearer_id, *stand in found
    }


def write_states(rows: Sequence[tuple[Any, ...]]) -> None:
    """Write states, each the values of `COLUMNS`, within the caller's transaction."""
    values: list[Any] = []
    for row in rows:
        values += row
    with connection.cursor() as cursor, connection.wrap_database_errors:
        insert(cursor.connection.cursor(), _TABLE, values)


def _known(row: tuple[Any, ...]) -> Known:
    wearer_id, crn, public_id, state, judged, wake, report, received, fix, pct, fits, at = row
    if state is None:
        return Known(wearer_id, crn, public_id, None, 0, 0, None, None, None, None, [], at)
    return Known(
        wearer_id,
        crn,
        public_id,
        bytes(state),
        judged,
        wake,
        report,
        received,
        _json(fix),
        pct,
        _json(fits),
        at,
    )


def _json(value: Any) -> Any:
    # PostgreSQL's driver has parsed it already.
    return json.loads(value) if isinstance(value, str) else value
