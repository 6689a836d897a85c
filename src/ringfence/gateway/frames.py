"""What the codecs of device protocols make of a connection's bytes: frames, in their order.

A codec is sans-IO: `talk` begins a conversation, `receive` takes bytes as they come, split or
joined anywhere, and returns each frame that they complete. Whoever holds the connection stores
`reports`, commits, and only then sends `reply`: a device forgets what was acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any, NamedTuple, Protocol

from ringfence.engine.fix import Signal
from ringfence.gateway.report import Report, seal

_CALM = Signal.STRAP_OK | Signal.CHARGING | Signal.POWER_ON | Signal.BEACON_SEEN
_CALM |= Signal.MOTION | Signal.NO_MOTION | Signal.TAMPER_INSPECTED
URGENT = int(~_CALM)
"""Signals that must be heard even if nobody knows when they were said: all that calm nobody."""
CLOCKS_FROM_MS = 946_684_800_000
"""2000-01-01: a clock that says less was never set, and shows where it begins (1970, 1980)."""


class DeviceModel(NamedTuple):
    """What must be known of a device's make beyond its protocol."""

    name: str = ""
    """As its maker spells it; a codec looks up its table of alarm codes by it."""
    zone: tzinfo = UTC
    """In which its clock speaks, for protocols that send local time."""


class Heard(NamedTuple):
    """One frame of a conversation."""

    raw: bytes
    """Its bytes, as they came."""
    device: str | None
    """Who sent it, by the frame itself or by the log-in before it; None = not said yet."""
    reports: tuple[Report, ...] = ()
    unnamed: tuple[dict[str, Any], ...] = ()
    """For each report what has no name of ours, as the device said it; only if asked for."""
    reply: bytes = b""
    """What the device waits for, to be sent after the reports are committed; empty = nothing."""
    error: str | None = None
    """Why it can't be used, and what to do; never a place or a person."""
    missing: int = 0
    """So many frames before it were numbered by the device and have not come (yet)."""
    doubtful: tuple[Report, ...] = ()
    """What a damaged frame seems to say: only if asked for, for people. Never stored."""
    undated: int = 0
    """`Signal` bits of which the frame says no time that exists; `dated` makes a report of them."""

    def dated(self, received_ms: int) -> Heard:
        """This frame, with the instant at which it came for signals of which it says none.

        A strap alarm of a tag whose clock is not set must open its alert. Where it was then is not
        taken: a place without a time is none. `error` goes on to say that the clock must be set.
        A time before there were such tags is kept as it was said, beside it.
        """
        told = self.undated
        for said in self.reports:
            if said.time_ms < CLOCKS_FROM_MS:
                told |= said.signals
        told &= URGENT
        if not told:
            return self
        nowhere = (None, None, None, 0, None, None, None, None, None)
        report = seal((None, received_ms, *nowhere, None, told))
        own = ({"time": "when it came: the tag says none"},) if self.unnamed else ()
        return self._replace(
            reports=(*self.reports, report), unnamed=(*self.unnamed, *own), undated=0
        )


class Conversation(Protocol):
    """One connection's worth of a protocol. Memory is bounded whatever comes."""

    @property
    def unfinished(self) -> int:
        """How many bytes wait for the rest of their frame: who holds one for long is hung up on."""
        ...

    def receive(self, data: bytes) -> list[Heard]:
        """Take bytes; return the frames that they complete. Raises nothing."""
        ...


ModelOf = Callable[[str], DeviceModel]
"""The model of the device with this id."""


class Codec(NamedTuple):
    """A device protocol."""

    name: str
    talk: Callable[[ModelOf, bool], Conversation]
    """Begin a conversation; True = also say what has no name (slower, for people)."""
    refusal: bytes = b""
    """What a device that nobody registered is told, in place of `reply`, before the line is closed.

    Teltonika's log-in: 00. Empty = nothing.
    """
    log_in: Callable[[str], bytes] = lambda _device: b""
    """What this device sends first, so that a frame kept without its log-in can be read alone.

    Empty = its frames say themselves who sent them.
    """
