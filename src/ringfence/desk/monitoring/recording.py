"""Write what the engine said: violations, corrections, states, checkpoints. One transaction's work.

The caller holds the transaction; nothing here reads a clock but to stamp `detected_at`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import F

from ringfence.desk.kit.clock import from_ms, to_ms
from ringfence.desk.monitoring import checkpoints
from ringfence.desk.monitoring.correcting import (
    EVIDENCE,
    ON_TIME,
    Cause,
    Facts,
    correction_rows,
    facts_of,
)
from ringfence.desk.monitoring.judging import NEVER_MS, Task, Verdict
from ringfence.desk.monitoring.models import (
    Checkpoint,
    Correction,
    Cursor,
    Violation,
)
from ringfence.desk.monitoring.reconcile import Pair, corrections, pair_up
from ringfence.desk.monitoring.rows import asked, batched
from ringfence.desk.monitoring.states import Known, write_states
from ringfence.engine.events import Standing
from ringfence.engine.events import Violation as Said

REVISIONS = "violation.revision"
LONG_AGO = datetime.min.replace(tzinfo=UTC)
LATE = timedelta(minutes=5)
"""A longer gap is missing data to the Ministry's map: what it hid came late (docs/alerts.md)."""
SAID = (
    "version",
    "kind",
    "state",
    "how",
    "begin_at",
    "confirmed_at",
    "end_at",
    "probability",
    "depth_m",
    "fixes",
    "profile",
    "first_fix_at",
    "confirming_fix_at",
    "deepest_fix_at",
    "last_fix_at",
)
"""Columns of `Violation` that are copied from what the engine says."""
KEPT = (
    *SAID,
    "ended_by",
    "why",
    "doubts",
    "received_at",
    "detected_at",
    "late",
    "withdrawn_at",
    "withdrawn_why",
    "revision",
)
"""All that may change in a row."""
STANDING = tuple(f.name for f in fields(Standing))
GRAVEST = ("confirmed", "possible", "no_data", "clear")


@dataclass(slots=True)
class Judged:
    """All that one run found of a wearer."""

    wearer_id: int
    old: Known
    """What the database holds now."""
    onward: Verdict
    """The same as `rewound` where nothing new came beside what was late."""
    rewound: Verdict | None = None
    """Judged again up to where it was before, with the late data."""
    because: str = ""
    """Why it was rewound, in plain words."""
    cause: Mapping[str, Any] = field(default_factory=dict)
    """What that was, by ids: `Correction.cause`."""
    punctual: bool = False
    """Nothing came late: two devices' reports overtook one another by seconds."""
    drop_from_ms: int | None = None
    """Checkpoints from here on rest on incomplete data."""
    fittings: list[list[int]] = field(default_factory=list)

    @property
    def tasks(self) -> list[Task]:
        """What the engine was given, in the order of time."""
        return [v.task for v in self.verdicts]

    @property
    def verdicts(self) -> list[Verdict]:
        """One or two, in the order of time."""
        again = self.rewound
        return [self.onward] if again is None or again is self.onward else [again, self.onward]


def record(judged: Sequence[Judged], at: datetime) -> int:
    """Write the violations, corrections, states and checkpoints of a run.

    Args:
        judged: one for each wearer.
        at: the present.

    Returns:
        How many violations are new or changed.
    """
    book = _Book(at)
    rows = _unsettled(judged)
    for one in judged:
        mine = rows[one.wearer_id]
        for verdict in one.verdicts:
            again = verdict is one.rewound
            because = Cause(one.because, one.cause, one.punctual) if again else ON_TIME
            book.take(mine, verdict, because)
    changed = book.write()
    write_states([_state_row(one) for one in judged])
    _write_checkpoints(judged)
    return changed


def _unsettled(judged: Sequence[Judged]) -> dict[int, list[Violation]]:
    """Rows that were not over yet at the instant from which each wearer was judged.

    Withdrawn ones too of whoever was judged again: they may be found once more.
    """
    # Each asked by its own instant: one far back must not fetch the others' long past, too.
    rows: dict[int, list[Violation]] = defaultdict(list)
    found = asked(
        "WITH judged (wearer_id, base_at, again) AS ({values}) "
        "SELECT v.id FROM judged CROSS JOIN monitoring_violation v "
        "WHERE v.wearer_id = judged.wearer_id "
        "AND (v.end_at IS NULL OR v.end_at > judged.base_at) "
        "AND (judged.again = 1 OR v.withdrawn_at IS NULL) ORDER BY v.begin_at, v.id",
        [_about(one) for one in judged],
    )
    for pks in batched([pk for (pk,) in found]):
        for row in Violation.objects.filter(pk__in=pks):
            rows[row.wearer_id].append(row)
    for mine in rows.values():
        mine.sort(key=lambda row: (row.begin_at, row.pk))
    return rows


