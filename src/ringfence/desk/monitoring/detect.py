"""The stage that judges: reads stored reports, asks the engine, writes what it says.

Reading and judging happen outside the transaction, so that the gateway's commits wait for the
writing only; inside it, `_claim` makes sure that what was read is still the next to be read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np
import structlog
from django.db import connection, transaction

from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.kit.models import Change
from ringfence.desk.kit.turns import writing
from ringfence.desk.monitoring import late
from ringfence.desk.monitoring.changes import RULES, Need, Needs, needs
from ringfence.desk.monitoring.counting import count, count_lags
from ringfence.desk.monitoring.fitted import Fitted
from ringfence.desk.monitoring.judging import (
    NEVER_MS,
    Evaluate,
    Task,
    UnreadableStateError,
    Verdict,
    judge,
)
from ringfence.desk.monitoring.late import Late
from ringfence.desk.monitoring.models import Cursor, PoisonReport, WearerState
from ringfence.desk.monitoring.pacing import pacing
from ringfence.desk.monitoring.plans import Plans
from ringfence.desk.monitoring.poison import Poison, judge_around
from ringfence.desk.monitoring.preparing import (
    LATE_REPORT,
    UNREADABLE,
    Docket,
    Dockets,
    due_tasks,
)
from ringfence.desk.monitoring.queries import STAGE, oldest_unjudged_ms, tags_unjudged
from ringfence.desk.monitoring.recording import Judged, record
from ringfence.desk.monitoring.reopening import reopening
from ringfence.desk.monitoring.rows import is_future, reports_after
from ringfence.desk.monitoring.states import Known, known
from ringfence.desk.monitoring.storing import Table, insert
from ringfence.desk.monitoring.triage import sort_out
from ringfence.engine import NEVER_WAKES, evaluate

CATCH_UP = 5
"""How many times as much is read at once while a backlog lasts."""
ROUND_S = 0.15
"""What waits is taken up in portions that take about as long: live reports come in between."""
FIRST_PACE, PACES = 400.0, (80.0, 1_600.0)
"""Wearers judged again in a second: as supposed at first; and what a measurement is kept within."""
MEASURED = 10
"""Wearers in a round from which its speed is told."""
MOST_WOKEN = 64
"""Wearers whose deadlines fire in one transaction: a network's failure makes thousands silent."""
MOST_FIRED, MOST_DEADLINES = 192, 50
"""Deadlines fired in one call, and of one wearer: after a long sleep the next calls do the rest."""

