"""What text protocols share: frames up to an end mark, numbers, and the clock of a device."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

LONGEST = 4096
"""Bytes of a frame. The longest seen, with twenty Wi-Fi stations, has under 600."""
_BLANK = b" \t\r\n\x00"
_YEARS = range(1980, 9999)
"""From GPS's first to the last that can be written as UTC from every zone."""
_MINUS, _DOT = b"-."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_MINUTES_MS = {b"%02d%02d" % divmod(n, 60): n * 60_000 for n in range(1440)}
_SECONDS_MS = {b"%02d" % n: n * 1_000 for n in range(60)}
_DEVICE = re.compile(rb"[0-9A-Za-z_.-]{1,32}").fullmatch


class Cutter:
    """Cuts a stream into frames; the same frames however the stream was split or joined."""

    __slots__ = ("_ends", "_match", "_rest", "_undecided")

    def __init__(self, frame: re.Pattern[bytes], ends: bytes) -> None:
        """Cut at what `frame` matches: one frame with its end mark, one of `ends`."""
        self._match = frame.match
        self._ends = tuple(ends[at : at + 1] for at in range(len(ends)))
        self._rest = b""
        self._undecided = False
        """An end mark waits of which it is not clear yet whether it ends a frame."""

    @property
    def unfinished(self) -> int:
        """How many bytes wait for their end mark."""
        return len(self._rest)

    def cut(self, data: bytes) -> list[bytes]:
        """Take bytes; return the frames that they complete, without blanks around them.

        What is longer than `LONGEST` comes out in pieces of that size: they are no frames.
        """
        buffer = self._rest + data if self._rest else data
        frames: list[bytes] = []
        at, end = 0, len(buffer)
        if self._rest and end <= LONGEST and not self._undecided and not self._ended(data):
            self._rest = buffer  # not searched anew for each byte of a frame that comes in bytes
            return frames
        while at < end:
            if buffer[at] in _BLANK:
                at += 1
                continue
            found = self._match(buffer, at)
            if found is None and end - at <= LONGEST:
                break
            # A byte more than a piece decides, so that it is the same whether the end is here yet.
            whole = found is not None and found.end() - at <= LONGEST + 1
            after = found.end() if found is not None and whole else at + LONGEST
            frames.append(buffer[at:after].rstrip(_BLANK))
            at = after
        self._rest = buffer[at:]
        self._undecided = bool(self._rest) and self._ended(self._rest)
        return frames

    def _ended(self, data: bytes) -> bool:
        return any(mark in data for mark in self._ends)


@lru_cache(maxsize=4096)
def device_of(said: bytes) -> str | None:
    """A device's id, if this can be one."""
    said = said.strip()
    return said.decode("ascii") if _DEVICE(said) else None


@lru_cache(maxsize=2048)
def number(said: bytes) -> float | None:
    """A plain decimal number; None if this is none, or too big to mean anything."""
    if not said or len(said) > 16:
        return None
    # `float` alone takes more than a device should say: inf, 1_0, 1e9.
    if not said.replace(b".", b"", 1).isdigit() and not (
        said[0] == _MINUS and said[1:].replace(b".", b"", 1).isdigit()
    ):
        return None
    value = float(said)
    return value if -1e7 <= value <= 1e7 else None


@lru_cache(maxsize=2048)  # speeds, courses, charges: few values come again and again
def positive(said: bytes, most: float = 1e7) -> float | None:
    """A plain decimal number from 0 to `most`."""
    return decimal(said, most)


def decimal(said: bytes, most: float) -> float | None:
    """As `positive`, for what seldom comes twice."""
    if not said or len(said) > 16 or not said.replace(b".", b"", 1).isdigit():
        return None
    value = float(said)
    return value if value <= most else None


@lru_cache(maxsize=1024)
def _midnight_ms(day: bytes) -> int | None:
    if len(day) != 8 or not day.isdigit():
        return None
    try:
        midnight = datetime(int(day[:4]), int(day[4:6]), int(day[6:]), tzinfo=UTC)
    except ValueError:
        return None
    return (midnight - _EPOCH) // _MS if midnight.year in _YEARS else None


def instant_ms(day: bytes, clock: bytes, zone: tzinfo) -> int | None:
    """UTC milliseconds of what a device's clock says.

    Args:
        day: yyyymmdd.
        clock: hhmmss, perhaps with a fraction.
        zone: in which the clock speaks. Of an hour that happens twice it means the first.

    Returns:
        None if there is no such date or time, or it is before there was GPS.
    """
    midnight_ms = _midnight_ms(day)
    minutes_ms, ms = _MINUTES_MS.get(clock[:4]), _SECONDS_MS.get(clock[4:6])
    if midnight_ms is None or minutes_ms is None or ms is None:
        return None
    ms += minutes_ms
    if len(clock) > 6:
        fraction = clock[7:10]
        if clock[6] != _DOT or not fraction.isdigit():
            return None
        ms += int(fraction.ljust(3, b"0"))
    if zone is not UTC:
        said = _EPOCH + timedelta(milliseconds=midnight_ms + ms)
        return (said.replace(tzinfo=zone) - _EPOCH) // _MS
    return midnight_ms + ms
