"""Secrets that the platform must read back, so can't keep as a hash: sealed with its own key.

Whoever has a copy of the database alone can't read them; whoever has the whole data folder can,
since the platform itself must.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox


def new_owntracks_secret() -> str:
    """32 printable characters, as many as the apps use: 192 random bits."""
    return secrets.token_urlsafe(24)


def seal_secret(tag: str, secret: str) -> bytes:
    """Seal `secret` so that it opens for the tag of this name only."""
    return bytes(_box(tag).encrypt(secret.encode()))


def open_secret(tag: str, sealed: bytes) -> str | None:
    """What was sealed for `tag`; None where the platform's key has changed since."""
    try:
        return _box(tag).decrypt(sealed).decode()
    except CryptoError:
        return None


def _box(tag: str) -> SecretBox:
    platform = blake2b(settings.SECRET_KEY.encode(), person=b"rf-owntracks").digest()
    return SecretBox(blake2b(tag.encode(), key=platform, digest_size=SecretBox.KEY_SIZE).digest())
