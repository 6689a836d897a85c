"""Takes files of fixes in: looked through first, then stored as a door stores reports.

A file is read twice. The first pass finds what can't be used, before anything is written; the
second stores, some reports a transaction. Killed midway, it is run again: what is stored already
is counted as such and not stored twice.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Final

import numpy as np
from django.db.models import Max

from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.audit.models import Entry
from ringfence.desk.kit import bell
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.monitoring.import_rows import Choice, Found, FoundPiece, found_rows, raw_lines
from ringfence.desk.monitoring.models import IMPORT_DOOR, Cursor, Report
from ringfence.desk.monitoring.queries import STAGE
from ringfence.desk.monitoring.storing import store
from ringfence.desk.monitoring.wearing import Wearing
from ringfence.gateway.report import FUTURE_MS, Delivery, KnownTag, kept_digest
from ringfence.trail.table import FixesFileError, Refusal

GROUP: Final = 1000
"""Reports in one transaction, and most rows under one frame: some 20 ms for a gateway to wait."""
MOST_UNJUDGED: Final = 10_000
"""Beyond so many reports that detection has not read, an import waits: live ones queue behind."""
IDLE_S: Final = 3.0
"""Detection that has not moved for so long is not running."""
Advance = Callable[[int], None]
Tell = Callable[[Refusal], None]


class NoReasonError(ValueError):
    """Nobody said why a file is taken in."""


@dataclass(slots=True)
class Look:
    """What a file holds."""

    sha256: str
    stamp: tuple[int, int]
    """The file's size and when it was last written, to notice that it changes meanwhile."""
    usable: int = 0
    refused: int = 0
    noted: int = 0
    """Usable rows of which something had to be decided: told like refused ones."""
    empty: int = 0
    new: int | None = None
    """How many would be stored; None = not asked."""
    future: int = 0
    nobodys: int = 0
    """Kept and not judged, as of any door: dated after their receipt; on nobody at their time."""
    tags: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import."""

    accepted: int
    duplicate: int
    """Stored before, or twice in the file."""


def look(
    path: Path, choice: Choice, *, tell: Tell, advance: Advance, compare: bool = False
) -> Look:
    """Read all of a file and write nothing.

    Args:
        path: the file.
        choice: what a person said of it.
        tell: is told of each row that is refused, or taken with something decided.
        advance: is told of rows as they are read.
        compare: find out, too, how many are new.

    Raises:
        FixesFileError: the file can't be used at all; says what to do.
        OSError: the file can't be read.
    """
    stamp = _stamp(path)
    with path.open("rb") as file:
        seen = Look(file_digest(file, "sha256").hexdigest(), stamp)
    wearing, at_ms = Wearing(), to_ms(now())
    fresh = []
    for piece in found_rows(path, choice):
        for told in (*piece.refused, *piece.noted):
            tell(told)
        seen.refused += len(piece.refused)
        seen.noted += len(piece.noted)
        seen.usable += len(piece.found)
        seen.empty += piece.empty
        seen.tags |= {found.tag.id for found in piece.found}
        kept = Counter(_kept_apart(found, wearing, at_ms) for found in piece.found)
        seen.future += kept["future"]
        seen.nobodys += kept["nobody"]
        if compare:
            fresh.append(_not_stored(piece.found, at_ms))
        advance(len(piece.found) + len(piece.refused))
    if compare:
        seen.new = len(np.unique(np.concatenate(fresh))) if fresh else 0
    return seen


def import_fixes(
    path: Path, choice: Choice, seen: Look, *, by: Actor, reason: str, advance: Advance
) -> Imported:
    """Store what `look` found usable, each report once; judged as late data by the same stage.

    Args:
        path: the file.
        choice: as it was looked at.
        seen: what was found.
        by: who takes it in.
        reason: why; recorded before anything is stored.
        advance: is told of reports as they are stored.

    Raises:
        NoReasonError: the reason is empty.
        FixesFileError: the file changed meanwhile; what was stored before stays.
        django.db.Error: what was stored before stays; run it again.
    """
    _refuse_changed(path, seen)
    _begin(by, reason, seen)
    accepted = duplicate = 0
    pace = _Pace()
    received_ms = to_ms(now())
    for piece in found_rows(path, choice):
        for group in _groups(piece, seen.sha256, received_ms):
            began_s = time.monotonic()
            receipts = store(group)
            accepted += sum(r.accepted for r in receipts)
            duplicate += sum(r.duplicate for r in receipts)
            bell.ring()
            advance(sum(len(delivery.reports) for delivery in group))
            pace.give_way(time.monotonic() - began_s)
    _refuse_changed(path, seen)
    done = Imported(accepted, duplicate)
    _end(by, reason, seen, done)
    return done


def _stamp(path: Path) -> tuple[int, int]:
    """Size and last change of a file that can be read twice."""
    found = path.stat()
    if not path.is_file() and not path.is_dir():
        raise FixesFileError("is read twice, which a pipe can't be: write it to a file first")
    return found.st_size, found.st_mtime_ns


def _refuse_changed(path: Path, seen: Look) -> None:
    if _stamp(path) != seen.stamp:
        raise FixesFileError("it changed while it was read: run the same command again")


def unfinished(sha256: str) -> bool:
    """Whether an import of this very file was begun and not ended: killed, or still under way."""
    events = Entry.objects.filter(subject=_subject(sha256)).order_by("-id").values_list("event")
    return events.first() == (Event.FIXES_IMPORT_BEGUN,)


@action
def _begin(by: Actor, reason: str, seen: Look) -> None:
    actor = permitted(by, Permission.MANAGE_TAGS)
    if not reason.strip():
        raise NoReasonError("say why with --reason: it is recorded with who took the file in")
    record(
        by=actor,
        event=Event.FIXES_IMPORT_BEGUN,
        subject=_subject(seen.sha256),
        reason=reason.strip(),
        detail={
            "sha256": seen.sha256,
            "usable": seen.usable,
            "refused": seen.refused,
            "tags": sorted(seen.tags),
        },
    )


@action
def _end(by: Actor, reason: str, seen: Look, done: Imported) -> None:
    record(
        by=permitted(by, Permission.MANAGE_TAGS),
        event=Event.FIXES_IMPORTED,
        subject=_subject(seen.sha256),
        reason=reason.strip(),
        detail={
            "sha256": seen.sha256,
            "accepted": done.accepted,
            "duplicate": done.duplicate,
            "refused": seen.refused,
        },
    )


def _subject(sha256: str) -> str:
    return f"file:{sha256[:32]}"


def _groups(piece: FoundPiece, sha256: str, received_ms: int) -> Iterator[list[Delivery]]:
    """Deliveries, `GROUP` reports a transaction; each is of one tag and one instant of receipt."""
    for start in range(0, len(piece.found), GROUP):
        frames: dict[tuple[KnownTag, int], list[Found]] = defaultdict(list)
        for found in piece.found[start : start + GROUP]:
            at_ms = received_ms if found.received_ms is None else found.received_ms
            frames[found.tag, at_ms].append(found)
        yield [
            # The file's hash stands where a door notes who was at the other end.
            Delivery(
                tag,
                IMPORT_DOOR,
                sha256,
                raw_lines(piece.names, rows),
                at_ms,
                [r.report for r in rows],
            )
            for (tag, at_ms), rows in frames.items()
        ]


def _kept_apart(found: Found, wearing: Wearing, at_ms: int) -> str:
    received_ms = at_ms if found.received_ms is None else found.received_ms
    if found.report.time_ms > received_ms + FUTURE_MS:
        return "future"
    of_tag = found.tag.id, found.report.time_ms
    return "" if wearing.crn(*of_tag) or wearing.is_victims(*of_tag) else "nobody"


def _not_stored(found: list[Found], at_ms: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A number for each report that is not stored yet; equal reports have the same."""
    times: dict[int, list[int]] = defaultdict(list)
    for one in found:
        times[one.tag.id].append(one.report.time_ms)
    stored: set[tuple[int, int, int]] = set()
    for tag_id, of_tag in times.items():
        for start in range(0, len(of_tag), GROUP):
            # Not by digest, too: the database would try each of them with each time.
            rows = Report.objects.filter(tag_id=tag_id, time_ms__in=of_tag[start : start + GROUP])
            stored |= set(rows.values_list("tag_id", "time_ms", "digest"))
    keys = [(f.tag.id, f.report.time_ms, _kept_digest(f, at_ms)) for f in found]
    return np.array([hash(key) for key in keys if key not in stored], np.int64)


def _kept_digest(found: Found, at_ms: int) -> int:
    return kept_digest(found.report, at_ms if found.received_ms is None else found.received_ms)


class _Pace:
    """Lets live reports through: a gateway writes into the pauses, and detection keeps up."""

    def __init__(self) -> None:
        self._idle_at: int | None = None
        """Where detection stood when it was found not to run."""

    def give_way(self, took_s: float) -> None:
        """Rest as long as the last transaction took, and while too much waits to be judged."""
        time.sleep(took_s)
        moved_s, before = time.monotonic(), _judged_up_to()
        while before != self._idle_at and _latest_report() - before > MOST_UNJUDGED:
            time.sleep(0.1)
            position = _judged_up_to()
            if position != before:
                moved_s, before = time.monotonic(), position
            elif time.monotonic() - moved_s > IDLE_S:
                self._idle_at = position


def _judged_up_to() -> int:
    position = Cursor.objects.filter(stage=STAGE).values_list("position", flat=True).first()
    return position or 0


def _latest_report() -> int:
    return Report.objects.aggregate(last=Max("id"))["last"] or 0
