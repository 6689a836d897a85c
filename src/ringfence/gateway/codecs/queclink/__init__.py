"""Queclink's @Track protocol, text and binary, as GL, GT, GV, GB and CV devices speak it.

Reports are acknowledged by `+SACK:COUNT$` and heartbeats by `+SACK:GTHBD,VERSION,COUNT$`: a device
that was told to wait for it sends again until it comes, any other ignores it.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from ringfence.gateway.codecs.queclink import binary, text
from ringfence.gateway.codecs.queclink.cutting import BINARY, JUNK, RECORDS, TEXT, cut
from ringfence.gateway.codecs.queclink.saying import (
    Said,
    UndatedError,
    UnusableError,
    located,
    reports,
)
from ringfence.gateway.frames import URGENT, Codec, Heard, ModelOf
from ringfence.gateway.report import Report

MOST_DEVICES: Final = 256
"""So many devices' last count and position are remembered on one connection."""
_BLANK = b"\r\n\0 "
_READ = {TEXT: text.read, BINARY: binary.read, RECORDS: binary.read_records}
_UNREAD = (
    "a position in it can't be read; what can be is taken, and its bytes are kept: `ringfence "
    "decode` shows both"
)
_NOT_A_FRAME = "not a frame of Queclink's: look at the port's protocol and the device's set-up"


class Talk:
    """A conversation (`gateway.frames.Conversation`)."""

    def __init__(self, model_of: ModelOf, with_raw: bool) -> None:  # noqa: FBT001 -- Codec.talk
        self._model_of = model_of
        self._with_raw = with_raw
        self._rest = b""
        self._device: str | None = None
        self._shared = False
        self._counts: dict[str, int] = {}
        self._newest: dict[str, Report] = {}

    @property
    def unfinished(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._rest)

    def receive(self, data: bytes) -> list[Heard]:
        """Take bytes; return the frames that they complete."""
        seen = len(self._rest)
        if seen:
            data = self._rest + data
        heard: list[Heard] = []
        at, end = 0, len(data)
        while at < end:
            if data[at] in _BLANK:
                at += 1
                continue
            piece = cut(data, at, 0 if at else seen)
            if piece is None:
                break
            kind, until = piece
            heard.append(self._heard(kind, data[at:until]))
            at = until
        self._rest = data[at:]
        return heard

    def _heard(self, kind: int, raw: bytes) -> Heard:
        if kind == JUNK:
            return self._unusable(raw, _NOT_A_FRAME)
        try:
            said = _READ[kind](raw, with_raw=self._with_raw)
            made = self._reports(said)
        except UndatedError as fault:
            reply = said.reply if said.signals & URGENT else b""
            return Heard(raw, said.device, reply=reply, error=str(fault), undated=said.signals)
        except UnusableError as fault:
            return self._unusable(raw, str(fault))
        except (ValueError, IndexError, OverflowError, struct.error):
            return self._unusable(raw, "the frame is damaged: its fields can't be read")
        device = said.device
        if device != self._device:
            self._met(device)
        missing = self._missing(device, said)
        held = self._held(said, missing, len(made)) if self._with_raw else ()
        error = _UNREAD if said.unread > 0 else None
        # By tuple's own maker, see `report.seal`.
        return tuple.__new__(Heard, (raw, device, made, held, said.reply, error, missing, (), 0))

    def _unusable(self, raw: bytes, why: str) -> Heard:
        # Of a line that several devices share nobody knows whose the bytes are.
        return Heard(raw, None if self._shared else self._device, error=why)

    def _met(self, device: str | None) -> None:
        if device is None:
            return
        self._shared = self._device is not None
        self._device = device
        if len(self._counts) > MOST_DEVICES or len(self._newest) > MOST_DEVICES:
            self._counts.clear()
            self._newest.clear()

    def _reports(self, said: Said) -> tuple[Report, ...]:
        if not said.reported:
            return ()
        device, positions = said.device, said.positions
        if device is None:
            raise UnusableError("it names no device: each frame holds an IMEI")
        made: tuple[Report, ...]
        if len(positions) == 1 and not positions[0].last_known:
            # One fix of that instant: by far the most are that.
            made = (located(positions[0], said.number, said.battery_pct, said.signals),)
        else:
            made = tuple(reports(said, self._model_of(device).zone, self._newest.get(device)))
        if positions:
            self._newest[device] = made[len(positions) - 1]
        return made

    def _missing(self, device: str | None, said: Said) -> int:
        """How many numbers were left out since the last frame of this device."""
        if said.number is None or device is None:
            return 0
        last = self._counts.get(device)
        ahead = 1 if last is None else (said.number - last) & 0xFFFF
        if ahead > 0x7FFF or ahead == 0:
            # An older one out of the buffer; or the device began anew, which is no gap.
            if not said.buffered and ahead:
                self._counts[device] = said.number
            return 0
        self._counts[device] = said.number
        return ahead - 1

    def _held(self, said: Said, missing: int, count: int) -> tuple[dict[str, Any], ...]:
        """What has no name of ours: of a frame with several reports it stands with the last."""
        if not count:
            return ()
        held = dict(said.raw)
        if missing:
            held["frames_missing_before"] = missing
        if said.buffered:
            held["buffered"] = True
        if said.positions and said.positions[-1].last_known:
            held["last_known_position"] = True
        return (*({} for _ in range(count - 1)), held)


CODEC: Final = Codec("queclink", Talk)
