"""A file of fixes as reports of tags that we know, each with the row that it was, or refused."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from ringfence.desk.cases.models import Tag, TagDevice
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.monitoring.gatekeeper import known_tag
from ringfence.desk.monitoring.wearing import Wearing
from ringfence.gateway.codecs import owntracks
from ringfence.gateway.report import FUTURE_MS, KnownTag, MalformedError, Report, seal
from ringfence.trail.fix_row import FixRow, rows_of
from ringfence.trail.instants import InstantError, read_instant
from ringfence.trail.readers import Kind, kind_of, pieces
from ringfence.trail.reports import Reading, to_reports
from ringfence.trail.spellings import our_names
from ringfence.trail.table import FixesFileError, Piece, Refusal

LONGEST_LINE: Final = 1 << 20
PIECE: Final = 4096
NO_TAG: Final = (
    "no column says whose tag a row is: give --tag TAG if all are one tag's, or --tags-column NAME"
)


class Found(NamedTuple):
    """One row of a file that can be stored."""

    row: int
    tag: KnownTag
    received_ms: int | None
    """As the file says; None = when it is imported."""
    report: Report
    raw: tuple[Any, ...]
    """The row as it stands in the file: its number and its fields."""


class FoundPiece(NamedTuple):
    """Part of a file."""

    names: tuple[str, ...]
    """What the fields of `Found.raw` are called in the file."""
    found: list[Found]
    refused: list[Refusal]
    noted: list[Refusal]
    """Rows that are among `found`, with what was decided about them."""
    empty: int = 0
    """Messages that say nothing of where a tag was, such as a phone's farewell."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person said of the file."""

    reading: Reading
    tag: Tag | None = None
    """Whose all rows are; None = a column says."""


def found_rows(path: Path, choice: Choice) -> Iterator[FoundPiece]:
    """Read a file a piece at a time.

    Raises:
        FixesFileError: the file can't be used at all; says what to do.
        OSError: the file can't be read.
    """
    known = _Known(choice.tag)
    if kind_of(path) is Kind.OWNTRACKS:
        yield from _recorded(path, known)
        return
    for piece in pieces(path, everything=True):
        yield _of_piece(piece, choice.reading, known)


class _Known:
    """Which tags there are and who wore them; why a row can't be theirs."""

    def __init__(self, only: Tag | None) -> None:
        self.only = known_tag(only) if only else None
        self._by_name = _tags_by_name()
        self._wearing = Wearing()
        self._now_ms = to_ms(now())
        self._one: dict[str, str] = {}
        """The first device and wearer named, where all rows must be one tag's."""

    def tag(self, row: FixRow) -> KnownTag | str:
        """Whose the row is, or why it is nobody's.

        Raises:
            FixesFileError: the file is of several, and all of it is said to be one tag's.
        """
        if self.only is not None:
            named = self._by_name.get(row.tag)
            if named is None:
                self._of_one(row)
            elsewhere = named is not None and named.id != self.only.id
            return "it names another tag than --tag: leave --tag out" if elsewhere else self.only
        if not row.tag:
            return "no tag: say whose report this is"
        why = "its tag is not recorded: `ringfence tags add` records one, `tags list` shows all"
        return self._by_name.get(row.tag, why)

    def _of_one(self, row: FixRow) -> None:
        for kind, name in (("device", row.tag), ("wearer", row.wearer)):
            if name and self._one.setdefault(kind, name) != name:
                raise FixesFileError(
                    "its rows are of several devices or people, who can't all be one tag: give "
                    "--tags-column instead of --tag, or a file for each"
                )

    def doubt(self, tag: KnownTag, row: FixRow) -> str:
        """Why a row may not be stored as this tag's; empty = it may."""
        if row.received_ms is not None and row.received_ms > self._now_ms + FUTURE_MS:
            return "received is later than now: correct it, or leave it out"
        if row.wearer in self._wearing.crns:
            worn_by = self._wearing.crn(tag.id, row.time_ms)
            if worn_by not in ("", row.wearer):
                return "its tag was on another wearer at that time: correct the fitting or the row"
        return ""


def _tags_by_name() -> dict[str, KnownTag]:
    """Every tag by its name and by its devices' ids; a name goes before a like id."""
    tags = {i: KnownTag(i, n) for i, n in Tag.objects.values_list("id", "name")}
    of_device: dict[str, set[int]] = defaultdict(set)
    for device, tag_id in TagDevice.objects.values_list("device_id", "tag_id"):
        of_device[device].add(tag_id)
    # Two protocols may have the same id for two tags: then it says neither.
    known = {device: tags[ids.pop()] for device, ids in of_device.items() if len(ids) == 1}
    return known | {tag.name: tag for tag in tags.values()}


