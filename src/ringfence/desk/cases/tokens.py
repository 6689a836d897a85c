"""Tag tokens: shown once, kept as a hash."""

from __future__ import annotations

import secrets
from hashlib import sha256


def new_token() -> str:
    """256 random bits, safe in a header and in a URL."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """The SHA-256 of a token, 64 hexadecimal digits.

    No slow hash: the token itself holds 256 random bits, so that there is nothing to guess.
    """
    return sha256(token.encode()).hexdigest()
