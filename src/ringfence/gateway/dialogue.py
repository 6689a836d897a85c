"""What a device's connection means, without any I/O: bytes in, replies out once they are committed.

The device is who its frames say it is, not its address: many may share one, or one connection. A
reply is written when the reports of its frame are committed, in the order of the frames. What can't
be taken in now stays here, at most one read of the socket, and the socket is left unread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from time import time_ns
from typing import NamedTuple, Protocol

import structlog

from ringfence.gateway.devices import Device, Devices
from ringfence.gateway.frames import Codec, DeviceModel, Heard
from ringfence.gateway.metrics import FRAMES_MISSING
from ringfence.gateway.pace import Pace, load_of
from ringfence.gateway.report import (
    Delivery,
    Inbox,
    InboxFullError,
    KnownTag,
    NotStored,
    Receipt,
    SetApart,
)

MAX_AHEAD = 16
"""Frames of one connection that wait for their commit before no more are taken from it."""
MOST_FAULTS = 16
"""Unusable frames in a row before the line is closed: a device that speaks another protocol."""

log = structlog.get_logger("ringfence.gateway")


class House(NamedTuple):
    """What stands behind the connections of one protocol."""

    codec: Codec
    inbox: Inbox
    devices: Devices
    pace: Pace


class Wire(Protocol):
    """The connection's other half, which does the I/O."""

    def write(self, data: bytes) -> None:
        """Send."""

    def close(self) -> None:
        """Send what was written, then hang up."""

    def hold(self) -> None:
        """Read no more until `go_on`."""

    def go_on(self) -> None:
        """Read again."""

    def call_back(self, seconds: float) -> None:
        """Call `Dialogue.work` in so many seconds."""

    def inbox_is_full(self) -> None:
        """Call `Dialogue.work` when the inbox has room."""


