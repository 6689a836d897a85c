"""What the bodies of requests and messages say, door by door: a codec each, and what it leaves out.

For people and for bytes that were kept: the doors themselves ask the codecs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from nacl.secret import SecretBox

from ringfence.gateway.codecs import osmand, owntracks, ringfence_json, traccar
from ringfence.gateway.report import Decoded

Unnamed = tuple[dict[str, Any], ...]


class Body(NamedTuple):
    """How a door's bodies are read."""

    decode: Callable[[bytes, int, SecretBox | None], Decoded]
    """By the bytes, when they came (UTC epoch ms), and what opens sealed ones."""
    unnamed: Callable[[bytes, SecretBox | None], Unnamed]
    """For each report, refused ones too, what has no name of ours; of the bodies that decode."""


def _reports(body: bytes) -> Decoded:
    binary = body.lstrip()[:1] not in (b"{", b"[")
    media_type = next(iter(ringfence_json.MSGPACK)) if binary else ringfence_json.JSON
    return ringfence_json.decode(body, media_type)


_REPORTS = Body(lambda body, _at, _box: _reports(body), lambda _body, _box: ())
_OWNTRACKS = Body(
    lambda body, _at, box: owntracks.decode(body, box),
    lambda body, box: (owntracks.unnamed(body, box),),
)


def _by_message(body: bytes) -> Body:
    return _OWNTRACKS if b'"_type"' in body and b'"reports"' not in body else _REPORTS


BODIES: Final = {
    "reports": _REPORTS,
    "owntracks": _OWNTRACKS,
    "osmand": Body(
        lambda body, at, _box: osmand.decode(body, at),
        lambda body, _box: tuple(osmand.unnamed(body)),
    ),
    "traccar": Body(
        lambda body, _at, _box: traccar.decode(body), lambda body, _box: (traccar.unnamed(body),)
    ),
    # A message's topic is not kept: what it holds says which of the two it was.
    "mqtt": Body(
        lambda body, at, box: _by_message(body).decode(body, at, box),
        lambda body, box: _by_message(body).unnamed(body, box),
    ),
}
"""By the name of their door."""


def left_over(unnamed: Unnamed, decoded: Decoded) -> Unnamed:
    """Of what has no name, that of the reports which were not refused, in their order."""
    gone = {refusal.index for refusal in decoded.refused}
    return tuple(one for index, one in enumerate(unnamed) if index not in gone)
