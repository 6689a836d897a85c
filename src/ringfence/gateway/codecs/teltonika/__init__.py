"""Teltonika's AVL protocol: Codec 8, 8 Extended and 16, and GH3000's Codec 7, over TCP or UDP.

After https://wiki.teltonika-gps.com/view/Teltonika_Data_Sending_Protocols. A record without a fix
repeats the last valid place with no satellites: that is no fix, and only its signals are kept.
Codecs 12, 13 and 14 answer commands or carry photos: no positions, and nothing to acknowledge.
"""

from __future__ import annotations

import re

from ringfence.gateway.codecs.teltonika import gh3000
from ringfence.gateway.codecs.teltonika.checksum import crc16
from ringfence.gateway.codecs.teltonika.gh3000 import CODEC_7
from ringfence.gateway.codecs.teltonika.meanings import codes_of
from ringfence.gateway.codecs.teltonika.records import FORMS, BrokenError, Unnamed, read
from ringfence.gateway.frames import Codec, Heard, ModelOf

LONGEST = 0x20FF
"""Bytes of a packet's data. The maker allows 1,280 for records; photos come in pieces of 2,067."""
JUNK = 1024
"""Bytes that begin no frame are set apart in pieces of at most this size."""
_PACKET = re.compile(rb"\x00{6}(?:[\x01-\x20][\s\S]|\x00[\x03-\xff])").match
_LOGIN = re.compile(rb"\x00\x0f\d{15}").match
_DATAGRAM = re.compile(rb"[\x00-\x20][\s\S]{3}\x01[\s\S]\x00\x0f\d{15}").match
_ALIVE = re.compile(rb"\xff+").match
"""Signs of life say nothing, so that none is heard: as many as fit into one read would keep
everybody waiting."""
_HEADER = 23
"""Bytes that tell for sure how a frame begins: those of a datagram."""
# Amid other bytes stricter: a codec that exists.
_BEGIN = re.compile(
    rb"\x00{6}(?:[\x01-\x20][\s\S]|\x00[\x03-\xff])[\x07\x08\x0c-\x10\x8e]|\x00\x0f\d{15}"
)
_BEGUN = re.compile(rb"(?:\x00{6}[\x00-\x20][\s\S]?|\x00\x0f\d{0,14}|\x00{1,6})\Z")
"""The beginning of one, cut off."""
_MOST_FAULTS = 3
"""So many damaged frames in a row are searched for others inside: a search costs time."""
_SILENT = frozenset({0x0C, 0x0D, 0x0E, 0x0F})
"""Codecs of answers to commands, serial data, photos."""

_JUNK = "bytes that begin no frame: check that this port serves Teltonika devices only"
_DAMAGED = "the checksum does not fit: not acknowledged, so that the device sends it again"
_BROKEN = "the records do not fill the packet: set the device to Codec 8, 8 Extended or 16"
_NO_CODEC = "a codec that is not read: set the device to Codec 8, 8 Extended or 16"
_UNDATED = "records with a time beyond the year 9999 are left out: set the device's clock"


