"""The platform's own door: reports as JSON or MessagePack.

A body that is well formed is decoded in one pass. Only when something in it can't be used is it
read again report by report, so that one bad report never costs the others.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ringfence.engine.fix import E7, Signal, Source
from ringfence.gateway.report import Decoded, MalformedError, Receipt, Refusal, Report, seal

JSON = b"application/json"
MSGPACK = frozenset({b"application/msgpack", b"application/x-msgpack", b"application/vnd.msgpack"})

MOST_ONE_BY_ONE = 10_000
"""Reports of a body in which something can't be used: reading them one by one takes 5 µs each, and
everybody waits meanwhile. 1 MiB of full fixes has six thousand."""

MOST_COMMAS = 150_000
"""In JSON of that kind. 1 MiB of full fixes has 65,000."""
_COUNT = re.compile(rb"reports(?:\xdc([\s\S]{2})|\xdd([\s\S]{4}))").finditer
"""In MessagePack: how many reports there are said to be, from 16 on."""

_Real = Annotated[float, Meta(ge=-1e7, le=1e7)]  # also turns NaN and infinity away
_Positive = Annotated[float, Meta(ge=0, le=1e7)]


class _Said(Struct, gc=False):
    """A report as the contract spells it."""

    time: Annotated[datetime, Meta(tz=True)]
    seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    accuracy_m: _Real | None = None
    source: Literal["gnss", "gps", "wifi", "cell", "lbs", "rf", "unknown", ""] | None = None
    speed_mps: _Positive | None = None
    course_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    altitude_m: _Real | None = None
    satellites: Annotated[int, Meta(ge=0, le=1000)] | None = None
    hdop: _Positive | None = None
    battery_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    signals: list[str] = []


class _Body(Struct, gc=False):
    tag: str
    reports: list[_Said]


class _Sealed(Struct, gc=False):
    """The same body with its reports left unread: as objects they would take half a second."""

    tag: str
    reports: list[msgspec.Raw]


class _Reply(Struct):
    accepted: int
    duplicate: int
    refused: list[Refusal]


# All but the one that clears a tamper: only a person may say that, through the desk.
_SIGNALS = {s.name.lower(): int(s) for s in Signal if s.name and s != Signal.TAMPER_INSPECTED}
WHAT_TO_SEND = {
    "time": "when it happened, ISO 8601 with its offset from UTC, as 2026-03-01T10:02:00Z",
    "seq": "a whole number from 0",
    "lat": "degrees WGS84, −90 to 90, together with lon",
    "lon": "degrees WGS84, −180 to 180, together with lat",
    "accuracy_m": "metres, the radius of the 95 % circle; leave it out when unknown",
    "source": "one of gnss, gps, wifi, cell, lbs, rf",
    "speed_mps": "metres a second, from 0; leave it out when unknown",
    "course_deg": "degrees clockwise from north, 0 to 360; leave it out when unknown",
    "altitude_m": "metres; leave it out when unknown",
    "satellites": "a whole number from 0",
    "hdop": "a number from 0; leave it out when unknown",
    "battery_pct": "percent, 0 to 100",
    "signals": "a list of " + ", ".join(_SIGNALS),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_SOURCES: dict[str | None, int] = {
    None: 0,
    **{name: int(Source.parse(name)) for name in ("gnss", "gps", "wifi", "cell", "lbs", "rf", "")},
    "unknown": 0,
}
_decode_json = msgspec.json.Decoder(_Body).decode
_decode_msgpack = msgspec.msgpack.Decoder(_Body).decode
_unread_json = msgspec.json.Decoder(_Sealed).decode
_unread_msgpack = msgspec.msgpack.Decoder(_Sealed).decode
_one_json = msgspec.json.Decoder(_Said).decode
_one_msgpack = msgspec.msgpack.Decoder(_Said).decode
_encode = msgspec.json.Encoder().encode
_ALL_WELL: list[Refusal] = []


def decode(body: bytes, media_type: bytes) -> Decoded:
    """Read a body of `POST /gateway/v1/reports`.

    Args:
        body: the whole body.
        media_type: `JSON` or one of `MSGPACK`.

    Returns:
        The reports that can be used, quantised; and a refusal for each that can't.

    Raises:
        MalformedError: the body is not JSON (MessagePack), or lacks `tag` or `reports`, or holds
            too many of which some can't be used.
    """
    try:
        said = _decode_json(body) if media_type == JSON else _decode_msgpack(body)
        return Decoded(said.tag, [_report(r) for r in said.reports], _ALL_WELL)
    except (msgspec.DecodeError, _UnusableError, RecursionError, UnicodeDecodeError):
        return _one_by_one(body, media_type)


def reply(receipt: Receipt, refused: list[Refusal]) -> bytes:
    """The body of the acknowledgement."""
    return _encode(_Reply(receipt.accepted, receipt.duplicate, refused))


class _UnusableError(Exception):
    """A report says something the types can't refuse."""


