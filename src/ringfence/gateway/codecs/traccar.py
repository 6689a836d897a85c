"""What a Traccar server forwards as JSON: one position of one of its devices a request.

`forward.type=json` (https://www.traccar.org/forward): `{"position": {…}, "device": {…}}`, without
the fields that are null. Speeds are in knots. A forwarded event says again what its position said.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.alarm_words import signals_of
from ringfence.gateway.report import (
    KNOT_MPS,
    TO_95,
    Decoded,
    MalformedError,
    Refusal,
    Report,
    quantise,
    seal,
)

LONGEST = 64 * 1024
"""Bytes of a body: a position with all its attributes has some 1,200."""
_NAMED = frozenset({
    "fixTime", "deviceTime", "valid", "outdated", "latitude", "longitude", "altitude", "speed",
    "course", "accuracy", "attributes",
})  # fmt: skip
_NAMED_ATTRIBUTES = frozenset(
    {"batteryLevel", "sat", "hdop", "alarm", "charge", "approximate", "mock"}
)


class _UnusableError(Exception):
    """The position can't be stored; the text says which field."""


def decode(body: bytes) -> Decoded:
    """Read one forwarded position.

    Returns:
        The device's `uniqueId` as the tag, and one report or refusal; neither for an event.

    Raises:
        MalformedError: no JSON object with a device, and a position or an event.
    """
    tag, position = _read(body)
    if position is None:
        return Decoded(tag, [])
    try:
        return Decoded(tag, [_report(position)])
    except _UnusableError as fault:
        return Decoded(tag, [], [Refusal(0, str(fault))])


def unnamed(body: bytes) -> dict[str, Any]:
    """What a position says that has no name of ours, as Traccar spells it; for people, not fast.

    Raises:
        MalformedError: as `decode`.
    """
    _, position = _read(body)
    if position is None:
        return {}
    rest = {field: value for field, value in position.items() if field not in _NAMED}
    attributes = _attributes(position)
    rest |= {field: value for field, value in attributes.items() if field not in _NAMED_ATTRIBUTES}
    if others := signals_of(attributes.get("alarm"))[1]:
        rest["alarm"] = others
    if not _is_fixed(position):
        held = {"stale_lat": position.get("latitude"), "stale_lon": position.get("longitude")}
        rest |= {
            name: float(value) for name, value in held.items() if isinstance(value, int | float)
        }
    return rest


def _read(body: bytes) -> tuple[str, dict[str, Any] | None]:
    if len(body) > LONGEST:
        raise MalformedError(f"longer than {LONGEST:,} bytes: forward one position a request")
    try:
        root = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise MalformedError("the body is not JSON: set forward.type to json") from None
    root = root if isinstance(root, dict) else {}
    device = root.get("device")
    tag = device.get("uniqueId") if isinstance(device, dict) else None
    if not isinstance(tag, str) or not tag:
        raise MalformedError("the body has no device with a uniqueId: let Traccar forward to here")
    if "event" in root:
        return tag, None
    position = root.get("position")
    if not isinstance(position, dict):
        raise MalformedError("the body has no position: let Traccar's forward.url point to here")
    return tag, position


def _report(position: dict[str, Any]) -> Report:
    attributes = _attributes(position)
    # Where Traccar asked an index of networks, it writes 0 for what such an index can't know.
    from_network = attributes.get("approximate") is True
    fixed = _is_fixed(position)
    place = _place(position) if fixed else (None, None)
    moving = fixed and not from_network
    satellites = _real(attributes.get("sat"), 0, 1000)
    battery_pct = _real(attributes.get("batteryLevel"), 0, 100)
    speed_kn = _real(position.get("speed"), 0, 1e7) if moving else None
    radius_m = _real(position.get("accuracy"), 0, 1e7) if fixed else None
    return seal(
        (
            None,
            _time_ms(position, fixed=fixed),
            *place,
            radius_m * TO_95 if radius_m else None,
            _source(position, satellites, from_network=from_network) if fixed else 0,
            speed_kn * KNOT_MPS if speed_kn is not None else None,
            _real(position.get("course"), 0, 360) if moving else None,
            _real(position.get("altitude"), -1e7, 1e7) if moving else None,
            int(satellites) if satellites is not None else None,
            _real(attributes.get("hdop"), 0, 1e7) or None,
            battery_pct,
            _signals(attributes),
        )
    )


def _is_fixed(position: dict[str, Any]) -> bool:
    # An outdated position is the last one over again, for a message that held none of its own,
    # unless an index filled it in since.
    from_network = _attributes(position).get("approximate") is True
    return position.get("valid") is True and (from_network or not position.get("outdated"))


def _attributes(position: dict[str, Any]) -> dict[str, Any]:
    attributes = position.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _place(position: dict[str, Any]) -> tuple[int | None, int | None]:
    lat = _real(position.get("latitude"), -90, 90)
    lon = _real(position.get("longitude"), -180, 180)
    if lat is None or lon is None:
        raise _UnusableError("latitude or longitude can't be used: a valid position holds both")
    if lat == 0 and lon == 0:
        return None, None  # Traccar's own start value: a device that never had a fix
    return quantise(lat), quantise(lon)


def _time_ms(position: dict[str, Any], *, fixed: bool) -> int:
    """When the fix was taken; without one, when the device spoke: `fixTime` is an old fix's."""
    said = position.get("fixTime") if fixed else None
    said = said or position.get("deviceTime") or position.get("fixTime")
    try:
        at = datetime.fromisoformat(str(said))
        if at.tzinfo is not None and at.timestamp() >= 0:
            return round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    raise _UnusableError("fixTime can't be used: send ISO 8601 with an offset, as Traccar does")


def _source(position: dict[str, Any], satellites: float | None, *, from_network: bool) -> int:
    if not from_network:
        return int(Source.GNSS if satellites else Source.UNKNOWN)
    network = position.get("network")
    network = network if isinstance(network, dict) else {}
    # With both, which one placed it isn't said: the weaker is believed.
    only_wifi = network.get("wifiAccessPoints") and not network.get("cellTowers")
    return int(Source.WIFI if only_wifi else Source.CELL)


def _signals(attributes: dict[str, Any]) -> int:
    bits, _ = signals_of(attributes.get("alarm"))
    if attributes.get("charge") is True:
        bits |= Signal.CHARGING
    if str(attributes.get("mock")).lower() in {"true", "1"}:
        bits |= Signal.MOCK_POSITION
    return int(bits)


def _real(said: Any, low: float, high: float) -> float | None:
    """A number within limits; None for what is none: an extra field never costs the position."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if low <= said <= high else None
