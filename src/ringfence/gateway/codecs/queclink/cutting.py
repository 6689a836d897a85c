"""Frames out of the bytes of a Queclink connection, split or joined anywhere.

Text ends with `$`. Binary frames of the older series say their length after a mask and end with
CR LF; those of the newer series begin with a zero, say their length at once and end with `$`.
What is none of these is junk: it is cut where something better begins.
"""

from __future__ import annotations

import re
from typing import Final

TEXT: Final = 0
BINARY: Final = 1
RECORDS: Final = 2
JUNK: Final = 3

MOST_TEXT: Final = 8192
"""Bytes of a text frame: fifteen positions and every list of the maker's manuals fit in 2 KiB."""
MOST_BINARY: Final = 4096
"""Bytes of a binary frame: the maker keeps to one packet of 1,440."""
MOST_JUNK: Final = 1024

_LEAST: Final = 11
"""Bytes from which any binary frame's length is known."""
_LENGTH_AT: Final = {
    b"+ACK": (6, 7),
    b"+HBD": (5, 6),
    b"+INF": (7, 9),
    b"+BNF": (7, 9),
    b"+CRD": (6, 8),
    b"+BRD": (6, 8),
    b"+LGN": (6, 8),
    b"+RSP": (9, 11),
    b"+BSP": (9, 11),
    b"+EVT": (9, 11),
    b"+BVT": (9, 11),
}
"""Where each kind of binary frame says how long it is: the masks before it differ in width."""

_TEXT = re.compile(rb"\+(?:RESP|BUFF|ACK):")
_WHOLE = re.compile(rb"\+(?:RESP|BUFF|ACK):[^$+\0\r\n]{0,%d}+\$" % (MOST_TEXT - 8))
"""A text frame with its `$` and nothing in it that could be the loss of one, as most are."""
_START = re.compile(rb"\+(?:RESP:|BUFF:|ACK|RSP|BSP|EVT|BVT|INF|BNF|HBD|CRD|BRD|LGN)|[+-]\x00")
_START_BYTES: Final = 6
_JUNK_ENDS = re.compile(rb"[$\n]|" + _START.pattern)
_LOST_END = re.compile(rb"[\0\r\n]|\+(?:RESP|BUFF|ACK):GT")
"""A text frame without its `$` ends where a line ends or the next one begins."""
_LOST_BYTES: Final = len(b"+RESP:GT")
_LOSES: Final = (b"+", b"\n", b"\r", b"\0")
"""Only with one of these is the search above worth its time: text mostly has none."""


Cut = tuple[int, int]
"""What a piece of a buffer is, and where it ends."""


def cut(data: bytes, at: int, seen: int = 0) -> Cut | None:
    """What begins at `at`, and where it ends; None = that depends on bytes yet to come.

    Before `seen` there is no end of it: this was asked when no more was there.
    """
    # Once for each frame: what was asked before is searched from where that ended.
    if not seen and (whole := _WHOLE.match(data, at)):
        return (TEXT, whole.end())
    if _TEXT.match(data, at):
        return _text(data, at, seen)
    if not _START.match(data, at):
        return _junk(data, at, seen)
    return _binary(data, at)


def _text(data: bytes, at: int, seen: int) -> Cut | None:
    limit = at + MOST_TEXT
    end = data.find(b"$", max(at, seen), limit)
    stop = end if end >= 0 else limit
    after = max(at + 5, seen - _LOST_BYTES)
    for byte in _LOSES:
        if data.find(byte, after, stop) >= 0:
            lost = _LOST_END.search(data, after, stop)
            if lost:
                return (TEXT, lost.start())
    if end >= 0:
        return (TEXT, end + 1)
    return (JUNK, limit) if len(data) >= limit else None


def _binary(data: bytes, at: int) -> Cut | None:
    if len(data) < at + _LEAST:
        return None
    if data[at + 1] == 0:
        kind, tail, length = RECORDS, b"$", int.from_bytes(data[at + 2 : at + 4], "big")
    else:
        first, last = _LENGTH_AT[data[at : at + 4]]
        kind, tail = BINARY, b"\r\n"
        length = int.from_bytes(data[at + first : at + last], "big")
    if not _LEAST <= length <= MOST_BINARY:
        return _junk(data, at, 0)
    end = at + length
    if len(data) < end:
        return None
    return (kind, end) if data.endswith(tail, at, end) else _junk(data, at, 0)


def _junk(data: bytes, at: int, seen: int) -> Cut | None:
    """Up to where a line ends or a frame may begin, in pieces of a bounded size.

    The pieces depend on the bytes alone, never on how they arrived.
    """
    limit = at + MOST_JUNK
    end = _JUNK_ENDS.search(data, max(at + 1, seen - _START_BYTES), limit + _START_BYTES)
    if end:
        return (JUNK, min(end.end() if end[0] in b"$\n" else end.start(), limit))
    return (JUNK, limit) if len(data) >= limit + _START_BYTES else None
