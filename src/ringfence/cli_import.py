"""What `ringfence import fixes` does and says: file by file, looked through and then stored."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.desk.cases.models import Tag as TagRow
    from ringfence.desk.monitoring.import_rows import Choice
    from ringfence.desk.monitoring.importing import Look
    from ringfence.trail.table import Refusal

SHOWN = 20
"""So many refused rows of a file are named one by one; the rest is counted by reason."""
ALL_IN, SOME_REFUSED, NOTHING_USABLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked for."""

    tag: str | None
    tags_column: str | None
    zone: str | None
    twice: str
    reason: str
    errors: Path | None
    dry_run: bool


def run(files: list[Path], options: Options, data: Path | None) -> int:
    """Import the files one after the other; returns the exit status."""
    from ringfence.desk.config.opening import open_desk

    if not options.reason.strip() and not options.dry_run:
        return _refuse("say why with --reason: it is recorded with who took the file in")
    if options.tag and options.tags_column:
        return _refuse("--tag and --tags-column exclude each other: give one of them")
    open_desk(data)

    from ringfence.trail.wall_clock import ZoneError

    try:
        choice = _choice(options)
        with _error_report(options.errors) as write:
            states = [_one(path, choice, options, write) for path in files]
    except ZoneError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{options.errors}: {error.strerror}: give --errors a file to be written")
    if set(states) == {NOTHING_USABLE}:
        return NOTHING_USABLE
    return max(min(state, SOME_REFUSED) for state in states)


def _choice(options: Options) -> Choice:
    from ringfence.desk.monitoring.import_rows import Choice
    from ringfence.trail.reports import Reading
    from ringfence.trail.wall_clock import Twice, WallClock, ZoneError

    try:
        twice = Twice(options.twice)
    except ValueError:
        raise ZoneError("--twice is none of refuse, first, second") from None
    clock = WallClock.of(options.zone, twice) if options.zone else None
    reading = Reading(clock, options.tags_column)
    return Choice(reading, known_tag(options.tag) if options.tag else None)


@dataclass(slots=True)
class _Told:
    """The rows of one file that something must be said of."""

    path: Path
    write: Callable[[tuple[str, int, str]], Any] | None
    shown: int = 0
    more: Counter[str] = field(default_factory=Counter)

    def __call__(self, refusal: Refusal) -> None:
        row, why = refusal
        if self.write:
            self.write((str(self.path), row, why))
        elif self.shown < SHOWN:
            self.shown += 1
            typer.echo(f"{self.path} row {row}: {why}", err=True)
        else:
            self.more[why] += 1

    def end(self) -> None:
        for why, count in self.more.most_common():
            typer.echo(f"{self.path}: {count:,} more rows: {why}", err=True)
        if self.more:
            typer.echo(f"{self.path}: --errors FILE lists each of them", err=True)


def _one(path: Path, choice: Choice, options: Options, write: Callable[..., Any] | None) -> int:
    from django.db import DatabaseError

    from ringfence.desk.monitoring.importing import look
    from ringfence.trail.table import FixesFileError

    told = _Told(path, write)
    try:
        with _progress(f"looking through {path.name}") as advance:
            seen = look(path, choice, tell=told, advance=advance, compare=options.dry_run)
        told.end()
        if seen.usable:
            _store(path, choice, seen, options)
    except FixesFileError as error:
        return _refuse(f"{path}: {error}")
    except OSError as error:
        return _refuse(f"{path}: {error.strerror or 'can not be read'}")
    except DatabaseError as error:
        typer.echo(
            f"{path}: the database can't be written ({error}): what was stored before stays; run "
            "the same command again, and the rest goes in",
            err=True,
        )
        return SOME_REFUSED
    _say_what_is_left(path, seen)
    if seen.refused:
        return SOME_REFUSED if seen.usable else NOTHING_USABLE
    return ALL_IN


def _store(path: Path, choice: Choice, seen: Look, options: Options) -> None:
    from ringfence.desk.config.opening import shell_actor
    from ringfence.desk.monitoring.importing import import_fixes, unfinished

    if options.dry_run:
        typer.echo(
            f"{path}: {seen.new:,} reports would be stored, {seen.usable - (seen.new or 0):,} "
            f"are known already; nothing was written"
        )
        return
    if unfinished(seen.sha256):
        typer.echo(
            f"{path}: an earlier import of this file did not end: going on; what it stored counts "
            "as known",
            err=True,
        )
    with _progress(f"storing {path.name}", seen.usable) as advance:
        done = import_fixes(
            path, choice, seen, by=shell_actor(), reason=options.reason, advance=advance
        )
    typer.echo(f"{path}: {done.accepted:,} reports stored, {done.duplicate:,} known already")


def _say_what_is_left(path: Path, seen: Look) -> None:
    for count, what in (
        (seen.refused, "rows refused"),
        (seen.noted, "rows taken with a time that happened twice"),
        (seen.empty, "messages without a fix"),
        (seen.future, "reports dated after their receipt: kept, not judged"),
        (seen.nobodys, "reports of a time at which nobody wore the tag: kept, not judged"),
    ):
        if count:
            typer.echo(f"{path}: {count:,} {what}", err=True)
    if not (seen.usable or seen.refused):
        typer.echo(f"{path}: no rows in it", err=True)


@contextmanager
def _progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; nowhere else."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.advance(task, rows)


@contextmanager
def _error_report(path: Path | None) -> Iterator[Callable[[tuple[str, int, str]], Any] | None]:
    """A CSV file of refused rows, which appears whole or not at all; it never says where."""
    if path is None:
        yield None
        return
    from ringfence.trail.csv_cells import quoted

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("file", "row", "reason"))
            yield lambda row: writer.writerow((quoted(row[0]), row[1], quoted(row[2])))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def known_tag(name: str) -> TagRow:
    """The tag of this name, or the command ends with what to do."""
    from ringfence.desk.cases.queries import tag_by_name

    row = tag_by_name(name)
    if row is None:
        typer.echo(
            f"tag {name} is not recorded: `ringfence tags list` shows those that are", err=True
        )
        raise typer.Exit(NOTHING_USABLE)
    return row


def _refuse(why: str) -> int:
    typer.echo(why, err=True)
    return NOTHING_USABLE
