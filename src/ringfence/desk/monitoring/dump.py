"""Bytes for people: sixteen a line in hex, with what is printable beside them. Pure."""

from __future__ import annotations

WIDTH = 16


def hex_lines(raw: bytes) -> list[str]:
    """`00000010  7b 22 …  {"tag":"T1"…`: offset, bytes, and the printable ones of ASCII."""
    return [_line(at, raw[at : at + WIDTH]) for at in range(0, len(raw), WIDTH)]


def as_text(raw: bytes) -> str | None:
    """The bytes as text, where all of them are printable; else None."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    bare = text.replace("\r", "").replace("\n", "").replace("\t", "")
    return text if bare.isprintable() and bare else None


def _line(at: int, part: bytes) -> str:
    shown = "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in part)
    return f"{at:08x}  {part.hex(' '):<{WIDTH * 3 - 1}}  {shown}"
