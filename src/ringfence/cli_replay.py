"""`ringfence replay`: judge an archive again, and say what would differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from ringfence.trail.replaying import Replayed
    from ringfence.trail.replaying_files import Change

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]


Conditions = Annotated[
    Path | None, typer.Argument(help="GeoJSON; with FIXES: judge files, not the data folder.")
]
Fixes = Annotated[Path | None, typer.Argument(help="As `evaluate` takes them.")]
Profile = Annotated[str, typer.Option(help="Judge by this one; default: the one of before.")]
Changed = Annotated[
    Path | None,
    typer.Option("--conditions", help="GeoJSON: instead of those of the same ids, or added."),
]
Without = Annotated[
    list[str] | None, typer.Option(help="Leave this condition out; may be repeated.")
]
Wearer = Annotated[str | None, typer.Option(help="Of this CRN only.")]
Since = Annotated[str | None, typer.Option("--from", help="What lasts at this instant or later.")]
Until = Annotated[str | None, typer.Option("--to", help="What begins before this instant.")]
Signals = Annotated[Path | None, typer.Option(help="Of files: CSV wearer,time,kind.")]
Was = Annotated[str, typer.Option(help="Of files: the profile of before.")]
Decisions = Annotated[
    Path | None, typer.Option(help="Of files: JSON Lines of what was decided before.")
]
By = Annotated[
    str | None, typer.Option(help="Of a data folder: for whom, somebody who may sign in.")
]
Why = Annotated[str, typer.Option(help="Of a data folder: the reason; recorded.")]
Format = Annotated[str, typer.Option("--format", help="text or json.")]


def replay(  # noqa: PLR0913 -- a command's options, each by its name
    conditions: Conditions = None,
    fixes: Fixes = None,
    *,
    profile: Profile = "",
    changed: Changed = None,
    without: Without = None,
    wearer: Wearer = None,
    since: Since = None,
    until: Until = None,
    signals: Signals = None,
    was: Was = "standard",
    decisions: Decisions = None,
    by: By = None,
    why: Why = "",
    format_: Format = "text",
    data: Data = None,
) -> None:
    """Judge an archive again with another profile or other conditions; say what would differ.

    Exit status: 0 nothing differs, 1 something does, 2 the input can't be used.
    """
    from ringfence.trail.instants import InstantError, read_instant
    from ringfence.trail.judging import InputError
    from ringfence.trail.replaying import as_json, as_text
    from ringfence.trail.replaying_files import Change, read_change_conditions, replay_files

    if format_ not in ("text", "json"):
        _refuse([f"--format {format_}: text or json"])
    if (conditions is None) != (fixes is None):
        _refuse(["give both CONDITIONS and FIXES, or neither for what is stored in --data"])
    try:
        rules = read_change_conditions(changed) if changed else ()
        from_at, to_at = (read_instant(at) if at else None for at in (since, until))
        change = Change(profile, rules, tuple(without or ()), wearer, from_at, to_at)
        if conditions is None or fixes is None:
            done = _stored(change, by, why, data)
        else:
            done = replay_files(
                conditions, fixes, change, signals=signals, was=was, decisions=decisions
            )
    except InputError as error:
        _refuse(error.faults)
    except (InstantError, ValueError) as error:
        _refuse([str(error)])
    typer.echo(as_json(done) if format_ == "json" else as_text(done))
    raise typer.Exit(1 if done.differences else 0)


def _stored(change: Change, by: str | None, why: str, data: Path | None) -> Replayed:
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.accounts.on_behalf import on_behalf_of
    from ringfence.desk.accounts.permission import NotPermittedError
    from ringfence.desk.accounts.roles import Permission
    from ringfence.desk.config.replaying import replay_stored

    shell = shell_actor()
    try:
        actor = on_behalf_of(by, Permission.SEE_TRAIL, shell=shell) if by else shell
    except NotPermittedError as error:
        _refuse([str(error)])
    return replay_stored(change, by=actor, why=why)


def _refuse(faults: list[str]) -> NoReturn:
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(2)
