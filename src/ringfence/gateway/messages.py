"""What a published message means: whose topic, which codec, is it stored. For any MQTT door.

MQTT 3.1.1 can't refuse a message: it is acknowledged, or the connection is closed and it comes
again. So what sending again can't mend is kept apart and acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from functools import partial
from time import time_ns
from typing import NamedTuple

import structlog

from ringfence.gateway.aside import FROM_BYTES, Aside
from ringfence.gateway.codecs import owntracks, ringfence_json
from ringfence.gateway.pace import Pace, load_of
from ringfence.gateway.report import (
    Decoded,
    Delivery,
    Inbox,
    InboxFullError,
    KnownTag,
    MalformedError,
    NotStored,
    Receipt,
    SetApart,
)

DOOR = "mqtt"
OWN_MESSAGES = "owntracks"
REPORTS = "tags"
SUBSCRIBED = ("owntracks/+/+", "owntracks/+/+/event", "tags/+/reports")
"""What is asked of a broker of the house."""
MAX_PAYLOAD = 1 << 20
"""1 MiB, as over HTTP."""
RETRY_S = 0.05
"""How often a message that met a full inbox tries again."""

log = structlog.get_logger("ringfence.gateway")


class Taken(Enum):
    """What became of a message."""

    DONE = "done"
    """Committed; or kept apart, since sending it again can't mend it."""
    FOREIGN = "foreign"
    """It was published to a topic that is not the sender's."""
    NOT_STORED = "not_stored"
    """It must come again."""


class Message(NamedTuple):
    """One published message."""

    topic: str
    payload: bytes
    peer: str
    """Who brought it, for the record."""


def owner(topic: str) -> str | None:
    """The name of the tag whose topic this is; None = nobody's.

    `owntracks/TAG/DEVICE` and what is below it, `tags/TAG/reports`.
    """
    parts = topic.split("/")
    if parts[0] == OWN_MESSAGES and len(parts) >= 3:
        return parts[1] or None
    if parts[0] == REPORTS and len(parts) == 3 and parts[2] == "reports":
        return parts[1] or None
    return None


class Post:
    """Takes messages to the inbox."""

    def __init__(self, inbox: Inbox, pace: Pace, aside: Aside | None = None) -> None:
        self._aside = aside or Aside()
        self._inbox = inbox
        self._pace = pace

    async def take(self, message: Message, tag: KnownTag | None) -> Taken:
        """Store a message of `tag` (None = a stranger's); returns after the commit.

        While the inbox is full, or the tag has sent too much, it waits: whoever calls reads no more
        of that connection meanwhile.
        """
        if tag is None or owner(message.topic) != tag.name:
            why = "published to a topic that is not its own, or for a tag that nobody recorded"
            self._set_apart(message, "unauthenticated", why, None)
            return Taken.FOREIGN
        try:
            decoded = await self._decoded(message, tag)
        except MalformedError as fault:
            kept = self._kept_apart(message, fault.reason, str(fault), tag)
            self._pace.spend(tag.id, load_of((), message.payload, time_ns() // 1_000_000))
            while self._pace.spent_s(tag.id):
                await asyncio.sleep(RETRY_S)
            return _taken(await kept)
        if decoded.tag not in (None, tag.name):
            self._set_apart(message, "unauthenticated", "the body names another tag", None)
            return Taken.FOREIGN
        if not (decoded.reports or decoded.refused):
            return Taken.DONE
        return _taken(await self._store(message, tag, decoded))

    async def _decoded(self, message: Message, tag: KnownTag) -> Decoded:
        size = len(message.payload)
        if size < FROM_BYTES:
            return _decode(message, tag)
        while not self._aside.has_room(size):
            await asyncio.sleep(RETRY_S)
        return await self._aside.read(partial(_decode, message, tag), size)

    def turn_away(self, peer: str) -> None:
        """Count a wrong name or token; the bytes hold a token, and are not kept."""
        why = "no tag has this name and token: `ringfence tags rotate` makes a new one"
        self._set_apart(Message("", b"", peer), "unauthenticated", why, None)

    async def _store(
        self, message: Message, tag: KnownTag, decoded: Decoded
    ) -> Receipt | NotStored:
        count = len(decoded.reports) or len(decoded.refused)
        received_ms = time_ns() // 1_000_000
        refused = len(decoded.refused)
        load = load_of(decoded.reports, message.payload, received_ms, refused=refused)
        loop = asyncio.get_running_loop()
        while True:
            wait_s = self._pace.wait_s(tag.id, load)
            if wait_s:
                if self._pace.is_news(tag.id):
                    self._set_apart(
                        message, "too_many", "more than a tag may send", tag, reports=count
                    )
                await asyncio.sleep(min(wait_s, 1.0))
                continue
            if decoded.refused:
                first = decoded.refused[0]
                why = f"{refused} refused; report {first.index}: {first.why}"
                kept = self._kept_apart(message, "refused_report", why, tag, refused)
                if not decoded.reports:
                    return await kept
            done: asyncio.Future[Receipt | NotStored] = loop.create_future()
            raw = message.payload
            delivery = Delivery(tag, DOOR, message.peer, raw, received_ms, decoded.reports)
            try:
                self._inbox.put(delivery, partial(_settle, done))
            except InboxFullError:
                self._pace.give_back(tag.id, load)
                await asyncio.sleep(RETRY_S)
                continue
            return await done

    def _kept_apart(
        self, message: Message, reason: str, why: str, tag: KnownTag, reports: int = 1
    ) -> asyncio.Future[Receipt | NotStored]:
        """Set it apart; what comes of that, once it is committed."""
        kept: asyncio.Future[Receipt | NotStored] = asyncio.get_running_loop().create_future()
        self._set_apart(message, reason, why, tag, reports=reports, done=partial(_settle, kept))
        return kept

    def _set_apart(
        self,
        message: Message,
        reason: str,
        why: str,
        tag: KnownTag | None,
        *,
        reports: int = 1,
        done: Callable[[Receipt | NotStored], None] | None = None,
    ) -> None:
        self._inbox.set_apart(
            SetApart(
                DOOR,
                message.peer,
                message.payload,
                time_ns() // 1_000_000,
                reason,
                why,
                sender_known=tag is not None,
                reports=reports,
                tag=tag,
            ),
            done,
        )
        log.info("set_apart", door=DOOR, reason=reason)


def _decode(message: Message, tag: KnownTag) -> Decoded:
    if len(message.payload) > MAX_PAYLOAD:
        raise MalformedError(f"the message is larger than {MAX_PAYLOAD:,} bytes: send fewer")
    if message.topic.startswith(f"{REPORTS}/"):
        return ringfence_json.decode(message.payload, ringfence_json.JSON)
    return owntracks.decode(message.payload, tag.box)


def _taken(outcome: Receipt | NotStored) -> Taken:
    return Taken.DONE if isinstance(outcome, Receipt) else Taken.NOT_STORED


def _settle(to: asyncio.Future[Receipt | NotStored], outcome: Receipt | NotStored) -> None:
    if not to.done():
        to.set_result(outcome)
