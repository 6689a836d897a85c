"""Captured frames, one a line, as the reports that the doors would store: for people and for tests.

A line is hexadecimal, or text as it was sent. The lines of a device protocol are one connection:
what the first says holds for the next. The lines of an HTTP protocol are requests, each for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import time_ns
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from nacl.secret import SecretBox

from ringfence.engine.fix import E7, Signal, Source
from ringfence.gateway.bodies import BODIES, Body, left_over
from ringfence.gateway.codecs import owntracks, ringfence_json
from ringfence.gateway.frames import Conversation, DeviceModel, Heard
from ringfence.gateway.report import Decoded, MalformedError, Receipt, Refusal, Report
from ringfence.gateway.tcp_codecs import CODECS

INCOMPLETE: Final = "the frame is incomplete: the next begins, or the input ends, within it"
ODD: Final = "a digit of the hex is missing or too many: a byte is two"
_HEX = re.compile(rb"(?:0[xX])?([0-9a-fA-F ]+)")
_REQUEST = re.compile(rb"(?:GET|POST|PUT) +(\S+)(?: +HTTP/[0-9.]+)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HELD: Final = ("stale_lat", "stale_lon")
"""What codecs call the place that a device holds without a fix, in degrees."""
Reply = Callable[[Decoded], bytes]
_encode = msgspec.json.Encoder().encode


class Line(NamedTuple):
    """What a line of input comes to."""

    device: str | None = None
    reports: tuple[Report, ...] = ()
    raw: tuple[dict[str, Any], ...] = ()
    """For each report what has no name of ours."""
    replies: tuple[bytes, ...] = ()
    error: str | None = None


class Decoder(Protocol):
    """Takes the lines of one session."""

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun that more lines may complete."""
        ...

    @property
    def given_up(self) -> bool:
        """Whether the last line showed that what was unfinished before it never ends."""
        ...

    def line(self, said: bytes) -> Line:
        """Read one line, without its end. Raises nothing."""
        ...


