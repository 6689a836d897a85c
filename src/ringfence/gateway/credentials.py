"""How a sender says who it is: a header where its software can set one, else a parameter."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

SECRETS = frozenset({b"token", b"key"})
"""Names of the parameter that holds a token."""
MOST_PARAMETERS = 256
MOST_SEARCHED = 16 * 1024
"""Parameters and bytes among which a token is looked for, before anybody is known: a report has a
dozen and a few hundred."""


class Shown(NamedTuple):
    """What a sender shows of itself."""

    user: str | None
    """The tag's name, where the way of showing has one."""
    token: bytes
    """Empty: none."""


def from_header(schemes: tuple[bytes, ...], authorization: bytes) -> Shown:
    """Read an Authorization header: `bearer` is a token, `basic` a tag's name and its token."""
    given, _, rest = authorization.partition(b" ")
    scheme = given.lower()
    if scheme not in schemes:
        return Shown(None, b"")
    if scheme == b"bearer":
        return Shown(None, rest.strip())
    try:
        user, _, token = b64decode(rest.strip(), validate=True).partition(b":")
        return Shown(user.decode(), token)
    except (binascii.Error, UnicodeDecodeError):
        return Shown(None, b"")


def without_secret(parameters: bytes) -> tuple[bytes, bytes]:
    """Take the token out of parameters, so that the bytes may be kept.

    Returns:
        The parameters without it, in their order; and the token, the last if several, or empty.
    """
    if len(parameters) > MOST_SEARCHED or parameters.count(b"&") >= MOST_PARAMETERS:
        return parameters, b""
    token = b""
    kept = []
    for pair in parameters.split(b"&"):
        name, _, value = pair.partition(b"=")
        if _plain(name).lower() in SECRETS:
            token = _plain(value)
        else:
            kept.append(pair)
    return (b"&".join(kept), token) if token else (parameters, b"")


def _plain(part: bytes) -> bytes:
    return unquote_to_bytes(part).strip() if b"%" in part else part.strip()