_CHANGES = Table(Change._meta.db_table, ("topic", "ref", "at"))

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Detector:
    """The stage with its caches. The database is the truth: a new one gives the same answers."""

    engine: Evaluate = evaluate
    fitted: Fitted = field(default_factory=Fitted)
    plans: Plans = field(default_factory=Plans)
    fittings_seen: bool = False
    behind: bool = False
    """The run before found as much as it may read."""
    most_late: int = round(ROUND_S * PACES[1])
    """Wearers taken up in one round of whom something waits."""
    pace: float = FIRST_PACE
    """Wearers judged in a second, of late."""
    unreadable: set[int] = field(default_factory=set)
    """Wearers whose stored state a deadline met and could not read."""

    def detect(self, limit: int = 2000) -> int:
        """Judge the next reports, and whoever must be judged again.

        Args:
            limit: most reports to read.

        Returns:
            How many reports were read, or else wearers judged again; 0 = nothing to do.
        """
        position = Cursor.objects.filter(stage=STAGE).values_list("position", flat=True).first()
        rows = reports_after(position or 0, limit)
        self._refresh()
        due = needs(self.fitted, position or 0, look_at_fittings=not self.fittings_seen)
        waiting = late.waiting()
        room = min(self.most_late, round(ROUND_S * self.pace))
        at_ms = None if waiting <= room else to_ms(now())
        taken_up = _take_up(due, late.ripe(room, at_ms))
        due.of.update((w, Need(NEVER_MS, UNREADABLE)) for w in self.unreadable)
        if not len(rows) and not due.any:
            self.fittings_seen = True
            return 0
        began_s = time.monotonic()
        read, up_to = len(rows), int(rows["id"][-1]) if len(rows) else position or 0
        rows = self.fitted.assign(rows)
        judgeable = (rows["wearer"] > 0) & ~is_future(rows)
        paired = self.fitted.carried.by_wearer
        triage = sort_out(rows[judgeable], due.of, room - waiting, paired)
        if waiting:
            more = ({*due.of} | triage.joined) - {one.wearer_id for one in taken_up}
            taken_up += _take_up(due, late.of(more))
        dockets = Dockets(self.fitted, up_to)
        dockets.open(triage.rows, due.of)
        judged, poison = self._judge(dockets)
        at = now()
        with writing, transaction.atomic():
            if not _claim(position, up_to, due):
                return 0
            record(judged, at)
            _set_apart(poison, at)
            _tell([d.known.public_id for d in dockets.of.values()], at)
            late.note(triage.waits, [one.wearer_id for one in taken_up])
        self._measure(len(judged), time.monotonic() - began_s)
        self.fittings_seen = True
        self.unreadable.clear()
        count(rows, judged, len(poison))
        waits = np.zeros(len(rows), np.bool_)
        waits[judgeable] = triage.held
        count_lags(rows[~waits], taken_up, to_ms(now()))
        return read or len(judged)

    def _measure(self, wearers: int, took_s: float) -> None:
        """How fast wearers are judged of late: what else goes on in the process slows it."""
        if wearers >= MEASURED:
            pace = min(max(wearers / max(took_s, 1e-3), PACES[0]), PACES[1])
            self.pace = (self.pace + pace) / 2

    def wake_due(self, at: datetime | None = None) -> int:
        """Fire the deadlines that are due with no report arriving, each at its own instant.

        A deadline waits while a report that arrived before it is still unread, and a wearer's while
        any of theirs is: what a tag's buffer is about to say must not be called silence.

        Args:
            at: the present; None = by the clock.

        Returns:
            How many deadlines fired.
        """
        limit_ms = to_ms(at or now())
        waiting_ms = oldest_unjudged_ms()
        if waiting_ms is not None:
            limit_ms = min(limit_ms, waiting_ms - 1)
        self._refresh()
        heard = self.fitted.judged_by(tags_unjudged()) | late.wearers_waiting()
        fired = 0
        for _ in range(MOST_DEADLINES):
            due = WearerState.objects.filter(wake_ms__lte=limit_ms).order_by("wake_ms")
            waits = heard | self.unreadable
            wearers = [pk for pk in due.values_list("pk", flat=True) if pk not in waits]
            if not wearers or fired >= MOST_FIRED:
                break
            try:
                fired += self._wake(list(known(wearers[:MOST_WOKEN]).values()))
            except UnreadableStateError as error:
                self.unreadable.update(error.wearer_ids)
        return fired

    def _refresh(self) -> None:
        if self.fitted.refresh():
            self.fittings_seen = False

    def _wake(self, states: Sequence[Known]) -> int:
        worn = [s for s in states if self.fitted.is_worn(s.wearer_id, s.wake_ms)]
        idle = {s.wearer_id for s in states} - {s.wearer_id for s in worn}
        tasks = due_tasks(worn)
        verdicts = self._judged_by_plan(tasks, tasks)
        old = {state.wearer_id: state for state in worn}
        judged = [
            Judged(
                v.task.wearer_id, old[v.task.wearer_id], v, fittings=old[v.task.wearer_id].fittings
            )
            for v in verdicts
        ]
        at = now()
        with writing, transaction.atomic():
            record(judged, at)
            # Nobody wears a tag that was taken off: its silence means nothing.
            WearerState.objects.filter(pk__in=idle).update(wake_ms=NEVER_WAKES)
            _tell([s.public_id for s in worn], at)
        return len(worn)

    def _judge(self, dockets: Dockets) -> tuple[list[Judged], list[Poison]]:
        try:
            return self._judge_readable(dockets)
        except UnreadableStateError as error:
            log.warning("states_judged_again", wearers=len(error.wearer_ids), why="unreadable")
            dockets.reread(error.wearer_ids)
            return self._judge(dockets)

    def _judge_readable(self, dockets: Dockets) -> tuple[list[Judged], list[Poison]]:
        again = dockets.rewinds()
        horizon = [*again, *dockets.onward({})]
        by_plan = partial(self._judged_by_plan, horizon=horizon)
        rewound, poison = judge_around(by_plan, again)
        stand = {v.task.wearer_id: v for v in rewound}
        tasks = dockets.onward({w: (v.state, v.clock_ms) for w, v in stand.items()})
        # Who was judged again and said nothing new since stands where that led.
        onward, more = judge_around(
            by_plan, [t for t in tasks if len(t.rows) or t.wearer_id not in stand]
        )
        onward += [stand[t.wearer_id] for t in tasks if not len(t.rows) and t.wearer_id in stand]
        judged = [self._judged(dockets.of[v.task.wearer_id], stand, v) for v in onward]
        return judged, poison + more

    def _judged(self, docket: Docket, rewound: dict[int, Verdict], onward: Verdict) -> Judged:
        again = rewound.get(docket.wearer_id)
        return Judged(
            wearer_id=docket.wearer_id,
            old=docket.known,
            onward=onward,
            rewound=again,
            because=docket.because if again else "",
            cause=docket.cause if again else {},
            punctual=again is not None and docket.punctual,
            drop_from_ms=docket.late_from_ms if again else None,
            fittings=self.fitted.spans(docket.wearer_id),
        )

    def _judged_by_plan(self, tasks: Sequence[Task], horizon: Sequence[Task]) -> list[Verdict]:
        if not tasks:
            return []
        times = [t.clock_ms for t in horizon] + [t.until_ms for t in horizon]
        for task in horizon:
            if len(task.rows):
                times += [int(task.rows["time_ms"].min()), int(task.rows["time_ms"].max())]
        known = [ms for ms in times if ms > NEVER_MS]
        present_ms = to_ms(now())
        plan = self.plans.covering(min(known, default=present_ms), max([*known, present_ms]))
        return judge(plan, tasks, self.engine)


