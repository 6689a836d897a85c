"""What a request to a door means, without any I/O: bytes in, a reply out, once it is committed."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from time import time_ns
from typing import NamedTuple

import msgspec
import structlog

from ringfence.gateway.codecs import owntracks, ringfence_json
from ringfence.gateway.report import (
    Decoded,
    Delivery,
    Gatekeeper,
    Inbox,
    InboxFullError,
    KnownTag,
    MalformedError,
    NotStored,
    Receipt,
    Refusal,
    SetApart,
)

MAX_BODY = 1 << 20
"""1 MiB (the contract's limit): six thousand fixes."""
DRAIN_AT_MOST = 16 * MAX_BODY
"""So much of a body above the limit is read and thrown away, so that its sender hears why."""
MOST_UNKNOWN_BYTES = 16 * MAX_BODY
"""Bodies of senders who are being looked up: a flood of made-up tokens must not fill the memory."""
PREFIX = b"/gateway/"

Headers = dict[bytes, bytes]
"""Of the names in lower case."""
Done = Callable[["Reply"], None]
log = structlog.get_logger("ringfence.gateway")


class Reply(NamedTuple):
    """What goes back to the tag."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Door(NamedTuple):
    """One path that tags report to: how they say who they are, and what they speak."""

    name: str
    scheme: bytes
    media_types: frozenset[bytes]
    """Empty: any, the door's protocol leaves it open."""
    decode: Callable[[bytes, bytes, KnownTag], Decoded]
    """Of the body, its media type, and the sender."""
    reply: Callable[[Receipt, list[Refusal]], bytes]


DOORS = {
    b"/gateway/v1/reports": Door(
        "reports",
        b"bearer",
        ringfence_json.MSGPACK | {ringfence_json.JSON},
        lambda body, media_type, _tag: ringfence_json.decode(body, media_type),
        ringfence_json.reply,
    ),
    b"/gateway/owntracks": Door(
        "owntracks",
        b"basic",
        frozenset(),
        lambda body, _media_type, tag: owntracks.decode(body, tag.box),
        lambda _receipt, _refused: owntracks.REPLY,
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
    if method != b"POST":
        return problem(405, "this door takes POST only", (b"allow", b"POST"))
    if door.media_types and _media_type(headers) not in door.media_types:
        return problem(415, "send Content-Type application/json or application/msgpack")
    if int(headers.get(b"content-length", b"0")) > MAX_BODY:
        return too_large()
    return door


class Request(NamedTuple):
    """A whole request to a door."""

    door: Door
    headers: Headers
    body: bytes
    peer: str
    received_ms: int
    done: Done
    """Called once, on the event loop, with the reply."""


class Session:
    """Takes requests through: who is it, what does it say, is it stored."""

    def __init__(self, inbox: Inbox, gatekeeper: Gatekeeper) -> None:
        self._inbox = inbox
        self._gatekeeper = gatekeeper
        self._unknown_bytes = 0

    def take(self, door: Door, headers: Headers, body: bytes, peer: str, done: Done) -> None:
        """Take a whole request in; `done` gets the reply, after the commit where there is one."""
        request = Request(door, headers, body, peer, time_ns() // 1_000_000, done)
        user, token = _credentials(door.scheme, headers.get(b"authorization", b""))
        # Looked up by its hash: how long that takes says nothing of a token that is nearly right.
        token_hash = sha256(token).hexdigest()
        tag = self._gatekeeper.known(token_hash) if token else None
        if tag is not None or not token:
            self._identified(request, user, tag)
        elif self._unknown_bytes + len(body) > MOST_UNKNOWN_BYTES:
            request.done(_come_back("too many senders wait to be recognised"))
        else:
            self._unknown_bytes += len(body)
            self._gatekeeper.ask(token_hash, partial(self._recognised, request, user))

    def _recognised(
        self, request: Request, user: str | None, tag: KnownTag | NotStored | None
    ) -> None:
        self._unknown_bytes -= len(request.body)
        self._identified(request, user, tag)

    def _identified(
        self, request: Request, user: str | None, tag: KnownTag | NotStored | None
    ) -> None:
        if isinstance(tag, NotStored):
            _stored(request, [], tag)
            return
        if tag is None or user not in (None, tag.name):
            self._turn_away(request)
            return
        try:
            decoded = request.door.decode(request.body, _media_type(request.headers), tag)
        except MalformedError as fault:
            self._set_apart(request, fault.reason, str(fault), sender_known=True)
            request.done(problem(400, str(fault)))
            return
        if decoded.tag not in (None, tag.name):
            self._turn_away(request)
            return
        if decoded.refused:
            first = decoded.refused[0]
            detail = f"{len(decoded.refused)} refused; report {first.index}: {first.why}"
            refused = len(decoded.refused)
            self._set_apart(request, "refused_report", detail, sender_known=True, reports=refused)
        self._store(request, tag, decoded)

    def _store(self, request: Request, tag: KnownTag, decoded: Decoded) -> None:
        if not decoded.reports:
            request.done(Reply(200, request.door.reply(Receipt(0, 0), decoded.refused)))
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
            self._inbox.put(delivery, partial(_stored, request, decoded.refused))
        except InboxFullError:
            request.done(_come_back("too much is waiting to be stored"))

    def _turn_away(self, request: Request) -> None:
        why = (
            "no tag has this token, or it is another tag's: send the token that `ringfence tags "
            "add` printed for the tag that reports (`ringfence tags rotate` makes a new one)"
        )
        self._set_apart(request, "unauthenticated", why, sender_known=False)
        scheme = request.door.scheme.title() + b' realm="ringfence"'
        request.done(problem(401, why, (b"www-authenticate", scheme)))

    def _set_apart(
        self, request: Request, reason: str, detail: str, *, sender_known: bool, reports: int = 1
    ) -> None:
        self._inbox.set_apart(
            SetApart(
                request.door.name,
                request.peer,
                request.body,
                request.received_ms,
                reason,
                detail,
                sender_known,
                reports,
            )
        )
        log.info("set_apart", door=request.door.name, reason=reason)


def _come_back(why: str) -> Reply:
    return problem(429, f"{why}: keep these reports and send them again", (b"retry-after", b"1"))


def _stored(request: Request, refused: list[Refusal], outcome: Receipt | NotStored) -> None:
    if isinstance(outcome, Receipt):
        request.done(Reply(200, request.door.reply(outcome, refused)))
    else:
        request.done(problem(503, outcome.why, (b"retry-after", b"5")))


def _media_type(headers: Headers) -> bytes:
    given = headers.get(b"content-type", ringfence_json.JSON)
    return given if given == ringfence_json.JSON else given.partition(b";")[0].strip().lower()


def _credentials(scheme: bytes, authorization: bytes) -> tuple[str | None, bytes]:
    """Name (Basic only) and token; an empty token where there is none to read."""
    given, _, rest = authorization.partition(b" ")
    if given.lower() != scheme:
        return None, b""
    if scheme == b"bearer":
        return None, rest.strip()
    try:
        user, _, token = b64decode(rest.strip(), validate=True).partition(b":")
        return user.decode(), token
    except (binascii.Error, UnicodeDecodeError):
        return None, b""