def _about(one: Judged) -> tuple[int, Any, int]:
    """Wearer, from when on rows are asked for, and whether withdrawn ones are, too."""
    base_ms = (one.rewound or one.onward).task.clock_ms
    base_at = from_ms(base_ms) if base_ms > NEVER_MS else LONG_AGO
    since = connection.ops.adapt_datetimefield_value(base_at)
    return one.wearer_id, since, int(one.rewound is not None)


class _Book:
    """Violation rows in memory until all of a run is known, then written at once."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.new: list[Violation] = []
        self.changed: dict[int, Violation] = {}
        self.corrections: list[Correction] = []

    def take(self, rows: list[Violation], verdict: Verdict, because: Cause) -> None:
        """Reconcile one verdict with a wearer's rows; `because` is set when it is a correction."""
        base_ms = verdict.task.clock_ms
        unsettled = [r for r in rows if r.end_at is None or to_ms(r.end_at) > base_ms]
        for pair in pair_up(unsettled, verdict.said):
            if pair.said is None:
                self._withdraw(pair.row, because)
            elif pair.row is None:
                rows.append(self._add(pair.said, verdict, because))
            else:
                self._change(pair, verdict, because)

    def _add(self, said: Said, verdict: Verdict, because: Cause) -> Violation:
        row = Violation(
            wearer_id=verdict.task.wearer_id,
            condition_key=said.condition or "",
            detected_at=self.at,
        )
        _copy(row, said)
        late = bool(because) and not because.punctual
        self._stamp(row, verdict, late=late)
        self.new.append(row)
        if late:
            self._correct(row, ["found_late"], because, {})
        return row

    def _change(self, pair: Pair, verdict: Verdict, because: Cause) -> None:
        row, said = pair.row, pair.said
        if said is None:
            raise ValueError("a change needs something said")
        before, was = facts_of(row), (row.state, row.confirmed_at)
        whats = corrections(row, said, grows=because.punctual)
        gone = row.withdrawn_at is not None
        row.withdrawn_at, row.withdrawn_why = None, ""
        if not _copy(row, said) and not gone:
            return
        if (row.state, row.confirmed_at) != was:
            late = bool(because) and row.state == "confirmed" and was[0] != "confirmed"
            self._stamp(row, verdict, late=row.late or (late and not because.punctual))
        if row.pk is not None:
            self.changed[row.pk] = row
        if because and (whats or not because.punctual):
            # Every change has its row, a digit's too: what was told is never changed in silence.
            self._correct(row, whats or [EVIDENCE], because, before)

    def _withdraw(self, row: Violation, because: Cause) -> None:
        before = facts_of(row)
        row.withdrawn_at = self.at
        row.withdrawn_why = because.why or "what is known now does not show it any more"
        if row.pk is not None:
            self.changed[row.pk] = row
        self._correct(row, ["withdrawn"], Cause(row.withdrawn_why, because.what), before)

    def _stamp(self, row: Violation, verdict: Verdict, *, late: bool) -> None:
        """When it was received and detected, and whether that was late."""
        row.detected_at = self.at
        row.received_at = _received_at(verdict, row.confirmed_at or row.begin_at)
        behind = row.received_at - (row.confirmed_at or row.begin_at) if row.received_at else None
        row.late = late or (behind is not None and behind > LATE)

    def _correct(self, row: Violation, whats: list[str], because: Cause, before: Facts) -> None:
        self.corrections += correction_rows(row, whats, because, before, self.at)

    def write(self) -> int:
        """Number, save and count what is new or changed."""
        changed = sorted(self.changed.values(), key=lambda row: row.pk)
        total = len(self.new) + len(changed)
        if not total:
            return 0
        Cursor.objects.get_or_create(stage=REVISIONS)
        Cursor.objects.filter(stage=REVISIONS).update(position=F("position") + total)
        last = Cursor.objects.values_list("position", flat=True).get(stage=REVISIONS)
        for number, row in enumerate([*changed, *self.new], start=last - total + 1):
            row.revision = number
        for row in changed:  # one by one: Django's bulk update of wide rows is fifty times as slow
            row.save(update_fields=KEPT)
        Violation.objects.bulk_create(self.new)
        Correction.objects.bulk_create(self.corrections)
        return total


