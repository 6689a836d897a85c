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


def _refuse(faults: list[str]) -> NoReturn:
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(2)
