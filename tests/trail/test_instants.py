"""Instants in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.trail.instants import InstantError, from_ms, read_instant, to_ms, write_instant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yesterday", "write ISO 8601 such as"),
        ("2026-03-01T10:02:00", "has no offset: add Z"),
        ("2026-03-01", "has no offset"),
        ("0001-01-01T00:00:00+10:00", "out of range"),
    ],
)
def test_what_is_no_instant_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(InstantError, match=says):
        read_instant(text)


def test_milliseconds_are_written_only_where_there_are_any() -> None:
    at = datetime(2026, 3, 1, 11, 2, tzinfo=timezone(timedelta(hours=1)))
    assert write_instant(at) == "2026-03-01T10:02:00Z"
    assert write_instant(at + timedelta(milliseconds=250)) == "2026-03-01T10:02:00.250Z"
    assert write_instant(at + timedelta(microseconds=250)) == "2026-03-01T10:02:00Z"


@given(st.integers(-10_000_000_000_000, 100_000_000_000_000))
def test_an_instant_comes_back_as_it_went(ms: int) -> None:
    assert to_ms(read_instant(write_instant(from_ms(ms)))) == ms
    assert from_ms(ms).tzinfo is UTC
