"""Everything that may be written about how tags name themselves in device protocols."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Tag, TagDevice
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now

DEVICE_ID = re.compile(r"[0-9A-Za-z_-]{1,32}", re.ASCII)
IMEI_DIGITS = 15


@action
def add_device(
    *,
    by: Actor,
    tag: Tag,
    device_id: str,
    protocol: str = "",
    model: str = "",
    zone: str = "UTC",
) -> TagDevice:
    """Let the device that names itself `device_id` report for `tag`.

    Args:
        by: who.
        tag: whose device it is.
        device_id: its IMEI, or what else its frames say.
        protocol: in which; empty = in any.
        model: its make, as its maker spells it.
        zone: in which its clock speaks, where its protocol sends local time.

    Raises:
        CaseError: the id, model or zone can't be used, or the device is a tag's already.
    """
    actor = permitted(by, Permission.MANAGE_TAGS)
    if not DEVICE_ID.fullmatch(device_id):
        raise CaseError("a device's id must be 1 to 32 letters and digits, as its frames say it")
    if len(model) > 32:
        raise CaseError("the device's model must be at most 32 characters")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise CaseError(f"{zone} is no time zone: give one such as Europe/London or UTC") from None
    other = TagDevice.objects.filter(device_id=device_id).select_related("tag").first()
    if other is not None and (other.protocol == protocol or other.tag_id != tag.pk):
        raise CaseError(
            f"device {device_id} is registered for tag {other.tag.name}: take it away there first "
            "(`ringfence tags device remove`)"
        )
    device = TagDevice(
        tag=tag, protocol=protocol, device_id=device_id, model=model, zone=zone, added_at=now()
    )
    device.save()
    tag.save(update_fields=[])
    record(
        by=actor,
        event=Event.TAG_DEVICE_ADDED,
        subject=f"tag:{tag.pk}",
        detail={"device": device.pk, "protocol": protocol},
    )
    return device


@action
def remove_device(*, by: Actor, tag: Tag, device_id: str) -> None:
    """Turn the device away from now on; what it sent before stays.

    Raises:
        CaseError: the tag has no such device.
    """
    actor = permitted(by, Permission.MANAGE_TAGS)
    devices = list(TagDevice.objects.filter(tag=tag, device_id=device_id))
    if not devices:
        raise CaseError(f"tag {tag.name} has no device {device_id}: `ringfence tags device list`")
    for device in devices:
        record(
            by=actor,
            event=Event.TAG_DEVICE_REMOVED,
            subject=f"tag:{tag.pk}",
            detail={"device": device.pk, "protocol": device.protocol},
        )
        device.delete()
    tag.save(update_fields=[])


def fits_check_digit(imei: str) -> bool:
    """Whether the last digit of an IMEI is the one that the others ask for (Luhn, 3GPP 23.003)."""
    digits = [int(d) for d in imei]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
