"""`ringfence decode`: what captured frames come to, without a database."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NoReturn
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from ringfence.gateway.decoding import Decoder, Line

MOST_LINE = 4 << 20
"""Bytes of a line: the largest body of any door, in hex, twice."""


def decode(
    protocol: Annotated[str, typer.Argument(help="teltonika, queclink, osmand, …")],
    file: Annotated[str, typer.Argument(help="Frames, hex or text, one a line; - = input.")] = "-",
    *,
    model: Annotated[str, typer.Option(help="The devices' model, as its maker spells it.")] = "",
    zone: Annotated[str, typer.Option(help="In which the devices' clocks speak.")] = "UTC",
    key: Annotated[str | None, typer.Option(help="Opens encrypted OwnTracks messages.")] = None,
) -> None:
    """Decode captured frames of one session; each line of input gives a line of JSON.

    Exit status: 0 read to the end (a line's own fault is in its `error`), 2 it can't be begun.
    """
    from ringfence.gateway.decoding import PROTOCOLS, decoder
    from ringfence.gateway.frames import DeviceModel

    if protocol not in PROTOCOLS:
        _refuse(f"no protocol {protocol!r}: there are {', '.join(PROTOCOLS)}")
    if key is not None and protocol != "owntracks":
        _refuse(f"--key is for owntracks: {protocol} has no encrypted messages")
    try:
        made = DeviceModel(model, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):  # no such name; a path; a folder
        _refuse(f"--zone {zone!r} is no time zone: write one like Europe/London")
    try:
        with _opened(file) as frames:
            _decode(frames, decoder(protocol, model=made, key=key))
    except OSError as error:
        _refuse(f"{file}: {error.strerror}: name a file that can be read, or - for the input")


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")


def _decode(frames: BinaryIO, reads: Decoder) -> None:
    """Write a line for each. One that leaves a frame open waits: the input may end within it."""
    from ringfence.gateway.decoding import INCOMPLETE, Line

    waiting: list[Line] = []
    number = 0
    for said in _lines(frames):
        told = (
            reads.line(said) if len(said) <= MOST_LINE else Line(error=f"over {MOST_LINE:,} bytes")
        )
        if waiting and said:
            number = _write(number, waiting, INCOMPLETE if reads.given_up else None)
        waiting.append(told)
        if not reads.unfinished:
            number = _write(number, waiting)
    _write(number, waiting, INCOMPLETE)


def _lines(frames: BinaryIO) -> Iterator[bytes]:
    # What marks a file of Windows as UTF-8 is no part of its first frame.
    begins = BOM_UTF8
    while said := frames.readline(MOST_LINE + 2 + len(begins)):
        said, begins = said.removeprefix(begins), b""
        if not said.endswith(b"\n"):
            while len(said) > MOST_LINE and (more := frames.readline(MOST_LINE)):
                if more.endswith(b"\n"):
                    break
        yield said.rstrip(b"\r\n").strip(b" \t") if len(said) <= MOST_LINE else said


def _write(number: int, lines: list[Line], fault: str | None = None) -> int:
    """Write lines; `fault` is the first one's."""
    from ringfence.gateway.decoding import as_json

    if lines and fault:
        before = lines[0].error
        lines[0] = lines[0]._replace(error=f"{before}; {fault}" if before else fault)
    for line in lines:
        sys.stdout.buffer.write(as_json(number, line) + b"\n")
        number += 1
    lines.clear()
    sys.stdout.flush()
    return number


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
