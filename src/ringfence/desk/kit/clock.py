"""The desk's one clock, and the two ways it writes an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """The present, aware, UTC."""
    return datetime.now(UTC)


def to_ms(at: datetime) -> int:
    """UTC epoch milliseconds of an aware instant, without float rounding."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The aware UTC instant of epoch milliseconds."""
    return EPOCH + timedelta(milliseconds=int(ms))
