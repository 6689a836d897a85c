"""How an entry is hashed: canonical JSON (RFC 8785) under SHA-256, chained to the one before."""

from __future__ import annotations

from datetime import UTC
from hashlib import sha256
from typing import TYPE_CHECKING

import rfc8785

if TYPE_CHECKING:
    from ringfence.desk.audit.models import Entry

FIRST = "0" * 64
"""What the first entry names as the hash before it."""


def hash_of(entry: Entry) -> str:
    """Hash all that `entry` says and the hash before it; 64 hexadecimal digits.

    The database's own id is left out: it is known only after the insert, and the chain fixes
    the order already.
    """
    said = {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "event": str(entry.event),
        "subject": entry.subject,
        "reason": entry.reason,
        "detail": entry.detail,
        "previous_hash": entry.previous_hash,
    }
    return sha256(rfc8785.dumps(said)).hexdigest()