class Dialogue:
    """One connection's conversation with its house."""

    __slots__ = (
        "_certified",
        "_conversation",
        "_faults",
        "_held",
        "_house",
        "_peer",
        "_slots",
        "_todo",
        "_wire",
        "ending",
        "speakers",
    )

    def __init__(self, house: House, wire: Wire, peer: str, certified: str = "") -> None:
        """Begin.

        Args:
            house: what is behind.
            wire: the connection.
            peer: address and port of the other end, for the record.
            certified: the common name in the certificate that the other end showed, if any.
        """
        self._house = house
        self._wire = wire
        self._peer = peer
        self._certified = certified
        self._conversation = house.codec.talk(self._model_of, False)  # noqa: FBT003 -- no keywords
        self._todo: deque[tuple[Heard, int]] = deque()
        """With the instant at which its bytes came, epoch ms: what waits here was received then."""
        self._slots: deque[list[bytes | None]] = deque()
        self._faults = 0
        self._held = False
        self.ending = False
        """Nothing more is taken in; it is closed when what was taken in is answered."""
        self.speakers: set[str] = set()
        """The devices that spoke, all of them registered."""

    @property
    def waits(self) -> bool:
        """Whether something waits for its commit or for its turn."""
        return bool(self._slots or self._todo)

    @property
    def unfinished(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return self._conversation.unfinished

    def receive(self, data: bytes) -> int:
        """Take what came; returns how many frames it completed."""
        if self.ending:
            return 0
        frames = self._conversation.receive(data)
        received_ms = time_ns() // 1_000_000
        self._todo.extend((heard.dated(received_ms), received_ms) for heard in frames)
        self.work()
        return len(frames)

    def work(self) -> None:
        """Take in what waits, as far as there is room for it."""
        while self._todo and not self.ending:
            if len(self._slots) >= MAX_AHEAD:
                self._flush()
            if len(self._slots) >= MAX_AHEAD or not self._take(*self._todo[0]):
                self._hold()
                break
            self._todo.popleft()
        else:
            if self._held and not self.ending:
                self._held = False
                self._wire.go_on()
        self._flush()

    def end(self) -> None:
        """Take no more in; close once what was taken in is answered."""
        self.ending = True
        self._todo.clear()
        self._hold()
        self._flush()

    def are_all_known(self) -> bool:
        """Whether everybody who spoke here still may."""
        find, protocol = self._house.devices.find, self._house.codec.name
        return all(find(protocol, device) for device in self.speakers)

    def _hold(self) -> None:
        if not self._held:
            self._held = True
            self._wire.hold()

    def _model_of(self, device: str) -> DeviceModel:
        found = self._house.devices.find(self._house.codec.name, device)
        return found.model if found else DeviceModel()

    def _take(self, heard: Heard, received_ms: int) -> bool:
        """Take one frame in; False = not now."""
        device = self._known(heard.device) if heard.device is not None else None
        if device is None and (heard.device is not None or heard.reports):
            self._turn_away(heard)
            return True
        slot: list[bytes | None] = [heard.reply]
        if heard.error is not None:
            done = None
            if heard.reply and not heard.reports:
                # Answered all the same, since it would come for ever: once its bytes are kept.
                slot = [None]
                done = partial(self._stored, slot, heard.reply)
            reason = "refused_report" if heard.reports else "malformed"
            self._set_apart(heard, reason, heard.error, device.tag if device else None, done)
        self._faults = self._faults + 1 if heard.error and not heard.reports else 0
        if self._faults >= MOST_FAULTS:
            self.ending = True
        if heard.device is not None and device is not None:
            self.speakers.add(heard.device)
        if heard.missing:
            FRAMES_MISSING.labels(self._house.codec.name).inc(heard.missing)
        if device is None or not heard.reports:
            self._slots.append(slot)
            return True
        if self._store(heard, device, received_ms):
            return True
        # Set apart already, when its turn comes again.
        self._todo[0] = heard._replace(error=None), received_ms
        return False

    def _known(self, name: str) -> Device | None:
        devices = self._house.devices
        device = devices.find(self._house.codec.name, name)
        # A certificate made out to a tag speaks for this tag only; any other may be a relay's.
        if device is None or self._certified in ("", name, device.tag.name):
            return device
        named = devices.find(self._house.codec.name, self._certified)
        return None if named or devices.tag_named(self._certified) else device

    def _store(self, heard: Heard, device: Device, received_ms: int) -> bool:
        pace, tag = self._house.pace, device.tag
        load = load_of(heard.reports, heard.raw, received_ms)
        wait_s = pace.wait_s(tag.id, load, self._peer.rpartition(":")[0])
        if wait_s:
            if pace.is_news(tag.id):
                why = "more reports than a tag may send; it is read on at the pace that it may"
                self._set_apart(heard, "too_many", why, tag)
            self._wire.call_back(wait_s)
            return False
        slot: list[bytes | None] = [None]
        delivery = Delivery(
            tag,
            self._house.codec.name,
            self._peer,
            heard.raw,
            received_ms,
            list(heard.reports),
        )
        try:
            self._house.inbox.put(delivery, partial(self._stored, slot, heard.reply))
        except InboxFullError:
            pace.give_back(tag.id, load)
            self._wire.inbox_is_full()
            return False
        self._slots.append(slot)
        return True

    def _stored(self, slot: list[bytes | None], reply: bytes, outcome: Receipt | NotStored) -> None:
        if isinstance(outcome, NotStored):
            # Unanswered, the device keeps its reports, and comes again.
            self.ending = True
            self._todo.clear()
            self._slots.clear()
            self._wire.close()
            return
        slot[0] = reply
        if self._todo and not self.ending:
            self.work()
        else:
            self._flush()

    def _turn_away(self, heard: Heard) -> None:
        why = (
            "no tag has this device, or its certificate is another's: `ringfence tags device add` "
            "registers it"
        )
        self._set_apart(heard, "unauthenticated", why, None)
        self._slots.append([self._house.codec.refusal])
        self.ending = True

    def _flush(self) -> None:
        """Write the replies that are ready and whose turn it is."""
        slots, ready = self._slots, b""
        while slots and (reply := slots[0][0]) is not None:
            slots.popleft()
            ready += reply
        if ready:
            self._wire.write(ready)
        if self.ending and not slots:
            self._todo.clear()
            self._wire.close()

    def _set_apart(
        self,
        heard: Heard,
        reason: str,
        why: str,
        tag: KnownTag | None,
        done: Callable[[Receipt | NotStored], None] | None = None,
    ) -> None:
        self._house.inbox.set_apart(
            SetApart(
                self._house.codec.name,
                self._peer,
                heard.raw,
                time_ns() // 1_000_000,
                reason,
                why,
                sender_known=tag is not None,
                reports=max(1, len(heard.reports)),
                tag=tag,
            ),
            done,
        )
        log.info("set_apart", door=self._house.codec.name, reason=reason)
