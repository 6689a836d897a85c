"""`ringfence quarantine …`: what could not be decoded or was nobody's, and decoding it again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.desk.monitoring.quarantine_actions import Redecoded

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Reason = Annotated[str, typer.Option(help="Only what is there for this reason.")]
Door = Annotated[str, typer.Option(help="Only what came at this door.")]
By = Annotated[str, typer.Option(help="For whom: the name of somebody who may sign in.")]
Why = Annotated[str, typer.Option(help="Why; recorded with who.")]
MOST_TOLD = 20


def list_(
    *,
    reason: Reason = "",
    door: Door = "",
    state: Annotated[str, typer.Option(help="open, resolved or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="The latest so many.")] = 100,
    data: Data = None,
) -> None:
    """Count what was set apart by reason, and list the latest; no bytes, since they say places."""
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.kit.clock import from_ms, now
    from ringfence.desk.monitoring.quarantine import STATES, items, tallies

    if state not in STATES:
        _refuse(f"--state {state} is none of {', '.join(STATES)}")
    typer.echo("reason\thour\tday\tall\topen")
    for one in tallies(now()):
        typer.echo(f"{one.reason}\t{one.hour}\t{one.day}\t{one.all}\t{one.open}")
    found = items(reason=reason, door=door, state=state)
    typer.echo("\nid\treceived\tdoor\tpeer\treason\tbytes\ttag\tstate\tdetail")
    for row in found[:limit]:
        at = f"{from_ms(row.received_ms):%Y-%m-%dT%H:%M:%SZ}"
        whose = row.tag.name if row.tag else f"feed {row.feed.name}" if row.feed else "-"
        stands = "resolved" if row.resolved_at else "open"
        told = (row.pk, at, row.door, row.peer, row.reason, row.size, whose, stands, row.detail)
        typer.echo("\t".join(str(part) for part in told))
    rest = found.count() - limit
    if rest > 0:
        typer.echo(f"{rest:,} earlier ones are not shown: give a higher --limit", err=True)


def redecode(
    *,
    by: By,
    why: Why,
    reason: Reason = "",
    door: Door = "",
    tag: Annotated[
        str,
        typer.Option(help="Take in, too, what a stranger's device sent that is this tag's by now."),
    ] = "",
    item: Annotated[int | None, typer.Option("--id", help="Only this one.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and store nothing.")
    ] = False,
    data: Data = None,
) -> None:
    """Decode what was set apart again; what can be used now is stored and judged as late data.

    Exit status: 0 nothing is left of what was asked for, 1 some stays, 2 refused.
    """
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.accounts.on_behalf import UnknownUserError, on_behalf_of
    from ringfence.desk.accounts.permission import NotPermittedError
    from ringfence.desk.accounts.roles import Permission
    from ringfence.desk.audit.actions import MissingReasonError
    from ringfence.desk.cases.queries import tag_by_name
    from ringfence.desk.monitoring.quarantine import items
    from ringfence.desk.monitoring.quarantine_actions import redecode_all

    if tag and tag_by_name(tag) is None:
        _refuse(f"tag {tag} is not recorded: `ringfence tags list` shows those that are")
    asked = items(reason=reason, door=door)
    if item is not None:
        asked = asked.filter(pk=item)
    try:
        actor = on_behalf_of(by, Permission.MANAGE_TAGS, shell=shell_actor())
        stays = _tell(redecode_all(asked, by=actor, why=why, tag=tag, dry_run=dry_run), dry_run)
    except (UnknownUserError, NotPermittedError, MissingReasonError) as error:
        _refuse(str(error))
    raise typer.Exit(1 if stays else 0)


def _tell(outcomes: Iterator[Redecoded], dry_run: bool) -> int:
    """Returns how many stay, in whole or in part."""
    from ringfence.desk.monitoring.quarantine import in_words

    accepted = duplicate = resolved = 0
    stays: Counter[tuple[str, str]] = Counter()
    for done in outcomes:
        accepted += done.accepted
        duplicate += done.duplicate
        if done.reason:
            stays[done.reason, done.detail] += 1
        else:
            resolved += 1
    if dry_run:
        typer.echo(f"{accepted:,} reports would be taken in, unless they are known already")
    else:
        typer.echo(f"{accepted:,} reports stored, {duplicate:,} known already")
    typer.echo(f"{resolved:,} {'would be' if dry_run else 'are'} resolved")
    for (reason, detail), number in stays.most_common(MOST_TOLD):
        typer.echo(f"{number:,} stay: {in_words(reason)}: {detail}")
    if len(stays) > MOST_TOLD:
        typer.echo(f"{len(stays) - MOST_TOLD} more reasons: `ringfence quarantine list`")
    return stays.total()


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
