"""Instants as text: ISO 8601 with an offset in, ISO 8601 UTC with Z out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MS: Final = timedelta(milliseconds=1)


class InstantError(ValueError):
    """A text that is no instant; it says what to write instead."""


def read_instant(text: str) -> datetime:
    """Read ISO 8601 with an offset (`Z`, `+01:00`) as an aware UTC datetime.

    Raises:
        InstantError: not ISO 8601, no such date, or no offset.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InstantError(
            f"{text!r} is not an instant: write ISO 8601 such as 2026-03-01T10:02:00Z"
        ) from None
    if at.utcoffset() is None:
        raise InstantError(
            f"{text!r} has no offset: add Z for UTC, or the local one such as +01:00"
        )
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise InstantError(f"{text!r} is out of range") from None


def to_ms(at: datetime) -> int:
    """UTC epoch milliseconds, rounded down."""
    return (at - EPOCH) // MS


def from_ms(ms: int) -> datetime:
    """An aware UTC datetime."""
    return EPOCH + ms * MS


def write_instant(at: datetime) -> str:
    """`2026-03-01T10:02:00Z`; milliseconds only where there are any."""
    spec = "milliseconds" if at.microsecond // 1000 else "seconds"
    # "+00:00" goes.
    return at.astimezone(UTC).isoformat(timespec=spec)[:-6] + "Z"
