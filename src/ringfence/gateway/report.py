"""What the doors decode to, and what they ask of the house behind them."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import NamedTuple, Protocol

from msgspec import Struct, msgpack
from nacl.secret import SecretBox

from ringfence.engine.fix import E7

_canonical = msgpack.Encoder().encode
_blank = blake2b(digest_size=8).copy  # half the price of a new one
_signed = struct.Struct(">q").unpack

TO_95 = math.sqrt(math.log(0.05) / math.log(0.32))
"""1.62: radius of the 95 % circle by that of the 68 % circle, for an error that is normal in both
directions (Rayleigh: within r with 1 − exp(−r²/2σ²), so 1.51 σ and 2.45 σ).

Phones state the second: Android's `Location.getAccuracy` by its documentation; iOS's
`horizontalAccuracy` is a root mean square, 63 to 68 % (Apple's engineers, developer forum 699996),
so that at worst what we keep holds 93 %."""

FUTURE_MS = 120_000
"""A report dated later than this after its receipt is kept, and not judged (contract: gateway)."""

KNOT_MPS = 1852 / 3600
"""Metres a second in one knot."""

Said = tuple[
    int | None, int, int | None, int | None, float | None, int, float | None, float | None,
    float | None, int | None, float | None, float | None, int,
]  # fmt: skip
"""The fields of a `Report` after its digest, in their order."""


class Report(NamedTuple):
    """What a tag said at one instant: a fix, signals, or both. None = not said.

    The fields are the columns of the stored report, in their order (`monitoring.models.Report`),
    so that storing needs no mapping. Coordinates are 1e-7 degrees, quantised here and nowhere
    else on the way to the engine. Made by `seal`.
    """

    digest: int
    """64 signed bits of BLAKE2b over all other fields: the same whatever the encoding it came in.

    The arrival is no part of it.
    """
    seq: int | None
    time_ms: int
    lat_e7: int | None
    lon_e7: int | None
    accuracy_m: float | None
    source: int
    speed_mps: float | None
    course_deg: float | None
    altitude_m: float | None
    satellites: int | None
    hdop: float | None
    battery_pct: float | None
    signals: int


def seal(said: Said) -> Report:
    """Make a report of what was said: add its digest."""
    hasher = _blank()
    hasher.update(_canonical(said))
    # By tuple's own maker: half the time of a call with fourteen arguments, on the hottest path.
    return tuple.__new__(Report, _signed(hasher.digest()) + said)


def kept_digest(report: Report, received_ms: int) -> int:
    """The digest under which a report is stored: another one if it came before its time.

    Such a report is never judged. Who sends one ahead, that his strap is cut, must not make the
    true one known already when it comes.
    """
    return ~report.digest if report.time_ms > received_ms + FUTURE_MS else report.digest


def quantise(degrees: float) -> int:
    """Degrees to whole 1e-7 degrees, half to even: as numpy rounds the columns of a file."""
    return round(degrees * E7)


class Refusal(Struct, frozen=True, gc=False):
    """One report of a body that can't be used: which, and why, with what to do."""

    index: int
    why: str


class Decoded(Struct, frozen=True):
    """What a codec found in a body."""

    tag: str | None
    """Whose the body says it is; None where the door's protocol has no such field."""
    reports: list[Report]
    refused: list[Refusal] = []


class MalformedError(ValueError):
    """The body as a whole can't be read; the text says why and what to do."""

    def __init__(self, why: str, reason: str = "malformed") -> None:
        super().__init__(why)
        self.reason = reason
        """Under which it is counted and kept apart."""


class KnownTag(NamedTuple):
    """The sender, once its token was recognised."""

    id: int
    name: str
    box: SecretBox | None = None
    """Opens what its OwnTracks app encrypts; None = it has no key."""

    def speaks_for(self, name: str | None) -> KnownTag | None:
        """Itself, if a message that names its tag (or none) may be its own."""
        return self if name in (None, self.name) else None


class KnownFeed(NamedTuple):
    """A sender that passes on what several tags said, once its token was recognised."""

    id: int
    name: str
    tags: Mapping[str, KnownTag]
    """Those that are bound to it, by name: it speaks for no others."""

    def speaks_for(self, name: str | None) -> KnownTag | None:
        """The tag of this name, if it is bound to this feed."""
        return self.tags.get(name) if name is not None else None


Sender = KnownTag | KnownFeed


class Delivery(NamedTuple):
    """Reports to be stored together with the bytes they came in."""

    tag: KnownTag
    door: str
    peer: str
    raw: bytes
    received_ms: int
    reports: list[Report]


class Receipt(NamedTuple):
    """Committed: how many reports were new, and how many were stored before."""

    accepted: int
    duplicate: int


class NotStored(NamedTuple):
    """Not committed, so not acknowledged: the tag keeps its reports and sends them again."""

    why: str


class SetApart(NamedTuple):
    """Bytes that could not be decoded or did not authenticate."""

    door: str
    peer: str
    raw: bytes
    received_ms: int
    reason: str
    detail: str
    sender_known: bool
    reports: int = 1
    """How many reports were refused with it, for the count of them."""
    tag: KnownTag | None = None
    """Whose they are, where the sender is known."""
    feed: KnownFeed | None = None
    """Which feed brought them, where the sender is one."""


class InboxFullError(Exception):
    """More is waiting to be stored than should: the tag is asked to come back."""


class Inbox(Protocol):
    """Where reports are stored. Called on the event loop; never blocks it."""

    def put(self, delivery: Delivery, done: Callable[[Receipt | NotStored], None]) -> None:
        """Queue `delivery`; `done` is called on the same loop after the commit, or its failure.

        Raises:
            InboxFullError: too much is waiting.
        """

    def has_room(self) -> bool:
        """Whether so little waits that whoever found it full may go on."""

    def set_apart(
        self, item: SetApart, done: Callable[[Receipt | NotStored], None] | None = None
    ) -> None:
        """Keep `item` if the allowance permits; it is counted in any case.

        Args:
            item: what.
            done: called on the same loop when it is committed, or is beyond the allowance; or when
                nothing can be stored: who is told then that it was taken would not send it again.
        """


class Gatekeeper(Protocol):
    """Who may speak. Called on the event loop; never blocks it."""

    def known(self, token_hash: str) -> Sender | None:
        """Whose token this is, if that was found out recently enough; else None: `ask`."""

    def ask(self, token_hash: str, done: Callable[[Sender | NotStored | None], None]) -> None:
        """Look the token up; `done` is called on the same loop, with None for a stranger."""
