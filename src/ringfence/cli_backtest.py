"""`ringfence backtest`: how often would this zone have alerted, when and for what?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from ringfence.engine import Backtest, Condition, Profile

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]


def backtest(  # noqa: PLR0913 -- a command's options, each by its name
    zone_file: Annotated[Path, typer.Argument(metavar="ZONE", help="GeoJSON, as `evaluate`.")],
    fixes: Annotated[
        Path | None, typer.Argument(help="As `evaluate` takes them; default: the data folder.")
    ] = None,
    *,
    zone: Annotated[str | None, typer.Option(help="The id of the one, if there are more.")] = None,
    wearer: Annotated[str | None, typer.Option(help="Whose trail: a CRN.")] = None,
    days: Annotated[float, typer.Option(min=0.01, help="How many days back.")] = 30.0,
    until: Annotated[str | None, typer.Option(help="From this instant; default: the last.")] = None,
    profile: Annotated[str, typer.Option(help="See `ringfence profiles`.")] = "standard",
    by: Annotated[
        str | None, typer.Option(help="Of a data folder: for whom, somebody who may sign in.")
    ] = None,
    why: Annotated[str, typer.Option(help="Of a data folder: the reason; recorded.")] = "",
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    data: Data = None,
) -> None:
    """Try a zone that was never imposed on a trail: how often, when and for what it would alert.

    Exit status: 0 tried, 2 the input can't be used.
    """
    from ringfence.engine import backtest as tried
    from ringfence.engine import find_profile
    from ringfence.trail.backtest_files import at_ms, read_trails, read_zone
    from ringfence.trail.backtest_report import as_json, as_text
    from ringfence.trail.instants import InstantError, read_instant
    from ringfence.trail.judging import InputError

    if format_ not in ("text", "json"):
        _refuse([f"--format {format_}: text or json"])
    try:
        rule, law = read_zone(zone_file, zone), find_profile(profile)
        until_at = read_instant(until) if until else None
        if fixes is None:
            done = _stored(rule, wearer, (by, why), (days, until_at, law), data)
        else:
            trails = read_trails(fixes, days=days, wearer=wearer, until_ms=at_ms(until_at))
            done = tried(rule, trails, profile=law)
    except InputError as error:
        _refuse(error.faults)
    except (InstantError, ValueError) as error:
        _refuse([str(error)])
    typer.echo(as_json(done) if format_ == "json" else as_text(done))


def _stored(
    rule: Condition,
    crn: str | None,
    asker: tuple[str | None, str],
    span: tuple[float, datetime | None, Profile],
    data: Path | None,
) -> Backtest:
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.accounts.on_behalf import on_behalf_of
    from ringfence.desk.accounts.permission import NotPermittedError
    from ringfence.desk.accounts.roles import Permission
    from ringfence.desk.cases.queries import wearer_by_crn
    from ringfence.desk.config.backtesting import backtest_stored

    (by, why), (days, until_at, law), shell = asker, span, shell_actor()
    wearer = wearer_by_crn(crn) if crn else None
    if wearer is None:
        raise ValueError(f"--wearer {crn or ''}: not recorded: name the CRN whose trail it is")
    try:
        actor = on_behalf_of(by, Permission.SEE_TRAIL, shell=shell) if by else shell
    except NotPermittedError as error:
        raise ValueError(str(error)) from None
    return backtest_stored(
        rule, wearer, by=actor, why=why, days=days, until_at=until_at, profile=law
    )


def _refuse(faults: list[str]) -> NoReturn:
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(2)
