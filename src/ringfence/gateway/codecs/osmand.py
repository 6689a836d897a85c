"""The OsmAnd protocol, as Traccar took it over for its own app (https://www.traccar.org/osmand/).

Two forms: parameters in the query of a URL or in a form, one report a request; and the JSON of the
background location SDK that Traccar Client is built on, one location or several. The protocol has
no unit for speed: parameters are in knots, as Traccar's server and app have it, JSON in m/s.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from ringfence.engine.fix import Signal
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

MOST_PARAMETERS = 256
"""Cells and Wi-Fi stations are a parameter each; an app sends a dozen in all."""
MOST_TEXT = 8 * 1024
"""Characters of parameters."""
MOST_LOCATIONS = 5000
"""Of a JSON request: with all their fields they fill the door's limit of 1 MiB before."""
_SECONDS_BELOW = 2**31
"""A timestamp from here on is in milliseconds (Traccar's rule): in seconds it would be 2038."""
_LAST_MS = 253_402_300_799_999  # year 9999
_TRUE = frozenset({"true", "1"})
_NAMED = frozenset({
    "id", "deviceid", "timestamp", "lat", "lon", "location", "speed", "bearing", "heading",
    "altitude", "accuracy", "hdop", "batt", "valid", "charge", "mock",
})  # fmt: skip
_NAMED_JSON = frozenset({"timestamp", "coords", "is_moving", "battery", "alarm", "mock"})
_NAMED_COORDS = frozenset({"latitude", "longitude", "accuracy", "speed", "heading", "altitude"})
_LIMITS = {
    **dict.fromkeys(("speed", "accuracy", "hdop"), (0.0, 1e7)),
    **dict.fromkeys(("bearing", "heading"), (0.0, 360.0)),
    "altitude": (-1e7, 1e7),
    "batt": (0.0, 100.0),
    "lat": (-90.0, 90.0),
    "lon": (-180.0, 180.0),
}
"""Beyond these a number is unknown, and raw."""

Fields = dict[str, str]


class _UnusableError(Exception):
    """The report can't be stored; the text says which field."""


def decode(body: bytes, received_ms: int) -> Decoded:
    """Read a request: its JSON, its parameters, or the URL that they are in.

    Args:
        body: what it said.
        received_ms: when it came; the time of a report of parameters without `timestamp`.

    Returns:
        Reports and refusals; whose they are said to be.

    Raises:
        MalformedError: neither form, or no id in parameters.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        return _decode_json(body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise MalformedError("the parameters are not UTF-8: percent-encode them") from None
    path, mark, query = text.partition("?")
    return decode_query(query if mark and "=" not in path else text, received_ms)


def decode_query(text: str, received_ms: int) -> Decoded:
    """Read parameters, `id=T1&lat=51.5&lon=-0.1&timestamp=1772359320`; as `decode`."""
    fields, _ = _parse(text)
    tag = fields.get("id")
    if not tag:
        raise MalformedError("there is no id among the parameters: send id, lat, lon, timestamp")
    try:
        return Decoded(tag, [_of_parameters(fields, received_ms)])
    except _UnusableError as fault:
        return Decoded(tag, [], [Refusal(0, str(fault))])


def unnamed(body: bytes) -> list[dict[str, Any]]:
    """For each report what has no name of ours, as the app spells it; for people, not fast.

    Raises:
        MalformedError: as `decode`.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        _, locations = _locations(body)
        return [_unnamed_json(one) for one in locations]
    text = body.decode(errors="replace")
    path, mark, query = text.partition("?")
    fields, many = _parse(query if mark and "=" not in path else text)
    rest: dict[str, Any] = {f: v for f, v in fields.items() if f not in _NAMED and f != "alarm"}
    rest |= {f: v for f, v in fields.items() if f in _LIMITS and v and _strange(v, f)}
    if _is_invalid(fields):
        rest |= {"stale_" + f: _real(fields.get(f), *_LIMITS[f]) for f in ("lat", "lon")}
    if others := signals_of(fields.get("alarm"))[1]:
        rest["alarm"] = others
    return [{**rest, **many}]