def _copy(row: Violation, said: Said) -> bool:
    """Let a row say what the engine says now; tell whether anything changed."""
    values = {name: getattr(said, name) for name in SAID}
    values |= {"ended_by": said.ended_by or "", "why": list(said.why), "doubts": list(said.doubts)}
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return bool(changed)


def _received_at(verdict: Verdict, decided_at: datetime) -> datetime | None:
    """When the report of that very instant reached the platform; None = a deadline decided."""
    rows = verdict.task.rows
    received = rows["received_ms"][rows["time_ms"] == to_ms(decided_at)]
    return from_ms(int(received.min())) if len(received) else None


def _state_row(one: Judged) -> tuple[Any, ...]:
    """The values of `states.COLUMNS`."""
    old, verdict = one.old, one.onward
    report_ms, received_ms, battery_pct = _latest(one)
    fix = _with_course(verdict.fix, old.fix, one)
    return (
        one.wearer_id,
        verdict.profile,
        bytearray(verdict.state),
        verdict.clock_ms,
        verdict.wake_ms,
        _gravest(verdict.standings, located=fix is not None),
        json.dumps([_standing(s) for s in verdict.standings]),
        report_ms,
        received_ms,
        None if fix is None else json.dumps(fix),
        battery_pct,
        json.dumps(one.fittings),
    )


def _with_course(
    fix: dict[str, Any] | None, old: dict[str, Any] | None, one: Judged
) -> dict[str, Any] | None:
    """The engine does not reckon with the course; the map shows what the report said."""
    if fix is None:
        return None
    if old is not None and old["time_ms"] == fix["time_ms"]:
        fix["course_deg"] = old["course_deg"]
    for task in one.tasks:
        own = task.rows["victim"] == 0
        course = task.rows["course_deg"][own & (task.rows["time_ms"] == fix["time_ms"])]
        if len(course) and not np.isnan(course[0]):
            fix["course_deg"] = round(float(course[0]), 1)
    return fix


def _latest(one: Judged) -> tuple[int | None, int | None, float | None]:
    """The wearer's tag's latest report's own time, the latest receipt, what its battery held."""
    report_ms, received_ms = one.old.last_report_ms, one.old.last_received_ms
    battery_pct = one.old.battery_pct
    for task in one.tasks:
        rows = task.rows[task.rows["victim"] == 0]
        if not len(rows):
            continue
        latest = rows[np.argmax(rows["time_ms"])]
        if int(latest["time_ms"]) >= (report_ms or NEVER_MS):
            report_ms = int(latest["time_ms"])
            if not np.isnan(latest["battery_pct"]):
                battery_pct = round(float(latest["battery_pct"]), 1)
        received_ms = max(int(rows["received_ms"].max()), received_ms or NEVER_MS)
    return report_ms, received_ms, battery_pct


def _standing(standing: Standing) -> dict[str, Any]:
    said: dict[str, Any] = {name: getattr(standing, name) for name in STANDING}
    said["since_at"] = standing.since_at.isoformat() if standing.since_at else None
    return said


def _gravest(standings: Sequence[Standing], *, located: bool) -> str:
    states = {standing.state for standing in standings}
    found = next((state for state in GRAVEST if state in states), None)
    return found or ("clear" if located else "no_data")


def _write_checkpoints(judged: Sequence[Judged]) -> None:
    checkpoints.drop_from(
        {one.wearer_id: one.drop_from_ms for one in judged if one.drop_from_ms is not None}
    )
    due = []
    for one in judged:
        latest_ms = one.old.checkpoint_ms
        if one.drop_from_ms is not None:
            # It was judged again from the newest that is left, or from nothing.
            latest_ms = one.rewound.task.clock_ms if one.rewound else None
        if one.onward.clock_ms >= (latest_ms or NEVER_MS) + checkpoints.EVERY_MS:
            due.append(one)
    Checkpoint.objects.bulk_create(
        [
            Checkpoint(wearer_id=j.wearer_id, at_ms=j.onward.clock_ms, state=j.onward.state)
            for j in due
        ]
    )
    checkpoints.prune([one.wearer_id for one in due])
