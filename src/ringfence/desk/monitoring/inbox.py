"""The inbox: takes deliveries from the doors, commits them in groups, and only then answers.

One thread writes. While it commits one group, the next gathers: alone, a delivery is committed at
once; under load, hundreds share one flush to the disk.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable

import structlog
from django.db import DatabaseError, connection, connections

from ringfence.desk.kit import bell
from ringfence.desk.monitoring import metrics
from ringfence.desk.monitoring.allowance import Allowances
from ringfence.desk.monitoring.lines import Apart, Done, Lines, Outcome, Waiting
from ringfence.desk.monitoring.models import Cursor
from ringfence.desk.monitoring.pacing import pacing
from ringfence.desk.monitoring.reopening import reopening
from ringfence.desk.monitoring.storing import store
from ringfence.gateway.report import (
    Delivery,
    InboxFullError,
    NotStored,
    Receipt,
    SetApart,
)

MOST_LATER = 64
"""Items for the quarantine that wait for an end of trouble: 64 MiB at most."""
PROBE_S = 1.0
"""How often an inbox in trouble tries by itself whether it is over."""

log = structlog.get_logger("ringfence.inbox")


class ReportInbox:
    """Implements `gateway.report.Inbox` on the desk's database."""

    def __init__(self, *, ring: Callable[[], None] = bell.ring) -> None:
        self._ring = ring
        self._lines = Lines(pacing)
        self._trouble: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._allowances = Allowances(time.monotonic())
        self._later: list[Apart] = []
        """Set apart while nothing could be stored, and nobody will send it again for that."""
        self._thread = threading.Thread(target=self._run, name="inbox")

    def start(self) -> None:
        """Start the writer."""
        self._thread.start()

    def stop(self, timeout_s: float = 4.0) -> None:
        """Commit and answer what was put in, then stop the writer."""
        self._lines.end()
        self._thread.join(timeout_s)

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored at present, in one sentence; None when all is well."""
        if self._trouble is None and not self._thread.is_alive():
            return "the inbox's writer is not running: restart the platform"
        return self._trouble

    def put(self, delivery: Delivery, done: Done) -> None:
        """Queue `delivery`; `done` is called on this event loop after the commit.

        Raises:
            InboxFullError: too much is waiting.
        """
        self._loop = asyncio.get_running_loop()
        try:
            self._lines.put(delivery, done)
        except InboxFullError:
            metrics.NOT_ACKNOWLEDGED.labels("full").inc()
            raise

    def has_room(self) -> bool:
        """Whether at most half of what may wait does: whoever found it full may go on."""
        return self._lines.half_empty

    def set_apart(self, item: SetApart, done: Done | None = None) -> None:
        """Keep `item` in the quarantine as far as the allowance goes; count it in any case.

        `done` is called on this event loop when it is committed, or is not kept.
        """
        metrics.REPORTS_REFUSED.labels(item.reason).inc(item.reports)
        if self._lines.full or not self._allowances.grant(item, time.monotonic()):
            metrics.SET_APART_UNKEPT.inc()
            if done:
                asyncio.get_running_loop().call_soon(done, Receipt(0, 0))
            return
        if done:
            self._loop = asyncio.get_running_loop()
        self._lines.put_apart(Apart(item, done))

    def _run(self) -> None:
        try:
            # At the end, what can't be stored is set apart behind what was put in.
            while not (self._lines.ended and self._lines.empty):
                waiting, apart = self._lines.gather(PROBE_S)
                if waiting or apart:
                    self._commit(waiting, apart)
                elif not self._lines.ended:
                    self._probe()
        finally:
            connections.close_all()

    def _commit(self, waiting: list[Waiting], apart: list[Apart]) -> None:
        began_s = time.perf_counter()
        outcomes: list[Outcome]
        kept: Outcome = Receipt(0, 0)
        try:
            outcomes = [*store([w.delivery for w in waiting], [a.item for a in apart])]
        except DatabaseError as error:
            kept = self._fail(error)
            outcomes = [kept] * len(waiting)
            self._put_off([a for a in apart if a.done is None])
        except Exception as error:
            log.exception("group_failed", count=len(waiting), error=type(error).__name__)
            outcomes = [self._store_alone(w.delivery) for w in waiting]
            self._keep(apart)
        else:
            self._recovered()
            metrics.COMMIT_SECONDS.observe(time.perf_counter() - began_s)
        self._answer(waiting, outcomes)
        self._tell((a.done, kept) for a in apart if a.done)

    def _put_off(self, apart: list[Apart]) -> None:
        room = MOST_LATER - len(self._later)
        self._later += apart[:room]
        metrics.SET_APART_UNKEPT.inc(max(0, len(apart) - room))

    def _keep(self, apart: list[Apart]) -> None:
        """Keep apart, one by one, what shared its group with something that can't be stored."""
        for one in apart:
            try:
                store((), [one.item])
            except Exception as error:
                metrics.SET_APART_UNKEPT.inc()
                log.warning("not_kept_apart", error=type(error).__name__)

    def _store_alone(self, delivery: Delivery) -> Outcome:
        """One delivery that can't be stored must not take the others of its group with it."""
        try:
            return store([delivery])[0]
        except DatabaseError as error:
            return self._fail(error)
        except Exception as error:
            why = f"can't be stored ({type(error).__name__})"
            self.set_apart(
                SetApart(
                    delivery.door,
                    delivery.peer,
                    delivery.raw,
                    delivery.received_ms,
                    "unstorable",
                    why,
                    sender_known=True,
                    tag=delivery.tag,
                )
            )
            return NotStored(f"this request {why}; it is kept apart for the platform's keeper")

    def _answer(self, waiting: list[Waiting], outcomes: list[Outcome]) -> None:
        receipts = [o for o in outcomes if isinstance(o, Receipt)]
        accepted = sum(r.accepted for r in receipts)
        metrics.REPORTS_IN.inc(accepted)
        metrics.REPORTS_DUPLICATE.inc(sum(r.duplicate for r in receipts))
        metrics.NOT_ACKNOWLEDGED.labels("not_stored").inc(len(outcomes) - len(receipts))
        metrics.GROUP_REPORTS.observe(accepted)
        if accepted:
            self._ring()
        self._tell(zip((w.done for w in waiting), outcomes, strict=True))

    def _tell(self, answers: Iterable[tuple[Done, Outcome]]) -> None:
        said = [*answers]
        if said and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_answer_all, said)

    def _fail(self, error: DatabaseError) -> NotStored:
        cause = str(error)
        if "full" in cause:
            why = "the disk is full: free some space in the data folder"
        else:
            why = f"the database can't be written: {cause}"
        if self._trouble is None:
            log.error("storing_failed", cause=cause)
        self._trouble = f"gateway: {why}; nothing is acknowledged until then"
        metrics.INBOX_IN_TROUBLE.set(1)
        connection.close()  # a fresh one has no half-finished business
        return NotStored(f"{why}; keep these reports and send them again")

    def _recovered(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            metrics.INBOX_IN_TROUBLE.set(0)
            log.info("storing_recovered")
            reopening.doors_open()
            later, self._later = self._later, []
            if later:
                # By the same way: where there is still no room for them they wait on.
                self._commit([], later)

    def _probe(self) -> None:
        if self._trouble is None:
            return
        try:
            Cursor.objects.update_or_create(
                stage="inbox", defaults={"position": time.time_ns() // 1_000_000}
            )
        except DatabaseError as error:
            self._fail(error)
        else:
            self._recovered()


def _answer_all(answers: list[tuple[Done, Outcome]]) -> None:
    for done, outcome in answers:
        try:
            done(outcome)
        except Exception as error:
            # The sender may be gone; the others of the group still wait for their answer.
            log.warning("answer_failed", error=type(error).__name__)
