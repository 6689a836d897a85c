"""What a request to a door means, without any I/O: bytes in, a reply out, once it is committed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from time import time_ns
from typing import NamedTuple

import msgspec
import structlog

from ringfence.gateway.aside import FROM_BYTES, Aside
from ringfence.gateway.codecs import osmand, owntracks, ringfence_json, traccar
from ringfence.gateway.credentials import Shown, from_header, without_secret
from ringfence.gateway.pace import Load, Pace, load_of
from ringfence.gateway.report import (
    Decoded,
    Delivery,
    Gatekeeper,
    Inbox,
    InboxFullError,
    KnownFeed,
    KnownTag,
    MalformedError,
    NotStored,
    Receipt,
    Refusal,
    Sender,
    SetApart,
)

MAX_BODY = 1 << 20
"""1 MiB (the contract's limit): six thousand fixes."""
DRAIN_AT_MOST = 16 * MAX_BODY
"""So much of a body above the limit is read and thrown away, so that its sender hears why."""
MOST_ARRIVING = 256 * MAX_BODY
"""Of bodies that are not whole yet, on all connections: beyond it none may grow larger than …"""
SMALL_BODY = 16 * 1024
"""… this: whoever fills the memory with halves keeps out no tag that says little."""
MOST_UNKNOWN_BYTES = 16 * MAX_BODY
"""Bodies of senders who are being looked up: a flood of made-up tokens must not fill the memory."""
LOOKED_THROUGH = 8 * 1024
"""Of a tag that sent too much, larger bodies are not read; smaller ones are, for an alarm."""
LONGEST_WAIT_S = 60
"""What a tag that sent too much is asked to wait at most: it may have an alarm to tell."""
PREFIX = b"/gateway/"
_NOT_A_TAGS = (
    "no tag has this token, or it is another tag's: send the token that `ringfence tags add` "
    "printed for the tag that reports (`ringfence tags rotate` makes a new one)"
)
_NOT_A_FEEDS = (
    "no feed has this token, or the device is not bound to it: send the token that `ringfence "
    "feeds add` printed, and bind the tag of the device's uniqueId with `ringfence feeds bind`"
)

Headers = dict[bytes, bytes]
"""Of the names in lower case."""
Done = Callable[["Reply"], None]
_Read = tuple[Decoded, Load]
"""What a body says, and what that takes of its tag's allowance."""
_UNREAD = "a fault in Ringfence: keep these reports, and tell whoever runs it"

log = structlog.get_logger("ringfence.gateway")


class Reply(NamedTuple):
    """What goes back to the tag."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Request(NamedTuple):
    """A whole request to a door."""

    door: Door
    media_type: bytes
    body: bytes
    """What it said, without a token: fit to be kept."""
    peer: str
    received_ms: int
    done: Done
    """Called once, on the event loop, with the reply."""


class Door(NamedTuple):
    """One path that tags report to: how they say who they are, and what they speak."""

    name: str
    schemes: tuple[bytes, ...]
    """Of the Authorization header; the first is named in a refusal."""
    decode: Callable[[Request, Sender], Decoded]
    reply: Callable[[Receipt, list[Refusal]], bytes]
    media_types: frozenset[bytes] = frozenset()
    """Empty: any, the door's protocol leaves it open."""
    methods: tuple[bytes, ...] = (b"POST",)
    sender: type[Sender] = KnownTag
    parameters: bool = False
    """Whether a query or a form may hold the report, and the token."""


def _owntracks(request: Request, sender: Sender) -> Decoded:
    return owntracks.decode(request.body, sender.box if isinstance(sender, KnownTag) else None)


DOORS = {
    b"/gateway/v1/reports": Door(
        "reports",
        (b"bearer",),
        lambda request, _: ringfence_json.decode(request.body, request.media_type),
        ringfence_json.reply,
        media_types=ringfence_json.MSGPACK | {ringfence_json.JSON},
    ),
    b"/gateway/owntracks": Door(
        "owntracks", (b"basic",), _owntracks, lambda _receipt, _refused: owntracks.REPLY
    ),
    b"/gateway/osmand": Door(
        "osmand",
        (b"bearer", b"basic"),
        lambda request, _: osmand.decode(request.body, request.received_ms),
        lambda _receipt, _refused: b"",
        methods=(b"GET", b"POST"),
        parameters=True,
    ),
    b"/gateway/traccar": Door(
        "traccar",
        (b"bearer",),
        lambda request, _: traccar.decode(request.body),
        lambda _receipt, _refused: b"",
        sender=KnownFeed,
    ),
}


def problem(status: int, why: str, *headers: tuple[bytes, bytes]) -> Reply:
    """Refuse a whole request, saying why and what to do."""
    return Reply(status, msgspec.json.encode({"error": why}), headers)


def too_large() -> Reply:
    """Refuse a body above the limit."""
    return problem(
        413, f"the body is larger than {MAX_BODY:,} bytes: send fewer reports in one request"
    )


def knock(method: bytes, path: bytes, headers: Headers) -> Door | Reply:
    """Find the door, or refuse before the body is read."""
    door = DOORS.get(path)
    if door is None:
        paths = ", ".join(p.decode() for p in DOORS)
        return problem(404, f"there is no such door: the doors are {paths}")
    if method not in door.methods:
        allowed = b", ".join(door.methods)
        return problem(405, f"this door takes {allowed.decode()} only", (b"allow", allowed))
    if door.media_types and _media_type(headers) not in door.media_types:
        return problem(415, "send Content-Type application/json or application/msgpack")
    if int(headers.get(b"content-length", b"0")) > MAX_BODY:
        return too_large()
    return door


class Session:
    """Takes requests through: who is it, what does it say, is it stored."""

    def __init__(
        self,
        inbox: Inbox,
        gatekeeper: Gatekeeper,
        pace: Pace | None = None,
        aside: Aside | None = None,
    ) -> None:
        self._aside = aside or Aside()
        self._reading: set[asyncio.Task[None]] = set()
        self._inbox = inbox
        self._gatekeeper = gatekeeper
        self._pace = pace or Pace()
        self._unknown_bytes = 0
        self.arriving = 0
        """Bytes of bodies that are not whole yet; whoever reads them counts them here."""

    def is_crowded(self, size: int) -> bool:
        """Whether too much is arriving for a body of this size to grow."""
        return self.arriving > MOST_ARRIVING and size > SMALL_BODY

    def take(
        self,
        door: Door,
        headers: Headers,
        body: bytes,
        peer: str,
        done: Done,
        *,
        query: bytes = b"",
    ) -> None:
        """Take a whole request in; `done` gets the reply, after the commit where there is one."""
        shown = from_header(door.schemes, headers.get(b"authorization", b""))
        if door.parameters:
            body, shown = _of_parameters(body, query, shown)
        received_ms = time_ns() // 1_000_000
        request = Request(door, _media_type(headers), body, peer, received_ms, done)
        # Looked up by its hash: how long that takes says nothing of a token that is nearly right.
        token_hash = sha256(shown.token).hexdigest()
        sender = self._gatekeeper.known(token_hash) if shown.token else None
        if sender is not None or not shown.token:
            self._identified(request, shown.user, sender)
        elif self._unknown_bytes + len(body) > MOST_UNKNOWN_BYTES:
            request.done(come_back("too many senders wait to be recognised"))
        else:
            self._unknown_bytes += len(body)
            self._gatekeeper.ask(token_hash, partial(self._recognised, request, shown.user))

    def _recognised(
        self, request: Request, user: str | None, sender: Sender | NotStored | None
    ) -> None:
        self._unknown_bytes -= len(request.body)
        self._identified(request, user, sender)

    def _identified(
        self, request: Request, user: str | None, sender: Sender | NotStored | None
    ) -> None:
        if isinstance(sender, NotStored):
            _stored(request, [], sender)
            return
        if not isinstance(sender, request.door.sender) or user not in (None, sender.name):
            self._turn_away(request)
            return
        if isinstance(sender, KnownTag) and len(request.body) > LOOKED_THROUGH:
            wait_s = self._pace.deaf_s(sender.id) or self._pace.spent_s(sender.id)
            if wait_s:
                self._refuse_more(request, sender, wait_s)
                return
        size = len(request.body)
        if size < FROM_BYTES:
            self._take_read(request, sender, _read(request, sender))
        elif self._aside.has_room(size):
            task = asyncio.get_running_loop().create_task(self._read_aside(request, sender))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        else:
            request.done(come_back("too many large bodies wait to be read"))

    async def _read_aside(self, request: Request, sender: Sender) -> None:
        try:
            read = await self._aside.read(partial(_read, request, sender), len(request.body))
        except Exception as error:
            # No bytes make a codec raise, as fuzzing says. If some do, their sender must hear.
            log.exception("body_not_read", door=request.door.name, error=type(error).__name__)
            request.done(problem(500, _UNREAD))
            return
        self._take_read(request, sender, read)

    def _take_read(self, request: Request, sender: Sender, read: _Read | MalformedError) -> None:
        if isinstance(read, MalformedError):
            if isinstance(sender, KnownTag):
                self._pace.spend(sender.id, load_of((), request.body, request.received_ms))
            self._set_apart(request, read.reason, str(read), sender)
            request.done(problem(400, str(read)))
            return
        decoded, load = read
        tag = sender.speaks_for(decoded.tag)
        if tag is None:
            self._turn_away(request)
            return
        if decoded.reports or decoded.refused:
            self._store(request, tag, decoded, load)
        else:
            request.done(Reply(200, request.door.reply(Receipt(0, 0), [])))

    def _store(self, request: Request, tag: KnownTag, decoded: Decoded, load: Load) -> None:
        refused = len(decoded.refused)
        wait_s = self._pace.wait_s(tag.id, load)
        if wait_s:
            self._refuse_more(request, tag, wait_s, reports=load.reports)
            return
        stored = partial(_stored, request, decoded.refused)
        if decoded.refused:
            first = decoded.refused[0]
            detail = f"{refused} refused; report {first.index}: {first.why}"
            # Committed before the reports or with them, if there are any: it is put in first.
            alone = None if decoded.reports else stored
            self._set_apart(request, "refused_report", detail, tag, reports=refused, done=alone)
        if not decoded.reports:
            return
        delivery = Delivery(
            tag,
            request.door.name,
            request.peer,
            request.body,
            request.received_ms,
            decoded.reports,
        )
        try:
            self._inbox.put(delivery, stored)
        except InboxFullError:
            self._pace.give_back(tag.id, load)
            request.done(come_back("too much is waiting to be stored"))

    def _refuse_more(
        self, request: Request, tag: KnownTag, wait_s: float, *, reports: int = 1
    ) -> None:
        why = "this tag sends more reports than a tag may"
        if self._pace.is_news(tag.id):
            self._set_apart(request, "too_many", why, tag, reports=reports)
        request.done(come_back(why, min(math.ceil(wait_s), LONGEST_WAIT_S)))

    def _turn_away(self, request: Request) -> None:
        why = _NOT_A_TAGS if request.door.sender is KnownTag else _NOT_A_FEEDS
        self._set_apart(request, "unauthenticated", why, None)
        scheme = request.door.schemes[0].title() + b' realm="ringfence"'
        request.done(problem(401, why, (b"www-authenticate", scheme)))

    def _set_apart(
        self,
        request: Request,
        reason: str,
        detail: str,
        sender: Sender | None,
        *,
        reports: int = 1,
        done: Callable[[Receipt | NotStored], None] | None = None,
    ) -> None:
        self._inbox.set_apart(
            SetApart(
                request.door.name,
                request.peer,
                request.body,
                request.received_ms,
                reason,
                detail,
                sender_known=sender is not None,
                reports=reports,
                tag=sender if isinstance(sender, KnownTag) else None,
                feed=sender if isinstance(sender, KnownFeed) else None,
            ),
            done,
        )
        log.info("set_apart", door=request.door.name, reason=reason)


def come_back(why: str, after_s: int = 1) -> Reply:
    """Ask for the same later."""
    retry = (b"retry-after", str(after_s).encode())
    return problem(429, f"{why}: keep these reports and send them again", retry)


def _stored(request: Request, refused: list[Refusal], outcome: Receipt | NotStored) -> None:
    if isinstance(outcome, Receipt):
        request.done(Reply(200, request.door.reply(outcome, refused)))
    else:
        request.done(problem(503, outcome.why, (b"retry-after", b"5")))


def _read(request: Request, sender: Sender) -> _Read | MalformedError:
    try:
        decoded = request.door.decode(request, sender)
    except MalformedError as fault:
        return fault
    refused = len(decoded.refused)
    load = load_of(decoded.reports, request.body, request.received_ms, refused=refused)
    return decoded, load


def _media_type(headers: Headers) -> bytes:
    given = headers.get(b"content-type", ringfence_json.JSON)
    return given if given == ringfence_json.JSON else given.partition(b";")[0].strip().lower()


def _of_parameters(body: bytes, query: bytes, shown: Shown) -> tuple[bytes, Shown]:
    """What was said without its token, and who says it: a header wins over a parameter."""
    query, token = without_secret(query)
    if body.lstrip()[:1] not in (b"{", b"["):
        form, of_form = without_secret(body)
        token = token or of_form
        body = b"&".join(part for part in (query, form) if part)
    return body, shown if shown.token else Shown(None, token)
