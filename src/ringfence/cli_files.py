"""`ringfence import …` and `ringfence export …`: files in and out of a data folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Out = Annotated[Path, typer.Option(help="The file to write; it appears whole or not at all.")]


def import_conditions(
    file: Annotated[Path, typer.Argument(help="GeoJSON, one feature a condition.")],
    *,
    data: Data = None,
) -> None:
    """Record the conditions of a file, with the wearers and orders that they need."""
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.cases.loading import LoadError, load_conditions
    from ringfence.trail.conditions_file import ConditionsFileError

    try:
        collection = json.loads(file.read_text(encoding="utf-8-sig"))
        loaded = load_conditions(collection, by=shell_actor())
    except OSError as error:
        _refuse([f"{file}: {error.strerror}"])
    except ValueError as error:
        if isinstance(error, (ConditionsFileError, LoadError)):
            _refuse(error.faults)
        _refuse([f"{file}: not JSON: {error}"])
    else:
        typer.echo(
            f"{loaded.conditions} conditions recorded, {loaded.known} known already; "
            f"{loaded.wearers} wearers and {loaded.orders} orders added"
        )


def export_violations(
    *,
    out: Out,
    wearer: Annotated[str | None, typer.Option(help="Of this CRN only.")] = None,
    data: Data = None,
) -> None:
    """Write what the engine found as JSON Lines, as `ringfence evaluate` does."""
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.cases.queries import wearer_by_crn
    from ringfence.desk.config.exporting import export_violations as export

    if wearer is not None and wearer_by_crn(wearer) is None:
        _refuse([f"wearer {wearer}: not recorded: check the CRN"])
    try:
        count = export(out, by=shell_actor(), crn=wearer)
    except OSError as error:
        _refuse([f"{out}: {error.strerror}: give --out a folder that can be written"])
    typer.echo(f"{count} violations in {out}", err=True)


def export_fixes(
    *,
    out: Out,
    tag: Annotated[str | None, typer.Option(help="Of this tag only.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Not earlier than this instant.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Earlier than this instant.")] = None,
    data: Data = None,
) -> None:
    """Write the stored reports as CSV, also while the platform runs."""
    from ringfence.desk.config.opening import open_desk, shell_actor
    from ringfence.trail.instants import InstantError, read_instant

    try:
        from_at = read_instant(since) if since else None
        to_at = read_instant(until) if until else None
    except InstantError as error:
        _refuse([str(error)])
    open_desk(data)

    from ringfence.desk.cases.queries import tag_by_name
    from ringfence.desk.monitoring.exporting import export_fixes as export

    row = tag_by_name(tag) if tag else None
    if tag and row is None:
        _refuse([f"tag {tag} is not recorded: `ringfence tags list` shows those that are"])
    try:
        count = export(out, by=shell_actor(), tag=row, from_at=from_at, to_at=to_at)
    except OSError as error:
        _refuse([f"{out}: {error.strerror}: give --out a folder that can be written"])
    typer.echo(f"{count:,} reports in {out}", err=True)


def _refuse(faults: list[str]) -> NoReturn:
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(2)
