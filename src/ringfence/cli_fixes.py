"""`ringfence import fixes` and `ringfence export fixes`: recorded trails in and out."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ringfence.cli_files import Data, Out
from ringfence.cli_import import Options, known_tag, run

if TYPE_CHECKING:
    from ringfence.desk.monitoring.exporting import Withheld
    from ringfence.trail.writers import Format, Written


def import_fixes(  # noqa: PLR0913 -- a command's options, each by its name
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="CSV, Parquet, GPX, GeoJSON, MF-JSON, an OwnTracks recording, or the Ministry's "
            "position rows.",
        ),
    ],
    *,
    tag: Annotated[str | None, typer.Option(help="All rows are this tag's.")] = None,
    tags_column: Annotated[
        str | None,
        typer.Option(help="The column that names the tags; default: tag, or the device id."),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(help="The zone of times that say none: Europe/London, UTC. Never guessed."),
    ] = None,
    twice: Annotated[
        str,
        typer.Option(help="Local times that happen twice, in autumn: refuse, first or second."),
    ] = "refuse",
    reason: Annotated[str, typer.Option(help="Why; recorded.", show_default=False)] = "",
    errors: Annotated[
        Path | None, typer.Option(help="Write every refused row here: CSV file, row, reason.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")
    ] = False,
    data: Data = None,
) -> None:
    """Take recorded fixes in as reports of tags, each once; they are judged as late data is.

    Exit status: 0 every row is in, 1 some were refused, 2 nothing could be used.
    """
    options = Options(
        tag=tag,
        tags_column=tags_column,
        zone=zone,
        twice=twice,
        reason=reason,
        errors=errors,
        dry_run=dry_run,
    )
    raise typer.Exit(run(files, options, data))


def export_fixes(
    *,
    out: Out,
    tag: Annotated[str | None, typer.Option(help="Of this tag only.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Not earlier than this instant.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Earlier than this instant.")] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, parquet, geoparquet, gpx or mf-json; default: as the file is called.",
        ),
    ] = None,
    geo: Annotated[
        bool, typer.Option("--geo", help="A .parquet file with points: GeoParquet.")
    ] = False,
    victims: Annotated[
        bool, typer.Option("--victims", help="Also what victims' devices reported; recorded.")
    ] = False,
    data: Data = None,
) -> None:
    """Write the stored reports to a file, also while the platform runs."""
    from ringfence.desk.config.opening import open_desk, shell_actor

    from_at, to_at = _instants(since, until)
    what = _format(out, format_, geo=geo)
    open_desk(data)

    from ringfence.desk.monitoring.exporting import export_fixes as export

    ours, by = known_tag(tag) if tag else None, shell_actor()
    chosen = partial(export, tag=ours, from_at=from_at, to_at=to_at, victims=victims)
    try:
        written, withheld = chosen(out, by=by, format_=what)
    except OSError as error:
        _refuse(f"{out}: {error.strerror}: give --out a folder that can be written")
    _tell(out, what, written, withheld)


def _instants(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    from ringfence.trail.instants import InstantError, read_instant

    try:
        return read_instant(since) if since else None, read_instant(until) if until else None
    except InstantError as error:
        _refuse(str(error))


def _format(out: Path, name: str | None, *, geo: bool) -> Format:
    from ringfence.trail.writers import FormatError, format_of

    try:
        return format_of(out, name, geo=geo)
    except FormatError as error:
        _refuse(str(error))


def _tell(out: Path, what: Format, written: Written, withheld: Withheld) -> None:
    """What is in the file, and what is not."""
    typer.echo(f"{written.rows:,} reports in {out}", err=True)
    if written.left_out:
        typer.echo(
            f"{written.left_out:,} reports without a position are not in a {what.label}: "
            "csv, parquet and mf-json hold them too",
            err=True,
        )
    if withheld.victims:
        typer.echo(
            f"{withheld.victims:,} reports of victims' devices are not in it: --victims takes "
            "them out, too",
            err=True,
        )


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