def _parse(text: str) -> tuple[Fields, dict[str, list[str]]]:
    """Parameters by name, the last of a name counts; and `cell` and `wifi`, which are many."""
    fields: Fields = {}
    many: dict[str, list[str]] = {}
    pairs = text.strip().split("&", MOST_PARAMETERS)
    if len(pairs) > MOST_PARAMETERS or len(text) > MOST_TEXT:
        raise MalformedError(
            f"more than {MOST_PARAMETERS} parameters or {MOST_TEXT:,} characters: send one report "
            "a request"
        )
    for pair in pairs:
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in value:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in ("cell", "wifi"):
            many.setdefault(name, []).append(value)
            continue
        if name == "deviceid":
            name = "id"
        if name == "id" and fields.get("id", value) != value:
            raise MalformedError("two different ids: a report is one tag's")
        fields[name] = value
    return fields, many


def _of_parameters(fields: Fields, received_ms: int) -> Report:
    stamp = fields.get("timestamp")
    bits, _ = signals_of(fields["alarm"]) if "alarm" in fields else (0, ())
    if fields.get("charge") in _TRUE:
        bits |= Signal.CHARGING
    if fields.get("mock", "").lower() in _TRUE:
        bits |= Signal.MOCK_POSITION
    speed_kn = _real(fields.get("speed"), 0, 1e7)
    return seal(
        (
            None,
            _time_ms(stamp) if stamp else received_ms,
            *_place(fields),
            _radius(fields.get("accuracy")),
            0,
            speed_kn * KNOT_MPS if speed_kn is not None else None,
            _real(fields.get("bearing") or fields.get("heading"), 0, 360),
            _real(fields.get("altitude"), -1e7, 1e7),
            None,
            _hdop(fields.get("hdop")),
            _real(fields.get("batt"), 0, 100),
            int(bits),
        )
    )


def _place(fields: Fields) -> tuple[int | None, int | None]:
    lat, lon = fields.get("lat"), fields.get("lon")
    if (both := fields.get("location")) and not lat and not lon:
        lat, _, lon = both.partition(",")
    if not lat and not lon:
        return None, None
    place = _coordinates(lat, lon, "lat", "lon")
    return (None, None) if _is_invalid(fields) else place


def _is_invalid(fields: Fields) -> bool:
    return "valid" in fields and fields["valid"].lower() not in _TRUE


def _strange(said: Any, name: str) -> bool:
    """Whether a number that has a name of ours is none, or beyond its limits."""
    return said is not None and _real(said, *_LIMITS[name]) is None


def _decode_json(body: bytes) -> Decoded:
    tag, locations = _locations(body)
    reports: list[Report] = []
    refused: list[Refusal] = []
    for index, one in enumerate(locations):
        try:
            reports.append(_of_location(one))
        except _UnusableError as fault:
            refused.append(Refusal(index, str(fault)))
    return Decoded(tag, reports, refused)


def _locations(body: bytes) -> tuple[str | None, list[Any]]:
    """Whose they are said to be, and the locations: one, several, or a list of such messages."""
    try:
        root = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise MalformedError("the body is not JSON: send location and device_id") from None
    tags: set[str] = set()
    locations: list[Any] = []
    messages = root if isinstance(root, list) else [root]
    if len(messages) > MOST_LOCATIONS:
        raise MalformedError(f"more than {MOST_LOCATIONS:,} messages: send fewer in a request")
    for message in messages:
        held = None
        if isinstance(message, dict):
            held = message.get("location", message.get("locations"))
            if (tag := message.get("device_id")) is not None:
                tags.add(str(tag))
        if held is None:
            raise MalformedError("the body has no location: send location and device_id")
        locations += held if isinstance(held, list) else [held]
        if len(locations) > MOST_LOCATIONS:
            raise MalformedError(f"more than {MOST_LOCATIONS:,} locations: send fewer in a request")
    if len(tags) > 1:
        raise MalformedError("two different device_ids: a request is one tag's")
    return (tags.pop() if tags else None), locations


