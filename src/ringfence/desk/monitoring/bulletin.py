"""What changed, read once for every open page of this process, and streamed to each of them."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.db.models import Max

from ringfence.desk.kit.models import Change

POLL_S = 0.2
"""A fifth of the second that an alert may take from its report to an open page."""
KEPT = 5_000
HEARTBEAT_S = 15.0
"""Proxies cut silent connections after 30–60 s."""
LONGEST_S = 900.0
"""Then the page connects again, and its right to listen is asked anew."""


@dataclass(frozen=True, slots=True)
class News:
    """One row of `kit.Change`."""

    id: int
    topic: str
    ref: str


def latest_change_id() -> int:
    """The newest change: a page that is rendered now wants what comes after it."""
    return Change.objects.aggregate(latest=Max("id"))["latest"] or 0


class Bulletin:
    """The changes of the last while in memory, read by one task while anybody listens."""

    def __init__(self) -> None:
        self._news: deque[News] = deque(maxlen=KEPT)
        self._latest = 0
        self._readers = 0
        self._task: asyncio.Task[None] | None = None
        self._arrived = asyncio.Condition()

    async def listen(self, after: int | None) -> AsyncIterator[list[News]]:
        """Yield what came after change `after` (None = from now on); an empty list is a heartbeat.

        A reader who was away for longer than memory reaches gets one `News` without a `ref` for
        each topic: look at everything again.
        """
        await self._join()
        try:
            position = self._latest if after is None else after
            while True:
                news = await self._since(position)
                if news:
                    position = news[-1].id
                yield news
                await self._wait(position)
        finally:
            self._readers -= 1

    async def _join(self) -> None:
        self._readers += 1
        if self._task is None or self._task.done():
            self._news.clear()
            self._latest = await _read_latest()
            self._task = asyncio.create_task(self._read_on())

    async def _wait(self, position: int) -> None:
        async with self._arrived:
            if self._latest > position:
                return
            try:
                await asyncio.wait_for(self._arrived.wait(), HEARTBEAT_S)
            except TimeoutError:
                return

    async def _since(self, position: int) -> list[News]:
        if position >= self._latest:
            return []
        if self._news and self._news[0].id <= position + 1:
            return [news for news in self._news if news.id > position]
        # Before memory begins. Rows that are gone can't be told one by one.
        missed = await _read_after(position)
        if missed and missed[0].id == position + 1:
            return missed
        return [News(self._latest, topic, "") for topic, _ in Change.TOPICS]

    async def _read_on(self) -> None:
        while self._readers > 0:
            news = await _read_after(self._latest)
            if news:
                async with self._arrived:
                    self._news.extend(news)
                    self._latest = news[-1].id
                    self._arrived.notify_all()
            await asyncio.sleep(POLL_S)


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Bulletin] = WeakKeyDictionary()


def bulletin() -> Bulletin:
    """The one bulletin of the running event loop."""
    return _of_loop.setdefault(asyncio.get_running_loop(), Bulletin())


async def event_stream(after: int | None) -> AsyncIterator[str]:
    """The body of `text/event-stream`: opaque ids and topics only, never who or where."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    yield "retry: 2000\n\n"
    async for news in bulletin().listen(after):
        if not news:
            yield ": still here\n\n"
        else:
            said = [{"topic": n.topic, "ref": n.ref} for n in _distinct(news)]
            yield f"id: {news[-1].id}\nevent: changes\ndata: {json.dumps(said)}\n\n"
        if loop.time() > until:
            return


def _distinct(news: list[News]) -> list[News]:
    return list({(n.topic, n.ref): n for n in news}.values())


@sync_to_async
def _read_latest() -> int:
    close_old_connections()
    return latest_change_id()


@sync_to_async
def _read_after(position: int) -> list[News]:
    rows = Change.objects.filter(id__gt=position).order_by("id")[:KEPT]
    return [News(*row) for row in rows.values_list("id", "topic", "ref")]
