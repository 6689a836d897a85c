"""OwnTracks in HTTP mode: one JSON message a request (https://owntracks.org/booklet/tech/json/).

`location` and `transition` hold a fix. `lwt` and all other types say nothing of where a person is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.report import Decoded, MalformedError, Refusal, Report, quantise, seal

LOCATED = frozenset({"location", "transition"})
REPLY = b"[]"
"""No commands for the phone."""

_SOURCES = {"gps": int(Source.GNSS)}
"""`network` and `fused` may be anything from Wi-Fi to satellites: unknown."""
_CHARGING = 2


class _UnusableError(Exception):
    """The message can't be stored; the text says which field."""


def decode(body: bytes) -> Decoded:
    """Read one message.

    Returns:
        One report, one refusal, or neither (a type that holds no fix).

    Raises:
        MalformedError: not a JSON object with a `_type`, or encrypted.
    """
    try:
        message = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise MalformedError("the body is not JSON: send one OwnTracks message") from None
    kind = message.get("_type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        raise MalformedError("the body is no OwnTracks message: it has no _type")
    if kind == "encrypted":
        raise MalformedError(
            "encrypted messages can't be read yet: clear the encryption key in the app's settings, "
            "the connection itself is encrypted",
            reason="encrypted",
        )
    if kind not in LOCATED:
        return Decoded(None, [])
    try:
        return Decoded(None, [_report(message)])
    except _UnusableError as fault:
        return Decoded(None, [], [Refusal(0, str(fault))])


def _report(message: dict[str, Any]) -> Report:
    time_s = _number(message, "tst", 0, 253_402_300_799)  # year 9999
    lat, lon = _number(message, "lat", -90, 90), _number(message, "lon", -180, 180)
    if time_s is None or lat is None or lon is None:
        missing = [f for f in ("tst", "lat", "lon") if message.get(f) is None]
        raise _UnusableError(f"no {', '.join(missing)}: a location holds tst, lat and lon")
    speed_kmh = _number(message, "vel", -1e7, 1e7)
    course_deg = _number(message, "cog", -1e7, 1e7)
    return seal(
        (
            None,
            int(time_s * 1000),
            quantise(lat),
            quantise(lon),
            _number(message, "acc", -1e7, 1e7),
            _SOURCES.get(str(message.get("source")), 0),
            # Phones say −1 for "not known".
            speed_kmh / 3.6 if speed_kmh is not None and speed_kmh >= 0 else None,
            course_deg if course_deg is not None and 0 <= course_deg <= 360 else None,
            _number(message, "alt", -1e7, 1e7),
            None,
            None,
            _battery(message),
            int(Signal.CHARGING) if message.get("bs") == _CHARGING else 0,
        )
    )


def _battery(message: dict[str, Any]) -> float | None:
    battery_pct = _number(message, "batt", -1e7, 1e7)
    return battery_pct if battery_pct is not None and 0 <= battery_pct <= 100 else None


def _number(message: dict[str, Any], field: str, low: float, high: float) -> float | None:
    value = message.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnusableError(f"{field} is not a number: send one from {low:g} to {high:g}")
    if not low <= value <= high:
        raise _UnusableError(f"{field} is out of range: send a number from {low:g} to {high:g}")
    return float(value)
