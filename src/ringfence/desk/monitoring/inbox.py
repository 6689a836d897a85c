"""The inbox: takes deliveries from the doors, commits them in groups, and only then answers.

One thread writes. While it commits one group, the next gathers: alone, a delivery is committed at
once; under load, hundreds share one flush to the disk.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import NamedTuple

import structlog
from django.db import DatabaseError, connection, connections

from ringfence.desk.kit import bell
from ringfence.desk.monitoring import metrics
from ringfence.desk.monitoring.allowance import Allowances
from ringfence.desk.monitoring.models import Cursor
from ringfence.desk.monitoring.storing import store
from ringfence.gateway.report import (
    Delivery,
    InboxFullError,
    NotStored,
    Receipt,
    SetApart,
)

MAX_WAITING = 4096
"""Deliveries that may wait to be stored …"""
MAX_WAITING_BYTES = 16 << 20
"""… and their bytes: beyond either, tags are asked to come back."""
MAX_GROUP = 256
"""Deliveries in one transaction: some 4,000 reports, well under 100 ms for the stage that waits."""
MOST_LATER = 64
"""Items for the quarantine that wait for an end of trouble: 64 MiB at most."""
PROBE_S = 1.0
"""How often an inbox in trouble tries by itself whether it is over."""

log = structlog.get_logger("ringfence.inbox")
Outcome = Receipt | NotStored
Done = Callable[[Outcome], None]


class _Waiting(NamedTuple):
    delivery: Delivery
    done: Done


class _Apart(NamedTuple):
    item: SetApart
    done: Done | None = None


class ReportInbox:
    """Implements `gateway.report.Inbox` on the desk's database."""

    def __init__(self, *, ring: Callable[[], None] = bell.ring) -> None:
        self._ring = ring
        self._queue: SimpleQueue[_Waiting | _Apart | None] = SimpleQueue()
        # Each counter has one writing thread; their difference is what waits.
        self._bytes_in = self._bytes_out = 0
        self._trouble: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._allowances = Allowances(time.monotonic())
        self._later: list[_Apart] = []
        """Set apart while nothing could be stored, and nobody will send it again for that."""
        self._thread = threading.Thread(target=self._run, name="inbox")

    def start(self) -> None:
        """Start the writer."""
        self._thread.start()

    def stop(self, timeout_s: float = 4.0) -> None:
        """Commit and answer what was put in, then stop the writer."""
        self._queue.put(None)
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
        size = len(delivery.raw)
        waiting_bytes = self._bytes_in - self._bytes_out
        if self._queue.qsize() >= MAX_WAITING or waiting_bytes + size > MAX_WAITING_BYTES:
            metrics.NOT_ACKNOWLEDGED.labels("full").inc()
            raise InboxFullError
        self._loop = asyncio.get_running_loop()
        self._bytes_in += size
        self._queue.put(_Waiting(delivery, done))

    def has_room(self) -> bool:
        """Whether at most half of what may wait does: whoever found it full may go on."""
        waiting_bytes = self._bytes_in - self._bytes_out
        return self._queue.qsize() <= MAX_WAITING // 2 and waiting_bytes <= MAX_WAITING_BYTES // 2

    def set_apart(self, item: SetApart, done: Done | None = None) -> None:
        """Keep `item` in the quarantine as far as the allowance goes; count it in any case.

        `done` is called on this event loop when it is committed, or is not kept.
        """
        metrics.REPORTS_REFUSED.labels(item.reason).inc(item.reports)
        full = self._queue.qsize() >= MAX_WAITING
        if full or not self._allowances.grant(item, time.monotonic()):
            metrics.SET_APART_UNKEPT.inc()
            if done:
                asyncio.get_running_loop().call_soon(done, Receipt(0, 0))
            return
        if done:
            self._loop = asyncio.get_running_loop()
        self._queue.put(_Apart(item, done))

    def _run(self) -> None:
        try:
            more = True
            while more or not self._queue.empty():
                waiting, apart, goes_on = self._gather()
                # Told once: what can't be stored is set apart behind that word.
                more = more and goes_on
                if waiting or apart:
                    self._commit(waiting, apart)
                elif more:
                    self._probe()
        finally:
            connections.close_all()

    def _gather(self) -> tuple[list[_Waiting], list[_Apart], bool]:
        """The next group; empty when nothing came in time; False at the end."""
        waiting: list[_Waiting] = []
        apart: list[_Apart] = []
        try:
            item = self._queue.get(timeout=PROBE_S)
            while item is not None:
                if isinstance(item, _Apart):
                    apart.append(item)
                else:
                    waiting.append(item)
                    self._bytes_out += len(item.delivery.raw)
                if len(waiting) >= MAX_GROUP:
                    return waiting, apart, True
                item = self._queue.get_nowait()
        except Empty:
            return waiting, apart, True
        return waiting, apart, False

    def _commit(self, waiting: list[_Waiting], apart: list[_Apart]) -> None:
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

    def _put_off(self, apart: list[_Apart]) -> None:
        room = MOST_LATER - len(self._later)
        self._later += apart[:room]
        metrics.SET_APART_UNKEPT.inc(max(0, len(apart) - room))

    def _keep(self, apart: list[_Apart]) -> None:
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

    def _answer(self, waiting: list[_Waiting], outcomes: list[Outcome]) -> None:
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
