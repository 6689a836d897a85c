"""OwnTracks: one JSON message at a time (https://owntracks.org/booklet/tech/json/).

`location` and `transition` hold a fix. `lwt` and all other types say nothing of where a person is.
`encrypted` holds any other message, sealed with the secret that the app and the platform share
(https://owntracks.org/booklet/features/encrypt/).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any, NamedTuple

import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.report import (
    TO_95,
    Decoded,
    MalformedError,
    Refusal,
    Report,
    quantise,
    seal,
)

LOCATED = frozenset({"location", "transition"})
LONGEST = 64 * 1024
"""Bytes of a message that is read: an app's have some 300. Longer ones would keep others waiting;
one that holds no fix, such as a card with a picture, need not be read."""
REPLY = b"[]"
"""No commands for the phone."""

_SOURCES = {"gps": int(Source.GNSS)}
"""`network` and `fused` may be anything from Wi-Fi to satellites: unknown."""
_CHARGING = 2
_NAMED = frozenset(
    {"_type", "tst", "lat", "lon", "acc", "vel", "cog", "alt", "batt", "bs", "source", "mock"}
)
_OPTIONAL = frozenset({"acc", "vel", "cog", "alt", "batt"})
"""What is no number here is unknown, and raw: it never costs the position."""


class _UnusableError(Exception):
    """The message can't be stored; the text says which field."""


class _Long(msgspec.Struct):
    """Of a long message only its type: what is left out is stepped over, not read."""

    kind: str = msgspec.field(name="_type")


class _Opened(NamedTuple):
    """A message and whether it came sealed."""

    message: dict[str, Any]
    kind: str


def box_of(secret: str) -> SecretBox:
    """What opens the messages that an app seals with `secret`.

    The apps take the secret's first 32 bytes, padded with zeros: that is the key of libsodium's
    secretbox (XSalsa20-Poly1305).
    """
    return SecretBox(secret.encode()[: SecretBox.KEY_SIZE].ljust(SecretBox.KEY_SIZE, b"\0"))


def decode(body: bytes, box: SecretBox | None = None) -> Decoded:
    """Read one message.

    Args:
        body: the message as the app sent it.
        box: opens `encrypted` ones, by `box_of`; None = the sender has no key.

    Returns:
        One report, one refusal, or neither (a type that holds no fix).

    Raises:
        MalformedError: not a JSON object with a `_type`; or sealed, and not with this key.
    """
    try:
        opened = _message(body)
        if opened.kind == "encrypted":
            opened = _inner(opened.message, box)
        if opened.kind not in LOCATED or _placeless(opened):
            return Decoded(None, [])
        return Decoded(None, [_report(opened.message)])
    except _UnusableError as fault:
        return Decoded(None, [], [Refusal(0, str(fault))])


def unnamed(body: bytes, box: SecretBox | None = None) -> dict[str, Any]:
    """What a message says that has no name of ours, as the app spells it; for people, not fast.

    Raises:
        MalformedError: as `decode`.
    """
    try:
        opened = _message(body)
        if opened.kind == "encrypted":
            opened = _inner(opened.message, box)
    except _UnusableError:
        return {}
    message = opened.message
    named = {field for field in _NAMED if field not in _OPTIONAL or _is_read(message, field)}
    return {field: value for field, value in message.items() if field not in named}


def _message(body: bytes) -> _Opened:
    try:
        if len(body) > LONGEST:
            return _long(msgspec.json.decode(body, type=_Long).kind)
        message = msgspec.json.decode(body)
    except msgspec.ValidationError:
        message = None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise MalformedError("the body is not JSON: send one OwnTracks message") from None
    kind = message.get("_type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        raise MalformedError("the body is no OwnTracks message: it has no _type")
    return _Opened(message, kind)


def _long(kind: str) -> _Opened:
    if kind in LOCATED or kind == "encrypted":
        # Kept apart and answered: it would come again just as it is.
        raise _UnusableError(f"longer than {LONGEST:,} bytes: a message holds one position")
    return _Opened({}, kind)


def _inner(message: dict[str, Any], box: SecretBox | None) -> _Opened:
    """Open a sealed message.

    What can't be opened is malformed: the app keeps it, and seals it anew once its key is right.
    What was opened came from the app itself, and would come again: it is unusable.
    """
    if box is None:
        raise MalformedError(
            "this message is encrypted, and its tag has no key: make one with `ringfence tags "
            "owntracks-key` and enter it in the app, or clear the app's encryption key",
            reason="encrypted",
        )
    try:
        plain = box.decrypt(b64decode(str(message.get("data")), validate=True))
    except (CryptoError, ValueError, binascii.Error):
        raise MalformedError(
            "this message can't be decrypted with its tag's key: enter the key in the app that "
            "`ringfence tags owntracks-key` printed (or make a new one: the old is lost)",
            reason="encrypted",
        ) from None
    try:
        opened = _message(plain)
    except MalformedError as fault:
        raise _UnusableError(f"decrypted, {fault}") from None
    if opened.kind == "encrypted":
        raise _UnusableError("encrypted twice: send each message encrypted once")
    return opened


def _placeless(opened: _Opened) -> bool:
    """Whether it is the kind that may leave out its place: a beacon was met, or lost."""
    return opened.kind == "transition" and not {"lat", "lon"} & opened.message.keys()


def _report(message: dict[str, Any]) -> Report:
    time_s = _number(message, "tst", 0, 253_402_300_799)  # year 9999
    lat, lon = _number(message, "lat", -90, 90), _number(message, "lon", -180, 180)
    if time_s is None or lat is None or lon is None:
        missing = [f for f in ("tst", "lat", "lon") if message.get(f) is None]
        raise _UnusableError(f"no {', '.join(missing)}: a location holds tst, lat and lon")
    radius_m, speed_kmh, course_deg = (_optional(message, f) for f in ("acc", "vel", "cog"))
    return seal(
        (
            None,
            int(time_s * 1000),
            quantise(lat),
            quantise(lon),
            radius_m * TO_95 if radius_m is not None and radius_m > 0 else None,
            _SOURCES.get(str(message.get("source")), 0),
            # Phones say −1 for "not known".
            speed_kmh / 3.6 if speed_kmh is not None and speed_kmh >= 0 else None,
            course_deg if course_deg is not None and 0 <= course_deg <= 360 else None,
            _optional(message, "alt"),
            None,
            None,
            _battery(message),
            _signals(message),
        )
    )


def _signals(message: dict[str, Any]) -> int:
    bits = int(Signal.CHARGING) if message.get("bs") == _CHARGING else 0
    # The booklet has no such field; forks of the app send Android's mark under this name.
    return bits | Signal.MOCK_POSITION if message.get("mock") is True else bits


def _battery(message: dict[str, Any]) -> float | None:
    battery_pct = _optional(message, "batt")
    return battery_pct if battery_pct is not None and 0 <= battery_pct <= 100 else None


def _optional(message: dict[str, Any], field: str) -> float | None:
    return float(message[field]) if _is_read(message, field) else None


def _is_read(message: dict[str, Any], field: str) -> bool:
    value = message.get(field)
    return value.__class__ in (int, float) and -1e7 <= value <= 1e7


def _number(message: dict[str, Any], field: str, low: float, high: float) -> float | None:
    value = message.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnusableError(f"{field} is not a number: send one from {low:g} to {high:g}")
    if not low <= value <= high:
        raise _UnusableError(f"{field} is out of range: send a number from {low:g} to {high:g}")
    return float(value)
