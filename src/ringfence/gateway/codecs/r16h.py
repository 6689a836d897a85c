"""The R16H ankle tag: `@LINK` logs in, `@GPSD` holds a satellite fix, `@LBSD` cells instead.

No list of fields by its maker is public. What is read here is what captured frames and the one
public decoder show; docs/protocols.md says what is uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo
from functools import lru_cache
from typing import Any

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.frames import Codec, DeviceModel, Heard, ModelOf
from ringfence.gateway.report import Report, quantise, seal
from ringfence.gateway.sentences import (
    Cutter,
    decimal,
    device_of,
    instant_ms,
    number,
    positive,
)

Words = Mapping[bytes, int]

_R16H: Words = {
    b"SOS": int(Signal.SOS),
    b"LBT": int(Signal.BATTERY_LOW),
    b"ULK": int(Signal.STRAP_CUT),
}
TABLES: tuple[tuple[re.Pattern[str], Words], ...] = ((re.compile(""), _R16H),)
"""Alarm words by the model's name; the first that matches counts."""
_STRAP = {b"L": int(Signal.STRAP_OK), b"R": int(Signal.STRAP_CUT)}
"""Locked, released."""

_WORD = re.compile(rb"[^,|;/+ ]+")

# `$` ends a frame; a line does too, as frames are written down.
_FRAME = re.compile(rb"[^$\n]*+[$\n]")
_UNREADABLE = "no frame of an R16H: check that this port serves R16H tags only"
_UNDATED = (
    "the frame has no date and time that exist: set the tag's clock; its alarms count from when "
    "it came"
)
_UNPLACED = "the place can't be read; the rest is taken, and the frame's bytes are kept"
_UNKNOWN = "a kind of R16H frame that is not read; its bytes are kept"
_SHORT = "the frame is cut short: the tag should send it again"


class _Talk:
    """One connection of R16H tags."""

    __slots__ = ("_cutter", "_login", "_model_of", "_say_unnamed")

    def __init__(self, model_of: ModelOf, say_unnamed: bool) -> None:  # noqa: FBT001 - Codec.talk
        self._cutter = Cutter(_FRAME, b"$\n")
        self._login: str | None = None
        self._model_of = model_of
        self._say_unnamed = say_unnamed

    @property
    def unfinished(self) -> int:
        return self._cutter.unfinished

    def receive(self, data: bytes) -> list[Heard]:
        return [self._hear(raw) for raw in self._cutter.cut(data)]

    def _hear(self, raw: bytes) -> Heard:
        begin = raw.rfind(b"@")  # what stands before belongs to a frame that was cut short
        fields = raw[begin:].rstrip(b"$ \r\n").split(b",") if begin >= 0 else []
        if len(fields) < 2:
            return Heard(raw, self._login, error=_UNREADABLE)
        device = device_of(fields[1])
        if fields[0] == b"@LINK":
            self._login = device
            return Heard(raw, device, error=None if device else _UNREADABLE)
        device = device or self._login
        read = _KINDS.get(fields[0])
        if read is None:
            return Heard(raw, device, error=_UNKNOWN)
        width, located = read
        if len(fields) < width:
            return Heard(raw, device, error=_SHORT)
        model = self._model_of(device) if device else DeviceModel()
        report, unnamed = located(fields, model)
        if report is None:
            signals, _ = _told(fields, width - 1, model)
            return Heard(raw, device, error=_UNDATED, undated=signals)
        lost = fields[0] == b"@GPSD" and report.lat_e7 is None
        lost = lost and any(fields[at].strip(b"0.- ") for at in (5, 7))
        said = (unnamed,) if self._say_unnamed else ()
        return Heard(raw, device, (report,), said, error=_UNPLACED if lost else None)


def _satellites(fields: list[bytes], model: DeviceModel) -> tuple[Report | None, dict[str, Any]]:
    """@GPSD,id,R|S,yyyymmdd,hhmmss,lat,N|S,lon,E|W,km/h,course,altitude,battery,L|R,alarms."""
    signals, unnamed = _told(fields, 13, model)
    lat = _degrees(fields[5], fields[6], (b"N", b"S"), 90)
    lon = _degrees(fields[7], fields[8], (b"E", b"W"), 180)
    time_ms = _time_ms(fields, model.zone)
    if time_ms is None:
        return None, {}
    located = lat is not None and lon is not None and (lat != 0 or lon != 0)
    speed_kmh = positive(fields[9])
    report = seal(
        (
            None,
            time_ms,
            quantise(lat) if located and lat is not None else None,
            quantise(lon) if located and lon is not None else None,
            None,
            int(Source.GNSS) if located else 0,
            speed_kmh / 3.6 if located and speed_kmh is not None else None,
            positive(fields[10], 360) if located else None,
            number(fields[11]) if located else None,
            None,
            None,
            positive(fields[12], 100),
            signals,
        )
    )
    return report, unnamed


def _cells(fields: list[bytes], model: DeviceModel) -> tuple[Report | None, dict[str, Any]]:
    """@LBSD,id,R|S,yyyymmdd,hhmmss,cells,?,?,battery,L|R,alarms: says no place of its own."""
    signals, unnamed = _told(fields, 9, model)
    names = ("cells", "field_6", "field_7")
    unnamed |= {k: v.decode("latin-1") for k, v in zip(names, fields[5:8], strict=True) if v}
    time_ms = _time_ms(fields, model.zone)
    if time_ms is None:
        return None, {}
    battery_pct = positive(fields[8], 100)
    nowhere = (None, None, None, 0, None, None, None, None, None)
    return seal((None, time_ms, *nowhere, battery_pct, signals)), unnamed


_KINDS = {b"@GPSD": (14, _satellites), b"@LBSD": (10, _cells)}
"""How many fields a frame of this kind has at least, and what reads it."""


def _told(fields: list[bytes], at: int, model: DeviceModel) -> tuple[int, dict[str, Any]]:
    """Strap and alarms, which close every frame; and what has no name of ours."""
    signals, unknown = _signals(fields[at], b",".join(fields[at + 1 :]), model.name)
    unnamed: dict[str, Any] = dict(unknown)
    if fields[2] == b"S":
        unnamed["stored"] = True
    return signals, unnamed


@lru_cache(maxsize=512)
def _signals(strap: bytes, alarms: bytes, model: str) -> tuple[int, tuple[tuple[str, Any], ...]]:
    words = next(words for pattern, words in TABLES if pattern.match(model))
    unknown: list[tuple[str, Any]] = []
    if strap not in _STRAP:
        unknown.append(("strap", strap.decode("latin-1")))
    signals, strange = _STRAP.get(strap, 0), []
    for word in _WORD.findall(alarms):
        signal = words.get(word.upper())
        if signal is None:
            strange.append(word.decode("latin-1"))
        else:
            signals |= signal
    if strange:
        unknown.append(("alarms", tuple(strange)))
    if signals & Signal.STRAP_CUT:
        # An alarm of removal while the lock still says locked: both can't be, and one is a danger.
        signals &= ~int(Signal.STRAP_OK)
    return int(signals), tuple(unknown)


def _time_ms(fields: list[bytes], zone: tzinfo) -> int | None:
    return instant_ms(fields[3], fields[4], zone)


def _degrees(said: bytes, side: bytes, sides: tuple[bytes, bytes], most: int) -> float | None:
    value = decimal(said, most)
    if value is None or side not in sides:
        return None
    return -value if side == sides[1] else value


CODEC = Codec("r16h", _Talk, log_in=lambda device: f"@LINK,{device}$".encode())