class _Connection:
    """Lines of a device protocol."""

    def __init__(self, protocol: str, model: DeviceModel) -> None:
        self._codec = CODECS[protocol]
        self._model = model
        self._talk = self._begin()
        self._device: str | None = None
        self.given_up = False

    @property
    def unfinished(self) -> bool:
        return self._talk.unfinished > 0

    def line(self, said: bytes) -> Line:
        if not said:
            return Line()
        try:
            # A line of text is a whole frame: its end mark is often lost where they are collected.
            data = _bytes(said) or said + b"\r\n"
        except ValueError:
            return Line(error=ODD)
        heard = self._anew(data) if self._talk.unfinished else []
        self.given_up = bool(heard)
        heard = heard or self._talk.receive(data)
        told = _together([h.dated(time_ns() // 1_000_000) for h in heard], self._device)
        self._device = told.device
        return told

    def _begin(self) -> Conversation:
        return self._codec.talk(lambda _: self._model, True)  # noqa: FBT003 -- Codec.talk

    def _anew(self, data: bytes) -> list[Heard]:
        """What it comes to if a new frame begins here, and the one before never ends."""
        fresh = self._begin()
        heard = fresh.receive(data)
        if fresh.unfinished or any(h.error for h in heard):
            return []
        self._talk = fresh
        return heard


class _Requests:
    """Lines of an HTTP protocol."""

    unfinished = False
    given_up = False

    def __init__(self, body: Body, box: SecretBox | None, reply: Reply) -> None:
        self._body = body
        self._box = box
        self._reply = reply

    def line(self, said: bytes) -> Line:
        if not said:
            return Line()
        try:
            body = _bytes(said) or said
        except ValueError:
            return Line(error=ODD)
        if named := _REQUEST.fullmatch(body):
            body = named[1]
        try:
            decoded = self._body.decode(body, time_ns() // 1_000_000, self._box)
            raw = left_over(self._body.unnamed(body, self._box), decoded)
        except MalformedError as fault:
            return Line(error=str(fault))
        error = "; ".join(_refused(r, decoded) for r in decoded.refused) or None
        reply = self._reply(decoded)
        return Line(decoded.tag, tuple(decoded.reports), raw, (reply,) if reply else (), error)


def decoder(protocol: str, *, model: DeviceModel, key: str | None = None) -> Decoder:
    """Begin to read what was captured of `protocol`.

    Args:
        protocol: one of `PROTOCOLS`.
        model: the make of all devices in it.
        key: the secret of encrypted OwnTracks messages.
    """
    if protocol in CODECS:
        return _Connection(protocol, model)
    box = owntracks.box_of(key) if key else None
    body = BODIES["reports" if protocol == "ringfence" else protocol]
    return _Requests(body, box, _REPLIES.get(protocol, lambda _: b""))


_REPLIES: Final[dict[str, Reply]] = {
    "owntracks": lambda _: owntracks.REPLY,
    "ringfence": lambda said: ringfence_json.reply(Receipt(len(said.reports), 0), said.refused),
}
PROTOCOLS: Final = (*sorted(CODECS), "osmand", "owntracks", "ringfence", "traccar")


def as_json(number: int, line: Line) -> bytes:
    """One line of JSON: reports in the shape of `POST /gateway/v1/reports`, replies in hex."""
    raw = line.raw or ({},) * len(line.reports)
    return _encode(
        {
            "frame": number,
            "reports": [spelled(r, own) for r, own in zip(line.reports, raw, strict=False)],
            "replies": [reply.hex() for reply in line.replies],
            "error": line.error,
            "device": line.device,
        }
    )


def _bytes(said: bytes) -> bytes | None:
    """What a line of hex holds; None = it is text. `ValueError`: half a byte is left over."""
    found = _HEX.fullmatch(said)
    return bytes.fromhex(found[1].decode()) if found else None


def _together(heard: list[Heard], device: str | None) -> Line:
    return Line(
        next((h.device for h in reversed(heard) if h.device), device),
        tuple(report for h in heard for report in h.reports or h.doubtful),
        tuple(own for h in heard for own in h.unnamed),
        tuple(h.reply for h in heard if h.reply),
        "; ".join(dict.fromkeys(h.error for h in heard if h.error)) or None,
    )


def _refused(refusal: Refusal, decoded: Decoded) -> str:
    several = len(decoded.reports) + len(decoded.refused) > 1
    return f"report {refusal.index}: {refusal.why}" if several else refusal.why


def spelled(report: Report, raw: dict[str, Any]) -> dict[str, Any]:
    """A report in the shape of `POST /gateway/v1/reports`; `raw` is what has no name of ours.

    A place that the device only holds, from its last fix, is shown with `fix` false: it is never
    stored as a position.
    """
    placed = report.lat_e7 is not None and report.lon_e7 is not None
    held = None if placed else _held(raw)
    if held:
        raw = {name: value for name, value in raw.items() if name not in _HELD}
    said = {
        "seq": report.seq,
        "time": _iso(report.time_ms),
        "lat": report.lat_e7 / E7 if report.lat_e7 is not None else held and held[0],
        "lon": report.lon_e7 / E7 if report.lon_e7 is not None else held and held[1],
        "fix": False if held else None,
        "accuracy_m": report.accuracy_m,
        "source": Source(report.source).name.lower() if report.source else None,
        "speed_mps": report.speed_mps,
        "course_deg": report.course_deg,
        "altitude_m": report.altitude_m,
        "satellites": report.satellites,
        "hdop": report.hdop,
        "battery_pct": report.battery_pct,
        "signals": Signal(report.signals).names(),
        "raw": raw or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _held(raw: dict[str, Any]) -> tuple[float, float] | None:
    lat, lon = (raw.get(name) for name in _HELD)
    return (lat, lon) if isinstance(lat, float) and isinstance(lon, float) else None


def _iso(time_ms: int) -> str:
    at = _EPOCH + timedelta(milliseconds=time_ms)
    return at.isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds")[:-6] + "Z"
