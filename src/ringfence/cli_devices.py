"""`ringfence tags device …`: how tags name themselves in device protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from ringfence.desk.cases.models import Tag as TagRow

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Tag = Annotated[str, typer.Argument(help="The tag's name, as it is printed on it.")]
DeviceId = Annotated[str, typer.Argument(help="Its IMEI, or what else its frames say.")]
Protocol = Annotated[str, typer.Option(help="Only in this protocol (default: in any).")]
Model = Annotated[str, typer.Option(help="The device's model, as its maker spells it.")]
Zone = Annotated[str, typer.Option(help="In which its clock speaks, such as Europe/London.")]

NOTHING_SAID = {"protocol": "", "model": "", "zone": "UTC"}


def add(
    tag: Tag,
    device: DeviceId,
    *,
    protocol: Protocol = "",
    model: Model = "",
    zone: Zone = "UTC",
    data: Data = None,
) -> None:
    """Let a device report for a tag, within half a second."""
    row = _known(tag, data)

    from ringfence.desk.cases.device_actions import add_device
    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.config.opening import shell_actor

    check_protocol(protocol)
    try:
        add_device(
            by=shell_actor(), tag=row, device_id=device, protocol=protocol, model=model, zone=zone
        )
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"device {device} reports for tag {tag}", err=True)
    warn_of_check_digit(device)


def remove(tag: Tag, device: DeviceId, *, data: Data = None) -> None:
    """Turn a device away, within half a second; what it sent before stays."""
    row = _known(tag, data)

    from ringfence.desk.cases.device_actions import remove_device
    from ringfence.desk.cases.errors import CaseError
    from ringfence.desk.config.opening import shell_actor

    try:
        remove_device(by=shell_actor(), tag=row, device_id=device)
    except CaseError as error:
        _refuse(str(error))
    typer.echo(f"device {device} is turned away", err=True)


def list_(*, data: Data = None) -> None:
    """List the devices that are let in, and for which tag."""
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.cases.models import TagDevice

    typer.echo("tag\tdevice\tprotocol\tmodel\tzone")
    for row in TagDevice.objects.select_related("tag").order_by("tag__name", "device_id"):
        known = (row.tag.name, row.device_id, row.protocol or "any", row.model or "-", row.zone)
        typer.echo("\t".join(known))


def check_imei(imei: str | None, spoken: Mapping[str, str]) -> None:
    """Refuse what `ringfence tags add` can't take of a device."""
    if imei is None and spoken != NOTHING_SAID:
        _refuse("--protocol, --model and --zone speak of a device: say which with --imei")
    if imei is not None and not (imei.isdecimal() and len(imei) == 15):
        _refuse("--imei must be 15 digits: for another id use `ringfence tags device add`")
    check_protocol(spoken["protocol"])


def check_protocol(protocol: str) -> None:
    """Refuse a protocol that no TCP door speaks."""
    from ringfence.gateway.ports import PROTOCOLS

    if protocol and protocol not in PROTOCOLS:
        _refuse(f"--protocol {protocol} is none of {', '.join(PROTOCOLS)}")


def warn_of_check_digit(device: str) -> None:
    """Say where an IMEI looks mistyped; some makers' are, so that it is no refusal."""
    from ringfence.desk.cases.device_actions import IMEI_DIGITS, fits_check_digit

    if len(device) == IMEI_DIGITS and device.isdecimal() and not fits_check_digit(device):
        typer.echo(f"the last digit of {device} does not fit the others: look again", err=True)


def _known(tag: str, data: Path | None) -> TagRow:
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.cases.queries import tag_by_name

    row = tag_by_name(tag)
    if row is None:
        _refuse(f"tag {tag} is not recorded: `ringfence tags list` shows those that are")
    return row


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