def _claim(position: int | None, up_to: int, due: Needs) -> bool:
    """Move the reading positions on, if they still are where this run began to read."""
    if position is None:
        Cursor.objects.get_or_create(stage=STAGE)
    Cursor.objects.get_or_create(stage=RULES)
    mine = Cursor.objects.filter(stage=STAGE, position=position or 0).update(position=up_to)
    rules = Cursor.objects.filter(stage=RULES, position=due.read_before)
    if not mine or not rules.update(position=due.read_now):
        transaction.set_rollback(True)
        return False
    return True


def _set_apart(poison: Sequence[Poison], at: datetime) -> None:
    PoisonReport.objects.bulk_create(
        [PoisonReport(report_id=p.report_id, at=at, why=p.why) for p in poison],
        ignore_conflicts=True,
    )


def _tell(public_ids: Sequence[str], at: datetime) -> None:
    said_at = connection.ops.adapt_datetimefield_value(at)
    values = [value for ref in public_ids for value in ("wearer", ref, said_at)]
    with connection.cursor() as cursor, connection.wrap_database_errors:
        insert(cursor.connection.cursor(), _CHANGES, values)


def _take_up(due: Needs, late: list[Late]) -> list[Late]:
    """Have those judged of whom something waits; give them back."""
    for one in late:
        waited = {"late": one.late, "reports": [], "received_ms": one.received_ms}
        due.add(one.wearer_id, one.from_ms, LATE_REPORT, waited)
    return late


_detector = Detector()


def detect(limit: int = 2000) -> int:
    """Judge the next stored reports; see `Detector.detect`. On failure the caches are dropped.

    Once a run was full, the next may be `CATCH_UP` times as large: what comes newest first after an
    outage rewinds its wearer once a run, whatever its size.
    """
    pacing.round_begins()
    most = limit * CATCH_UP if _detector.behind else limit
    try:
        read = _detector.detect(most)
    except Exception:
        forget()
        raise
    _detector.behind = read >= limit
    return read


def wake_due(at: datetime | None = None) -> int:
    """Fire the deadlines that are due, see `Detector.wake_due`; but see `reopening`."""
    try:
        return _detector.wake_due(reopening.limit(at or now()))
    except Exception:
        forget()
        raise


def forget() -> None:
    """Drop the caches: the next call reads everything from the database."""
    _detector.fitted, _detector.plans, _detector.fittings_seen = Fitted(), Plans(), False
    _detector.unreadable.clear()
    _detector.behind = False
