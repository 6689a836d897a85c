"""What waits to be stored: tags that never stopped in one line, what others kept in another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NamedTuple

from ringfence.desk.monitoring.pacing import Pacing
from ringfence.desk.monitoring.triage import SILENT_MS, YOUNG_MS
from ringfence.gateway.pace import ALARMS
from ringfence.gateway.report import (
    Delivery,
    InboxFullError,
    NotStored,
    Receipt,
    SetApart,
)

MAX_WAITING = 8192
"""Deliveries that may wait to be stored …"""
MAX_WAITING_BYTES = 16 << 20
"""… and their bytes: beyond either, tags are asked to come back."""
ROOM = 256
"""So many more may wait of tags that never stopped: the past does not turn them away."""
MAX_GROUP = 256
"""Deliveries in one transaction: some 4,000 reports, well under 100 ms for the stage that waits."""
LEAST_PAST = 32
"""Of a group, the part that is the past's however much is live."""
PAUSE_S = 0.02
"""How often it is looked whether the past may go on."""

Outcome = Receipt | NotStored
Done = Callable[[Outcome], None]


class Waiting(NamedTuple):
    """A delivery, and whom to tell."""

    delivery: Delivery
    done: Done
    past: bool


class Apart(NamedTuple):
    """An item for the quarantine, and whom to tell, if anybody."""

    item: SetApart
    done: Done | None = None


class Group(NamedTuple):
    """What is to be stored together."""

    waiting: list[Waiting]
    apart: list[Apart]


class Lines:
    """Put in by the event loop, taken out by the inbox's writer."""

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing
        self._coming: SimpleQueue[Waiting | Apart | None] = SimpleQueue()
        self._live: deque[Waiting] = deque()
        self._past: deque[Waiting] = deque()
        self._apart: list[Apart] = []
        # Each counter has one writing thread; their difference is what waits.
        self._in = self._out = self._bytes_in = self._bytes_out = 0
        self._heard: dict[int, int] = {}
        """When each tag last sent something, by its id."""
        self.ended = False
        """Nothing more will come."""

    def put(self, delivery: Delivery, done: Done) -> None:
        """Let it wait.

        Raises:
            InboxFullError: too much is waiting.
        """
        past = self._is_past(delivery)
        size = len(delivery.raw)
        most = MAX_WAITING if past else MAX_WAITING + ROOM
        if self._in - self._out >= most or self._waiting_bytes() + size > MAX_WAITING_BYTES:
            raise InboxFullError
        self._in += 1
        self._bytes_in += size
        self._coming.put(Waiting(delivery, done, past))

    def put_apart(self, apart: Apart) -> None:
        """Let it wait."""
        self._in += 1
        self._coming.put(apart)

    def end(self) -> None:
        """Nothing more will come."""
        self._coming.put(None)

    @property
    def full(self) -> bool:
        """Whether as many wait as may."""
        return self._in - self._out >= MAX_WAITING

    @property
    def half_empty(self) -> bool:
        """Whether at most half of what may wait does."""
        few = self._in - self._out <= MAX_WAITING // 2
        return few and self._waiting_bytes() <= MAX_WAITING_BYTES // 2

    @property
    def empty(self) -> bool:
        """Whether nothing waits; the writer asks."""
        return not (self._live or self._past or self._apart) and self._coming.empty()

    def gather(self, timeout_s: float) -> Group:
        """The next to be stored, those that never stopped first; empty when nothing came in time.

        Args:
            timeout_s: how long to wait for the first.
        """
        may_store = self.ended or self._pacing.may_store()
        if self._live or self._apart or (self._past and may_store):
            timeout_s = 0.0
        elif self._past:
            timeout_s = min(timeout_s, PAUSE_S)
        self._take_in(timeout_s)
        most = MAX_GROUP - (min(len(self._past), LEAST_PAST) if may_store else 0)
        waiting = [self._live.popleft() for _ in range(min(most, len(self._live)))]
        if may_store:
            waiting += self._some_past(MAX_GROUP - len(waiting))
        apart, self._apart = self._apart, []
        self._out += len(waiting) + len(apart)
        self._bytes_out += sum(len(one.delivery.raw) for one in waiting)
        return Group(waiting, apart)

    def _some_past(self, most: int) -> list[Waiting]:
        some = [self._past.popleft() for _ in range(min(most, len(self._past)))]
        self._pacing.stored(sum(len(one.delivery.reports) for one in some))
        return some

    def _take_in(self, timeout_s: float) -> None:
        """Put all that came into its line."""
        try:
            item = self._coming.get(timeout=timeout_s) if timeout_s else self._coming.get_nowait()
            while True:
                if item is None:
                    self.ended = True
                elif isinstance(item, Apart):
                    self._apart.append(item)
                else:
                    (self._past if item.past else self._live).append(item)
                item = self._coming.get_nowait()
        except Empty:
            return

    def _is_past(self, delivery: Delivery) -> bool:
        """Whether it tells of the past alone, or its tag told nothing for long: see `triage`.

        Never if it holds an alarm of just now: a strap may be cut on a tag that was silent.
        """
        tag_id, at_ms = delivery.tag.id, delivery.received_ms
        heard_ms = self._heard.get(tag_id)
        self._heard[tag_id] = at_ms
        newest_ms = max((report.time_ms for report in delivery.reports), default=at_ms)
        if at_ms - newest_ms > YOUNG_MS:
            return True
        back = heard_ms is None or at_ms - heard_ms > SILENT_MS
        return back and not any(
            r.signals & ALARMS and at_ms - r.time_ms <= YOUNG_MS for r in delivery.reports
        )

    def _waiting_bytes(self) -> int:
        return self._bytes_in - self._bytes_out