def _report(said: _Said) -> Report:
    lat, lon = said.lat, said.lon
    if lat is None or lon is None:
        if lat is not lon:
            raise _UnusableError(f"lat without lon, or lon without lat: send {WHAT_TO_SEND['lat']}")
        lat_e7 = lon_e7 = None
    else:
        lat_e7, lon_e7 = round(lat * E7), round(lon * E7)  # `quantise`, without the calls
    return seal(
        (
            said.seq,
            (said.time - _EPOCH) // _MS,
            lat_e7,
            lon_e7,
            said.accuracy_m,
            _SOURCES[said.source],
            said.speed_mps,
            said.course_deg,
            said.altitude_m,
            said.satellites,
            said.hdop,
            said.battery_pct,
            _signals(said.signals) if said.signals else 0,
        )
    )


def _signals(names: list[str]) -> int:
    bits = 0
    for name in names:
        if name not in _SIGNALS:
            raise _UnusableError(f"signals: unknown signal: send {WHAT_TO_SEND['signals']}")
        bits |= _SIGNALS[name]
    return bits


def _one_by_one(body: bytes, media_type: bytes) -> Decoded:
    if _is_crowded(body, media_type):
        raise _too_many()
    try:
        sealed = _unread(body) if media_type == JSON else _unread_msgpack(body)
    except msgspec.ValidationError as fault:
        raise MalformedError(f'{fault}: send {{"tag": "…", "reports": […]}}') from None
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        kind = "JSON" if media_type == JSON else "MessagePack"
        raise MalformedError(f"the body is not {kind}: {_first_line(fault)}") from None
    if len(sealed.reports) > MOST_ONE_BY_ONE:
        raise _too_many()
    read = _one_json if media_type == JSON else _one_msgpack
    reports: list[Report] = []
    refused: list[Refusal] = []
    for index, item in enumerate(sealed.reports):
        try:
            reports.append(_report(read(item)))
        except _UnusableError as fault:
            refused.append(Refusal(index, str(fault)))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
            refused.append(Refusal(index, _why(item, media_type, str(fault))))
    return Decoded(sealed.tag, reports, refused)


def _is_crowded(body: bytes, media_type: bytes) -> bool:
    """Whether so many things are in it that even to part them keeps everybody waiting."""
    if media_type == JSON:
        return body.count(b",") > MOST_COMMAS
    return any(int.from_bytes(n[1] or n[2], "big") > MOST_ONE_BY_ONE for n in _COUNT(body))


def _too_many() -> MalformedError:
    return MalformedError(
        f"more than {MOST_ONE_BY_ONE:,} reports or {MOST_COMMAS:,} fields, and some that can't be "
        "used among them: send fewer in a request, so that those can be named"
    )


def _unread(body: bytes) -> _Sealed:
    try:
        return _unread_json(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # The standard library also reads NaN, which some devices send: as a word it is refused in
        # its report alone.
        words: Any = {"NaN": "NaN", "Infinity": "NaN", "-Infinity": "NaN"}
        plain = json.loads(body, parse_constant=words.get)
        return _unread_json(msgspec.json.encode(plain))


class _Timed(Struct, gc=False):
    time: Any = None


_timed_json = msgspec.json.Decoder(_Timed).decode
_timed_msgpack = msgspec.msgpack.Decoder(_Timed).decode


def _why(item: msgspec.Raw, media_type: bytes, fault: str) -> str:
    """Name the field and what to send; never the value, which may be a place."""
    try:
        timed = _timed_json(item) if media_type == JSON else _timed_msgpack(item)
    except msgspec.ValidationError:
        return "the report is not an object: send fields such as time, lat, lon"
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return "the report can't be read: send fields as docs/gateway.md lists them"
    if timed.time is None:
        return f"no time: send {WHAT_TO_SEND['time']}"
    field = fault.partition("`$.")[2].partition("`")[0].partition("[")[0]
    if field in WHAT_TO_SEND:
        return f"{field} can't be used: send {WHAT_TO_SEND[field]}"
    return "the report can't be read: send fields as docs/gateway.md lists them"


def _first_line(fault: BaseException) -> str:
    if isinstance(fault, RecursionError):
        return "it is nested too deeply"
    return str(fault).partition("\n")[0][:200]
