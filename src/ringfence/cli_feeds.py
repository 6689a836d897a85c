"""`ringfence feeds …`: other platforms that pass on what their devices said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from ringfence.desk.cases.models import Feed as FeedRow

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Feed = Annotated[str, typer.Argument(help="The feed's name.")]
Tags = Annotated[list[str], typer.Argument(help="Tags by name: the devices' uniqueId in Traccar.")]


def add(feed: Feed, *, data: Data = None) -> None:
    """Record a feed and print its token, this once; it is kept only as a hash."""
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.cases.feed_actions import add_feed

    try:
        _, token = add_feed(by=shell_actor(), name=feed)
    except CaseError as error:
        _refuse(str(error))
    _show_token(feed, token)


def list_(*, data: Data = None) -> None:
    """List all feeds and the tags that they speak for; no tokens, since only hashes are kept."""
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.cases.models import Feed as FeedRow

    typer.echo("feed\tstate\ttags")
    for row in FeedRow.objects.order_by("name"):
        names = row.tags.order_by("name").values_list("name", flat=True)
        state = "revoked" if row.revoked_at else "valid"
        typer.echo(f"{row.name}\t{state}\t{' '.join(names) or '-'}")


def bind(feed: Feed, tags: Tags, *, data: Data = None) -> None:
    """Let a feed speak for tags: all of them, or none if one can't be bound."""
    row = _known(feed, data)

    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.cases.feed_actions import bind_tag
    from ringfence.desk.cases.queries import tag_by_name
    from ringfence.desk.config.opening import shell_actor
    from ringfence.desk.kit.acting import action

    @action
    def bind_all() -> None:
        for name in tags:
            tag = tag_by_name(name)
            if tag is None:
                raise CaseError(f"tag {name} is not recorded: add it with `ringfence tags add`")
            bind_tag(by=shell_actor(), feed=row, tag=tag)

    try:
        bind_all()
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"feed {feed} speaks for {', '.join(tags)}", err=True)


def unbind(tags: Tags, *, data: Data = None) -> None:
    """Let no feed speak for tags any more, within seconds: all of them, or none."""
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.cases.feed_actions import unbind_tag
    from ringfence.desk.cases.queries import tag_by_name
    from ringfence.desk.kit.acting import action

    @action
    def unbind_all() -> None:
        for name in tags:
            tag = tag_by_name(name)
            if tag is None:
                raise CaseError(f"tag {name} is not recorded: `ringfence tags list` shows them")
            unbind_tag(by=shell_actor(), tag=tag)

    try:
        unbind_all()
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"no feed speaks for {', '.join(tags)}", err=True)


def rotate(feed: Feed, *, data: Data = None) -> None:
    """Give a feed a new token, printed this once; the old one is refused within seconds."""
    row = _known(feed, data)

    from ringfence.desk.cases.feed_actions import rotate_feed_token
    from ringfence.desk.config.opening import shell_actor

    _show_token(feed, rotate_feed_token(by=shell_actor(), feed=row))


def revoke(
    feed: Feed, *, reason: Annotated[str, typer.Option(help="Why.")], data: Data = None
) -> None:
    """Refuse what a feed sends, within seconds; what it sent before stays."""
    row = _known(feed, data)

    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.cases.feed_actions import revoke_feed
    from ringfence.desk.config.opening import shell_actor

    try:
        revoke_feed(by=shell_actor(), feed=row, reason=reason)
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"feed {feed} is revoked", err=True)


def _known(feed: str, data: Path | None) -> FeedRow:
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.cases.queries import feed_by_name

    row = feed_by_name(feed)
    if row is None:
        _refuse(f"feed {feed} is not recorded: `ringfence feeds list` shows those that are")
    return row


def _show_token(feed: str, token: str) -> None:
    typer.echo(f"the token of feed {feed}, shown this once; keep it safe:", err=True)
    typer.echo(token)


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