def _of_location(said: Any) -> Report:
    if not isinstance(said, dict):
        raise _UnusableError("the location is not an object: send timestamp and coords")
    stamp = said.get("timestamp")
    if stamp is None:
        raise _UnusableError("no timestamp: send when it happened, as 2026-03-01T10:02:00Z")
    coords = said.get("coords")
    coords = coords if isinstance(coords, dict) else {}
    place: tuple[int | None, int | None] = (None, None)
    if "latitude" in coords or "longitude" in coords:
        place = _coordinates(
            coords.get("latitude"), coords.get("longitude"), "latitude", "longitude"
        )
    battery = said.get("battery")
    battery = battery if isinstance(battery, dict) else {}
    level = _real(battery.get("level"), 0, 1)
    return seal(
        (
            None,
            _time_ms(stamp),
            *place,
            _radius(coords.get("accuracy")),
            0,
            # The SDK says −1 for "not known".
            _real(coords.get("speed"), 0, 1e7),
            _real(coords.get("heading"), 0, 360),
            _real(coords.get("altitude"), -1e7, 1e7),
            None,
            None,
            level * 100 if level is not None else None,
            _json_signals(said, battery),
        )
    )


def _json_signals(said: dict[str, Any], battery: dict[str, Any]) -> int:
    bits, _ = signals_of(_alarm(said))
    if battery.get("is_charging") is True:
        bits |= Signal.CHARGING
    if _says_mock(said):
        bits |= Signal.MOCK_POSITION
    moving = said.get("is_moving")
    if isinstance(moving, bool):
        bits |= Signal.MOTION if moving else Signal.NO_MOTION
    return int(bits)


def _says_mock(said: dict[str, Any]) -> bool:
    """The SDK marks the location; an app may add the mark to what it sends with each."""
    coords, extras = said.get("coords"), said.get("extras")
    return any(
        isinstance(part, dict) and str(part.get("mock")).lower() in _TRUE
        for part in (said, coords, extras)
    )


def _alarm(said: dict[str, Any]) -> Any:
    extras = said.get("extras")
    return said.get("alarm") or (extras.get("alarm") if isinstance(extras, dict) else None)


def _unnamed_json(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        return {}
    rest = {field: value for field, value in said.items() if field not in _NAMED_JSON}
    if isinstance(coords := said.get("coords"), dict):
        rest |= {
            field: value
            for field, value in coords.items()
            if field not in _NAMED_COORDS or (field in _LIMITS and _strange(value, field))
        }
    if others := signals_of(_alarm(said))[1]:
        rest["alarm"] = others
    return rest


def _coordinates(lat: Any, lon: Any, *names: str) -> tuple[int | None, int | None]:
    lat_deg, lon_deg = _real(lat, -90, 90), _real(lon, -180, 180)
    if lat_deg is None or lon_deg is None:
        name, limit = (names[0], 90) if lat_deg is None else (names[1], 180)
        raise _UnusableError(
            f"{name} can't be used: send degrees WGS84, −{limit} to {limit}, both of "
            f"{names[0]} and {names[1]}"
        )
    if lat_deg == 0 and lon_deg == 0:
        return None, None  # how those say "no fix" who have no other way
    return quantise(lat_deg), quantise(lon_deg)


def _time_ms(said: Any) -> int:
    """UTC epoch milliseconds of seconds, milliseconds or ISO 8601; without an offset it is UTC."""
    number = _real(said, 0, _LAST_MS)
    if number is not None:
        return round(number * 1000) if number < _SECONDS_BELOW else round(number)
    try:
        # A plus sign that nobody encoded has become a space.
        text = str(said).strip()
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        at_ms = round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        at_ms = -1
    if at_ms < 0:
        raise _UnusableError(
            "timestamp can't be used: send seconds or milliseconds since 1970, or ISO 8601"
        )
    return at_ms


def _radius(said: Any) -> float | None:
    """The 95 % circle of a phone's 68 % one; 0 or less is unknown."""
    radius_m = _real(said, 0, 1e7)
    return radius_m * TO_95 if radius_m else None


def _hdop(said: Any) -> float | None:
    return _real(said, 0, 1e7) or None


def _real(said: Any, low: float, high: float) -> float | None:
    """A number within limits; None for what is none: an extra field never costs the position."""
    if said is None or said is True or said is False or (said.__class__ is str and "_" in said):
        return None
    try:
        value = float(said)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if low <= value <= high else None
