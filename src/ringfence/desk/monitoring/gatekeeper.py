"""Who may speak through a gateway door: token hashes, looked up together and believed briefly."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, connections

from ringfence.desk.cases.models import Feed, Tag
from ringfence.desk.cases.queries import tags_by_token_hash
from ringfence.desk.cases.sealing import open_secret
from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.report import KnownFeed, KnownTag, NotStored, Sender

BELIEVED_S = 4.0
"""How long an answer is believed, unless the directory hears that the tag has changed."""
MOST_AT_ONCE = 500
"""Hashes in one question to the database."""

log = structlog.get_logger("ringfence.gatekeeper")
Answer = Callable[[Sender | NotStored | None], None]


class TagGatekeeper:
    """Implements `gateway.report.Gatekeeper` on the desk's tags and feeds.

    Strangers are not remembered, so that a new tag is let in at once and a flood of made-up tokens
    fills no memory.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[Sender, float]] = {}
        self._asked: defaultdict[str, list[Answer]] = defaultdict(list)
        self._asking = False
        self._forgot_s = -math.inf
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gatekeeper")

    def stop(self) -> None:
        """End the thread that asks the database."""
        self._pool.submit(connections.close_all)
        self._pool.shutdown(wait=True)

    def known(self, token_hash: str) -> Sender | None:
        """Whose token this is, if the database said so within `BELIEVED_S`."""
        found = self._known.get(token_hash)
        if found is None or found[1] < self._clock():
            return None
        return found[0]

    def forget(self, tags: Collection[int]) -> None:
        """Believe nothing of these tags any more: they were changed, perhaps revoked."""
        # From another thread: an answer that is under way may be from before the change.
        self._forgot_s = self._clock()
        for token_hash, (sender, _) in list(self._known.items()):
            # A feed may have lost the tag, or gained it.
            if isinstance(sender, KnownFeed) or sender.id in tags:
                self._known.pop(token_hash, None)

    def ask(self, token_hash: str, done: Answer) -> None:
        """Ask the database, together with whoever asks meanwhile."""
        self._asked[token_hash].append(done)
        if not self._asking:
            self._asking = True
            self._ask_next(asyncio.get_running_loop())

    def _ask_next(self, loop: asyncio.AbstractEventLoop) -> None:
        hashes = list(self._asked)[:MOST_AT_ONCE]
        asked = {h: self._asked.pop(h) for h in hashes}
        at_s = self._clock()
        future = loop.run_in_executor(self._pool, _look_up, hashes)
        future.add_done_callback(lambda f: self._answer(loop, asked, at_s, f))

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        asked: dict[str, list[Answer]],
        at_s: float,
        future: asyncio.Future[dict[str, Sender] | NotStored],
    ) -> None:
        if self._asked:
            self._ask_next(loop)
        else:
            self._asking = False
        found = future.result()
        for token_hash, answers in asked.items():
            sender = found if isinstance(found, NotStored) else found.get(token_hash)
            if sender is None or isinstance(sender, NotStored) or at_s <= self._forgot_s:
                self._known.pop(token_hash, None)
            else:
                self._known[token_hash] = (sender, at_s + BELIEVED_S)
            for answer in answers:
                answer(sender)


def _look_up(hashes: list[str]) -> dict[str, Sender] | NotStored:
    try:
        return _found(hashes)
    except DatabaseError as error:
        log.warning("look_up_failed", error=type(error).__name__)
        connections.close_all()
        return NotStored("the database can't be read: keep these reports and send them again")


def _found(hashes: list[str]) -> dict[str, Sender]:
    found: dict[str, Sender] = {h: known_tag(tag) for h, tag in tags_by_token_hash(hashes).items()}
    if rest := [h for h in hashes if h not in found]:
        for feed in Feed.objects.filter(token_hash__in=rest, revoked_at__isnull=True):
            bound = feed.tags.filter(revoked_at__isnull=True).values_list("id", "name")
            known = {name: KnownTag(tag_id, name) for tag_id, name in bound}
            found[feed.token_hash] = KnownFeed(feed.pk, feed.name, known)
    return found


def known_tag(tag: Tag) -> KnownTag:
    """A tag as the doors know it."""
    secret = open_secret(tag.name, bytes(tag.owntracks_key)) if tag.owntracks_key else None
    if tag.owntracks_key and secret is None:
        log.warning("owntracks_key_unreadable", cause="the platform's secret key has changed")
    return KnownTag(tag.pk, tag.name, box_of(secret) if secret else None)
