"""A small house behind the doors: an inbox that keeps in memory, a gatekeeper that knows three."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.report import (
    Delivery,
    InboxFullError,
    KnownFeed,
    KnownTag,
    NotStored,
    Receipt,
    Sender,
    SetApart,
)

TOKENS = {"T1": "one", "T2": "two", "T3": "three", "a feed": "four"}
SECRET = "a phone's secret"
"""Of T3's OwnTracks app; the others have none."""


@dataclass
class MemoryInbox:
    """Stores at once; says what it is told to say."""

    full: bool = False
    trouble: str | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    apart: list[SetApart] = field(default_factory=list)

    def put(self, delivery: Delivery, done: Callable[[Receipt | NotStored], None]) -> None:
        if self.full:
            raise InboxFullError
        answer: Receipt | NotStored
        if self.trouble:
            answer = NotStored(self.trouble)
        else:
            seen = {(r.time_ms, r.digest) for d in self.deliveries for r in d.reports}
            new = [r for r in delivery.reports if (r.time_ms, r.digest) not in seen]
            self.deliveries.append(delivery)
            answer = Receipt(len(new), len(delivery.reports) - len(new))
        asyncio.get_running_loop().call_soon(done, answer)

    def has_room(self) -> bool:
        return not self.full

    def set_apart(
        self, item: SetApart, done: Callable[[Receipt | NotStored], None] | None = None
    ) -> None:
        self.apart.append(item)
        if done:
            kept = NotStored(self.trouble) if self.trouble else Receipt(0, 0)
            asyncio.get_running_loop().call_soon(done, kept)


@dataclass
class FewTags:
    """Knows T1, T3 and a feed of T1 at once; has to ask about T2."""

    asked: int = 0
    rotated: set[str] = field(default_factory=set)
    """Names of tags that have another token by now."""

    def known(self, token_hash: str) -> Sender | None:
        return _KNOWN.get(token_hash)

    def ask(self, token_hash: str, done: Callable[[Sender | NotStored | None], None]) -> None:
        self.asked += 1
        tag = KnownTag(2, "T2") if token_hash == _hash("T2") else _KNOWN.get(token_hash)
        known = tag is not None and tag.name not in self.rotated
        asyncio.get_running_loop().call_soon(done, tag if known else None)


def _hash(tag: str) -> str:
    return sha256(TOKENS[tag].encode()).hexdigest()


_KNOWN: dict[str, Sender] = {
    _hash("T1"): KnownTag(1, "T1"),
    _hash("T3"): KnownTag(3, "T3", box_of(SECRET)),
    _hash("a feed"): KnownFeed(7, "a feed", {"T1": KnownTag(1, "T1")}),
}
