"""`ringfence tags …`: devices, who wears or carries them, and their tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ringfence import cli_devices

if TYPE_CHECKING:
    from ringfence.desk.cases.models import Tag as TagRow
    from ringfence.desk.cases.models import Wearer as WearerRow

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Tag = Annotated[str, typer.Argument(help="The tag's name, as it is printed on it.")]


def add(
    tag: Tag,
    *,
    wearer: Annotated[
        str | None, typer.Option(help="Fit it on the wearer of this CRN, added where unknown.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="Fitted at this instant (default: now), with its offset."),
    ] = None,
    imei: Annotated[
        str | None, typer.Option(help="Let the device with this IMEI, 15 digits, report for it.")
    ] = None,
    protocol: cli_devices.Protocol = "",
    model: cli_devices.Model = "",
    zone: cli_devices.Zone = "UTC",
    data: Data = None,
) -> None:
    """Record a tag and print its token, this once; it is kept only as a hash."""
    from ringfence.desk.config.opening import open_desk

    from_at = _fitted_from(since, wearer)
    spoken = {"protocol": protocol, "model": model, "zone": zone}
    cli_devices.check_imei(imei, spoken)
    open_desk(data)

    from ringfence.desk.cases.errors import CaseError

    try:
        token, worn_by = _record(tag, wearer, from_at, imei, spoken)
    except CaseError as error:
        _refuse(str(error))
    if worn_by:
        typer.echo(f"tag {tag} is fitted on {worn_by.crn}", err=True)
    if imei:
        cli_devices.warn_of_check_digit(imei)
    _show_token(tag, token)


def _record(
    tag: str, wearer: str | None, from_at: datetime | None, imei: str | None, spoken: dict[str, str]
) -> tuple[str, WearerRow | None]:
    """All of it or nothing."""
    from ringfence.desk.cases.device_actions import add_device
    from ringfence.desk.cases.tag_actions import add_tag, fit_tag
    from ringfence.desk.config.opening import shell_actor
    from ringfence.desk.kit.acting import action
    from ringfence.desk.kit.clock import now

    @action
    def record() -> tuple[str, WearerRow | None]:
        made, token = add_tag(by=shell_actor(), name=tag)
        if imei:
            add_device(by=shell_actor(), tag=made, device_id=imei, **spoken)
        worn_by = _wearer(wearer, shell_actor()) if wearer else None
        if worn_by:
            fit_tag(by=shell_actor(), tag=made, wearer=worn_by, from_at=from_at or now())
        return token, worn_by

    return record()


def _fitted_from(since: str | None, wearer: str | None) -> datetime | None:
    if since and not wearer:
        _refuse("--from says when the tag was fitted: say on whom with --wearer")
    return _instant("--from", since)


def _instant(option: str, said: str | None) -> datetime | None:
    from ringfence.trail.instants import InstantError, read_instant

    try:
        return read_instant(said) if said else None
    except InstantError as error:
        _refuse(f"{option} {error}")


def list_(*, data: Data = None) -> None:
    """List all tags and who has them now; no tokens, since only their hashes are kept."""
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.cases.carrying import carrying_at
    from ringfence.desk.cases.models import Tag as TagRow
    from ringfence.desk.cases.queries import wearer_of
    from ringfence.desk.kit.clock import now

    typer.echo("tag\twearer\tstate\tvictim")
    for row in TagRow.objects.order_by("name"):
        worn_by, carried = wearer_of(row, now()), carrying_at(row, now())
        state = "revoked" if row.revoked_at else "valid"
        whose = worn_by.crn if worn_by else "-", carried.victim.label if carried else "-"
        typer.echo(f"{row.name}\t{whose[0]}\t{state}\t{whose[1]}")


def give(
    tag: Tag,
    *,
    victim: Annotated[str, typer.Option(help="The label of the victim who carries it: V3.")],
    consent: Annotated[str, typer.Option(help="How and when she agreed to be located; recorded.")],
    since: Annotated[
        str | None,
        typer.Option("--from", help="Carried from this instant (default: now), with its offset."),
    ] = None,
    data: Data = None,
) -> None:
    """Record that a victim carries a device: who must keep away from her is judged by it."""
    from_at = _instant("--from", since)
    row = _known(tag, data)

    from ringfence.desk.cases.carrying import victim_by_label
    from ringfence.desk.cases.carrying_actions import give_device
    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.config.opening import shell_actor
    from ringfence.desk.kit.clock import now

    whose = victim_by_label(victim)
    if whose is None:
        _refuse(
            f"victim {victim} is not recorded: `ringfence import conditions` takes in a proximity "
            "with the victim whom it names"
        )
    at = from_at or now()
    try:
        give_device(by=shell_actor(), tag=row, victim=whose, consent=consent, from_at=at)
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"tag {tag} is carried by {victim}", err=True)


def take_back(
    tag: Tag,
    *,
    reason: Annotated[str, typer.Option(help="Handed back, consent withdrawn, …; recorded.")],
    at: Annotated[
        str | None,
        typer.Option("--at", help="Not carried from this instant on (default: now), with offset."),
    ] = None,
    data: Data = None,
) -> None:
    """Record that a victim carries a device no more; what it reports then is nobody's."""
    to_at = _instant("--at", at)
    row = _known(tag, data)

    from ringfence.desk.cases.carrying import open_carrying
    from ringfence.desk.cases.carrying_actions import end_carrying
    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.config.opening import shell_actor
    from ringfence.desk.kit.clock import now

    carrying = open_carrying(row)
    if carrying is None:
        _refuse(f"tag {tag} is with no victim: `ringfence tags list` shows those that are")
    try:
        end_carrying(by=shell_actor(), carrying=carrying, to_at=to_at or now(), reason=reason)
    except CaseError as error:
        _refuse(str(error))
    typer.echo(
        f"tag {tag} is carried by nobody any more; `ringfence tags revoke` refuses what it sends",
        err=True,
    )


