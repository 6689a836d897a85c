"""GPX: tracks, routes and waypoints in; a track for each tag out.

Read by expat as a stream, with document types refused: without one there is no entity to expand.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pyarrow as pa

from ringfence.trail.fix_row import FixRow, degrees_text, instant_text, signals_text, source_text
from ringfence.trail.table import FixesFileError, Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PIECE: Final = 16_384
CHUNK: Final = 1 << 16
LONGEST: Final = 4096
"""Characters of a value: what is longer is no value of a fix."""
LONGEST_TAG: Final = 1 << 20
"""Bytes: the parser keeps a tag or a comment whole until it ends."""
DEEPEST: Final = 256
"""Elements within each other: a point needs ten."""
POINTS: Final = frozenset({"trkpt", "rtept", "wpt"})
TRACKS: Final = frozenset({"trk", "rte"})
OURS: Final = "urn:ringfence:gpx:1"
"""The namespace of what GPX has no element for."""
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_VALUES: Final = {
    "time": "time",
    "ele": "altitude_m",
    "sat": "satellites",
    "hdop": "hdop",
    # GPX 1.0, and the extensions of Garmin and others, in m/s and degrees from north.
    "speed": "speed_mps",
    "course": "course_deg",
}
_ATTRIBUTES: Final = (
    *("tag", "wearer", "seq", "received", "accuracy_m", "source", "speed_mps", "course_deg"),
    *("battery_pct", "signals", "not_judged", "doubts"),
)
"""What `<report>` in `OURS` says of a point."""
_COLUMNS: Final = ("lat", "lon", "track", *_VALUES.values(), *_ATTRIBUTES)


def gpx_pieces(path: Path, *, everything: bool = False) -> Iterator[Piece]:
    """Read a GPX file; its first point is row 1. The name of a point's track is column `track`.

    Args:
        path: the file.
        everything: also the names of tracks.

    Raises:
        FixesFileError: not GPX, or it has a document type, or tags without an end.
        OSError: the file can't be read.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    first, fed = 1, 0
    with path.open("rb") as file:
        more = True
        while more:
            chunk = file.read(CHUNK)
            more, fed = bool(chunk), fed + len(chunk)
            try:
                parser.Parse(chunk, not more)
            except expat.ExpatError as error:
                why = expat.errors.messages[error.code]
                raise FixesFileError(f"not XML at line {error.lineno}: {why}") from None
            if fed - parser.CurrentByteIndex > LONGEST_TAG:
                raise FixesFileError("not GPX: it has a tag that is longer than 1 MiB")
            if len(reader.points) >= PIECE or not more:
                points, reader.points = reader.points, []
                yield _piece(points, first, everything=everything)
                first += len(points)
    if not reader.is_gpx:
        raise FixesFileError("not GPX: its first element is not <gpx>")


class _Reader:
    """Gathers points as the parser tells of elements; memory is one point and what is gathered."""

    def __init__(self) -> None:
        self.points: list[dict[str, str]] = []
        self.is_gpx: bool | None = None
        self._point: dict[str, str] | None = None
        self._track: str | None = None
        """The name of the track or route that is open; None = none is."""
        self._value: list[str] | None = None
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise FixesFileError(f"it is nested more than {DEEPEST} deep: that is no GPX")
        space, _, name = tag.rpartition(" ")
        if self.is_gpx is None:
            self.is_gpx = name == "gpx"
        if not self.is_gpx:
            raise FixesFileError("not GPX: its first element is not <gpx>")
        if name in POINTS:
            self._point = {"track": self._track or ""}
            self._point.update({k: v for k, v in attributes.items() if k in ("lat", "lon")})
        elif self._point is not None and space == OURS and name == "report":
            self._point.update({k: v for k, v in attributes.items() if k in _ATTRIBUTES})
        elif name in TRACKS:
            self._track = ""
        self._value = [] if name in _VALUES or name == "name" else None

    def text(self, text: str) -> None:
        """Text within an element."""
        if self._value is not None and sum(map(len, self._value)) < LONGEST:
            self._value.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        self._depth -= 1
        name = tag.rpartition(" ")[2]
        said = "".join(self._value or ()).strip()
        if name in POINTS and self._point is not None:
            self.points.append(self._point)
            self._point = None
        elif name in TRACKS:
            self._track = None
        elif name == "name" and self._point is None and self._track is not None:
            self._track = said
        elif self._value is not None and self._point is not None and name in _VALUES:
            self._point.setdefault(_VALUES[name], said)
        self._value = None


def _refuse_document_type(*_: object) -> None:
    raise FixesFileError("it has a document type (<!DOCTYPE …>), which GPX never needs: remove it")


def _piece(points: list[dict[str, str]], first: int, *, everything: bool) -> Piece:
    names = [name for name in _COLUMNS if everything or name != "track"]
    # A point without a position is no point of GPX; only a `signals` column would permit it.
    names = [name for name in names if name != "signals" or any(name in p for p in points)]
    arrays = {name: pa.array([p.get(name, "") for p in points], pa.string()) for name in names}
    return Piece(pa.table(arrays), np.arange(first, first + len(points)), [])


def write_gpx(file: IO[bytes], rows: Iterable[FixRow]) -> None:
    """Write rows that have a position, given tag by tag, a track for each tag.

    The caller leaves out rows without one: GPX has no place for them.
    """
    file.write(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="Ringfence" '
        f'xmlns="http://www.topografix.com/GPX/1/1" xmlns:rf="{OURS}">\n'.encode()
    )
    tag = None
    for row in rows:
        if row.tag != tag:
            end = "" if tag is None else "</trkseg></trk>\n"
            file.write(f"{end}<trk><name>{escape(_xml(row.tag))}</name><trkseg>\n".encode())
            tag = row.tag
        file.write(_point(row).encode())
    file.write(b"</gpx>\n" if tag is None else b"</trkseg></trk>\n</gpx>\n")


def _point(row: FixRow) -> str:
    lat, lon = degrees_text(row.lat_e7 or 0), degrees_text(row.lon_e7 or 0)
    values = (
        ("ele", _decimal(row.altitude_m)),
        ("time", instant_text(row.time_ms)),
        ("sat", "" if row.satellites is None else str(row.satellites)),
        ("hdop", _decimal(row.hdop)),
    )
    said = "".join(f"<{name}>{value}</{name}>" for name, value in values if value)
    ours = {
        "tag": row.tag,
        "wearer": row.wearer,
        "seq": row.seq,
        "received": instant_text(row.received_ms),
        "accuracy_m": row.accuracy_m,
        "source": source_text(row.source),
        "speed_mps": row.speed_mps,
        "course_deg": row.course_deg,
        "battery_pct": row.battery_pct,
        "signals": signals_text(row.signals),
        "not_judged": row.not_judged,
        "doubts": row.doubts,
    }
    told = " ".join(
        f"{k}={quoteattr(_xml(str(v)))}" for k, v in ours.items() if v not in (None, "")
    )
    report = f"<extensions><rf:report {told}/></extensions>"
    return f'<trkpt lat="{lat}" lon="{lon}">{said}{report}</trkpt>\n'


def _xml(text: str) -> str:
    """What XML can hold of a text: a control character in a name would spoil the whole file."""
    return _UNFIT.sub("\ufffd", text)


def _decimal(value: float | None) -> str:
    """A number without an exponent, which GPX's decimals lack, with no digit lost."""
    return "" if value is None else f"{Decimal(repr(value)):f}"