class _Talk:
    """One connection."""

    __slots__ = ("_device", "_faults", "_model_of", "_rest", "_say_unnamed")

    def __init__(self, model_of: ModelOf, say_unnamed: bool) -> None:  # noqa: FBT001 - Codec.talk
        self._model_of = model_of
        self._say_unnamed = say_unnamed
        self._device: str | None = None
        self._rest = b""
        self._faults = 0

    @property
    def unfinished(self) -> int:
        return len(self._rest)

    def receive(self, data: bytes) -> list[Heard]:
        seen = len(self._rest)
        buffer = self._rest + data if seen else data
        heard: list[Heard] = []
        at, end = 0, len(buffer)
        while at < end:
            after = self._next(buffer, at, heard, 0 if at else seen)
            if after == at:
                break
            at = after
        self._rest = buffer[at:]
        return heard

    def _next(self, buffer: bytes, at: int, heard: list[Heard], seen: int) -> int:
        """Hear the frame at `at`; return where the next begins, or `at` if it is not whole yet.

        Up to `seen` was looked at when no more was there.
        """
        if _PACKET(buffer, at):
            return self._hear_packet(buffer, at, heard)
        if _LOGIN(buffer, at):
            device = buffer[at + 2 : at + 17].decode("ascii")
            self._device = device
            heard.append(Heard(buffer[at : at + 17], device, reply=b"\x01"))
            return at + 17
        if _DATAGRAM(buffer, at):
            return self._hear_datagram(buffer, at, heard)
        if alive := _ALIVE(buffer, at):
            return alive.end()
        return at if len(buffer) - at < _HEADER else self._skip(buffer, at, heard, seen)

    def _hear_packet(self, buffer: bytes, at: int, heard: list[Heard]) -> int:
        after = at + 12 + int.from_bytes(buffer[at + 4 : at + 8], "big")
        if after > len(buffer):
            return at
        raw = buffer[at:after]
        data = raw[8:-4]
        if crc16(data) != int.from_bytes(raw[-4:], "big"):
            length = self._damaged(raw, heard)
            if self._say_unnamed and length == len(raw):
                seems = self._packet(raw, self._device, data)
                heard[-1] = heard[-1]._replace(doubtful=seems.reports, unnamed=seems.unnamed)
            return at + length
        self._faults = 0
        heard.append(self._packet(raw, self._device, data))
        return after

    def _hear_datagram(self, buffer: bytes, at: int, heard: list[Heard]) -> int:
        after = at + 2 + int.from_bytes(buffer[at : at + 2], "big")
        if after > len(buffer):
            return at
        raw = buffer[at:after]
        device = raw[8:23].decode("ascii")
        packet = self._packet(raw, device, raw[23:])
        if packet.reply:
            reply = b"\x00\x05" + raw[2:4] + b"\x01" + raw[5:6] + raw[24:25]
            packet = packet._replace(reply=reply)
        heard.append(packet)
        return after

    def _damaged(self, raw: bytes, heard: list[Heard]) -> int:
        """Its length may be what is damaged, so look for a frame that begins inside it."""
        self._faults += 1
        inside = _BEGIN.search(raw, 1) if self._faults <= _MOST_FAULTS else None
        inside = inside or _BEGUN.search(raw, len(raw) - _HEADER + 6)
        length = inside.start() if inside else len(raw)
        heard.append(Heard(raw[:length], self._device, error=_DAMAGED))
        return length

    def _skip(self, buffer: bytes, at: int, heard: list[Heard], seen: int) -> int:
        """Set apart what begins no frame, up to one that does."""
        most = at + JUNK
        found = _BEGIN.search(buffer, max(at + 1, seen - _HEADER), most + _HEADER)
        if found and found.start() <= most:
            after = found.start()
        elif len(buffer) >= most + _HEADER:
            after = most
        else:
            return at
        heard.append(Heard(buffer[at:after], self._device, error=_JUNK))
        return after

    def _packet(self, raw: bytes, device: str | None, data: bytes) -> Heard:
        """`data` is the codec, the count of records, the records, and the count again."""
        codec = data[0] if data else 0
        if codec in _SILENT:
            return Heard(raw, device)
        form = FORMS.get(codec)
        if form is None and codec != CODEC_7:
            return Heard(raw, device, error=_NO_CODEC)
        if len(data) < 3 or data[1] != data[-1]:
            return Heard(raw, device, error=_BROKEN)
        codes = codes_of(self._model_of(device).name if device else "")
        unnamed: Unnamed | None = [] if self._say_unnamed else None
        try:
            reports = read(data, form, codes, unnamed) if form else gh3000.read(data, unnamed)
        except BrokenError:
            return Heard(raw, device, error=_BROKEN)
        reply = data[1].to_bytes(4, "big")
        error = None if len(reports) == data[1] else _UNDATED
        # By tuple's own maker, see `report.seal`.
        told = (raw, device, tuple(reports), tuple(unnamed or ()), reply, error, 0, (), 0)
        return tuple.__new__(Heard, told)


def _log_in(device: str) -> bytes:
    frame = b"\x00\x0f" + device.encode()
    return frame if _LOGIN(frame) else b""


CODEC = Codec("teltonika", _Talk, refusal=b"\x00", log_in=_log_in)