def rotate(
    tag: Tag,
    *,
    overlap: Annotated[
        str, typer.Option(help="For so long the old one works, too: 24h, 90m, 7d.")
    ] = "0s",
    data: Data = None,
) -> None:
    """Give a tag a new token, printed this once; the old one is refused within half a second."""
    try:
        both = _duration(overlap)
    except ValueError as error:
        _refuse(f"--overlap {error}")
    row = _known(tag, data)

    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.cases.tag_actions import rotate_tag_token
    from ringfence.desk.config.opening import shell_actor

    try:
        token = rotate_tag_token(by=shell_actor(), tag=row, overlap=both)
    except CaseError as error:
        _refuse(str(error))
    if row.old_token_until_at:
        typer.echo(
            f"the old token works until {row.old_token_until_at:%d/%m/%Y %H:%M} UTC", err=True
        )
    _show_token(tag, token)


def _duration(text: str) -> timedelta:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdecimal() or len(number) > 9:
        raise ValueError("must be a number and s, m, h or d: 24h")
    return timedelta(**{units[unit]: int(number)})


def revoke(
    tag: Tag, *, reason: Annotated[str, typer.Option(help="Why.")], data: Data = None
) -> None:
    """Refuse what a tag sends, within seconds; what it sent before stays."""
    row = _known(tag, data)

    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.cases.tag_actions import revoke_tag
    from ringfence.desk.config.opening import shell_actor

    try:
        revoke_tag(by=shell_actor(), tag=row, reason=reason)
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"tag {tag} is revoked", err=True)


def owntracks_key(
    tag: Tag,
    *,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the key away: encrypted messages are refused.")
    ] = False,
    data: Data = None,
) -> None:
    """Make the key with which a tag's OwnTracks app encrypts, printed this once."""
    row = _known(tag, data)

    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.cases.tag_actions import make_owntracks_key, remove_owntracks_key
    from ringfence.desk.config.opening import shell_actor

    if not remove:
        secret = make_owntracks_key(by=shell_actor(), tag=row)
        typer.echo(
            f"the OwnTracks key of {tag}, shown this once; enter it in the app's settings as its "
            "encryption key:",
            err=True,
        )
        typer.echo(secret)
        return
    try:
        remove_owntracks_key(by=shell_actor(), tag=row)
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"tag {tag} has no OwnTracks key any more", err=True)


def _known(tag: str, data: Path | None) -> TagRow:
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.cases.queries import tag_by_name

    row = tag_by_name(tag)
    if row is None:
        _refuse(f"tag {tag} is not recorded: `ringfence tags list` shows those that are")
    return row


def _wearer(crn: str, by: str) -> WearerRow:
    from ringfence.desk.cases.actions import add_wearer
    from ringfence.desk.cases.queries import wearer_by_crn

    known = wearer_by_crn(crn)
    if known is None:
        typer.echo(f"wearer {crn} was not recorded: added", err=True)
    return known or add_wearer(by=by, crn=crn)


def _show_token(tag: str, token: str) -> None:
    typer.echo(f"the token of {tag}, shown this once; keep it safe:", err=True)
    typer.echo(token)


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