def _of_piece(piece: Piece, reading: Reading, known: _Known) -> FoundPiece:
    reports = to_reports(piece, reading)
    names = [str(name) for name in piece.table.column_names]
    if known.only is None and reading.tags_column is None and "tag" not in our_names(names):
        raise FixesFileError(NO_TAG)
    raw = _raw_rows(piece, reports.numbers.tolist())
    found, refused = [], reports.refused
    told = zip(reports.numbers.tolist(), rows_of(reports.table), raw, strict=True)
    for number, row, fields in told:
        tag = known.tag(row)
        why = tag if isinstance(tag, str) else known.doubt(tag, row)
        if isinstance(tag, str) or why:
            refused.append(Refusal(number, why))
        else:
            found.append(Found(number, tag, row.received_ms, sealed(row), fields))
    gone = {number for number, _ in refused}
    noted = [note for note in reports.noted if note.row not in gone]
    return FoundPiece(("row", *names), found, sorted(refused), noted)


def sealed(row: FixRow) -> Report:
    """The report that a row of a file comes to."""
    return seal(
        (
            row.seq,
            row.time_ms,
            row.lat_e7,
            row.lon_e7,
            row.accuracy_m,
            row.source,
            row.speed_mps,
            row.course_deg,
            row.altitude_m,
            row.satellites,
            row.hdop,
            row.battery_pct,
            row.signals,
        )
    )


def _raw_rows(piece: Piece, wanted: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """The rows of these numbers as they stand in the file."""
    columns = [column.to_pylist() for column in piece.table.columns]
    keep = set(wanted)
    for number, *fields in zip(piece.numbers.tolist(), *columns, strict=True):
        if number in keep:
            yield (number, *fields)


def _recorded(path: Path, known: _Known) -> Iterator[FoundPiece]:
    """The OwnTracks recorder's lines: when it was received, a topic, the message."""
    if known.only is None:
        raise FixesFileError("an OwnTracks recording names no tag: give --tag TAG")
    with path.open("rb") as file:
        lines = enumerate(iter(partial(file.readline, LONGEST_LINE), b""), 1)
        while part := list(islice(lines, PIECE)):
            piece = FoundPiece(("row", "line"), [], [], [])
            empty = 0
            for number, line in part:
                try:
                    found = _recorded_line(number, line, known.only)
                except _UnusableError as error:
                    piece.refused.append(Refusal(number, str(error)))
                    continue
                why = known.doubt(found.tag, _bare(found)) if found else ""
                if why:
                    piece.refused.append(Refusal(number, why))
                elif found:
                    piece.found.append(found)
                else:
                    empty += bool(line.strip())
            yield piece._replace(empty=empty)


class _UnusableError(Exception):
    """A line that can't be used; the text says why."""


def _recorded_line(number: int, line: bytes, tag: KnownTag) -> Found | None:
    """The fix of a line; None = it holds none."""
    if not line.strip():
        return None
    fields = line.rstrip(b"\r\n").split(b"\t", 2)
    if len(fields) != 3:
        raise _UnusableError("not a line of a recording: instant, topic, message, between tabs")
    try:
        received_ms = to_ms(read_instant(fields[0].decode("ascii", "replace")))
        decoded = owntracks.decode(fields[2], tag.box)
    except InstantError:
        raise _UnusableError("its first field is no instant such as 2026-03-01T10:02:00Z") from None
    except MalformedError as error:
        raise _UnusableError(str(error)) from None
    if decoded.refused:
        raise _UnusableError(decoded.refused[0].why)
    raw = (number, line.decode("utf-8", "replace").rstrip("\r\n"))
    return Found(number, tag, received_ms, decoded.reports[0], raw) if decoded.reports else None


def _bare(found: Found) -> FixRow:
    return FixRow("", "", None, found.report.time_ms, found.received_ms, None, None)


def raw_lines(names: tuple[str, ...], found: Sequence[Found]) -> bytes:
    """The evidence under reports: JSON Lines, first what the fields are called, then each row."""
    lines = [names, *(one.raw for one in found)]
    return "\n".join(
        json.dumps(line, ensure_ascii=False, default=_plain) for line in lines
    ).encode()


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
