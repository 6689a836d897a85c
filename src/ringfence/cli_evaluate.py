"""`ringfence evaluate` and `ringfence profiles`: judge files, without a database."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.trail.judging import Files, Judgement

SHOWN_REFUSALS = 50
"""So many refused rows are named one by one; the rest is counted by reason."""


def evaluate(
    conditions: Annotated[Path, typer.Argument(help="GeoJSON, one feature a condition.")],
    fixes: Annotated[Path, typer.Argument(help="CSV, Parquet, GPX, GeoJSON or MF-JSON.")],
    *,
    signals: Annotated[Path | None, typer.Option(help="CSV: wearer,time,kind.")] = None,
    profile: Annotated[str, typer.Option(help="See `ringfence profiles`.")] = "standard",
    until: Annotated[
        str | None, typer.Option(help="Judge up to this instant; default: the last in the input.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON Lines; default: standard output.")] = None,
) -> None:
    """Judge fixes from files against conditions; violations come out as JSON Lines.

    Exit status: 0 judged, 2 the input can't be used.
    """
    from ringfence.trail.by_piece import judge_files
    from ringfence.trail.judging import InputError
    from ringfence.trail.violations_file import each_line

    begun = time.perf_counter()
    try:
        with _writing(out) as file:
            files, judgement = judge_files(
                conditions, fixes, signals=signals, profile=profile, until=until
            )
            file.writelines(each_line(judgement.violations))
    except InputError as error:
        for fault in error.faults:
            typer.echo(fault, err=True)
        raise typer.Exit(2) from None
    _name_refusals(files)
    _summarise(files, judgement, time.perf_counter() - begun)


def profiles() -> None:
    """Print every profile's thresholds and their source."""
    from ringfence.engine import PROFILES

    typer.echo("\n\n".join("\n".join(profile.lines()) for profile in PROFILES.values()))


@contextmanager
def _writing(out: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears whole or not at all."""
    if out is None:
        yield sys.stdout
        return
    if out.is_dir():
        typer.echo(f"{out}: is a folder: give --out a file's name", err=True)
        raise typer.Exit(2)
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    except OSError as error:
        typer.echo(f"{out}: {error.strerror}: give --out a folder that can be written", err=True)
        raise typer.Exit(2) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _name_refusals(files: Files) -> None:
    for what, read in (("fixes", files.fixes), ("signals", files.signals)):
        for row, why in read.refused[:SHOWN_REFUSALS]:
            typer.echo(f"{what} row {row} refused: {why}", err=True)
        more = Counter(why for _, why in read.refused[SHOWN_REFUSALS:])
        for why, count in more.most_common(SHOWN_REFUSALS):
            typer.echo(f"{what}: {count:,} more rows refused: {why}", err=True)


def _summarise(files: Files, judgement: Judgement, seconds: float) -> None:
    read = files.fixes.read
    states = Counter(str(v.state) for v in judgement.violations)
    counted = ", ".join(f"{n:,} {state}" for state, n in sorted(states.items()))
    lines = [
        f"fixes read: {read:,}",
        f"refused: {len(files.fixes.refused) + len(files.signals.refused):,}",
        f"wearers: {judgement.wearers:,}",
        f"violations: {len(judgement.violations):,}" + (f" ({counted})" if counted else ""),
        f"seconds: {seconds:.2f}",
        f"fixes per second: {read / seconds:,.0f}",
    ]
    if files.signals.read:
        lines.insert(1, f"signals read: {files.signals.read:,}")
    if judgement.after_until:
        lines.insert(2, f"after --until, not judged: {judgement.after_until:,}")
    if judgement.misdated:
        lines.insert(
            2, f"dated over a year apart from the rest, not judged: {judgement.misdated:,}"
        )
    if files.fixes.victims:
        lines.insert(2, f"victims' devices: {len(files.fixes.victims):,}")
    typer.echo("\n".join(lines), err=True)
