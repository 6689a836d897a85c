"""What kept bytes come to today, and whether what is in the quarantine may become reports.

A sender is believed by what was known when the bytes came. Tokens are not kept, so whoever showed
none or a wrong one can't be proven later: that is never taken in. A device protocol has no token,
and is let in by a list: bytes of a device that was put on it since may be taken in, if a person
names the tag (docs/decisions/0017).
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from ringfence.desk.cases.models import Tag, TagDevice
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.evidence import is_unchanged
from ringfence.desk.monitoring.gatekeeper import known_tag
from ringfence.desk.monitoring.models import Frame, Quarantine
from ringfence.gateway.frames import DeviceModel
from ringfence.gateway.rereading import Kept, Reread, is_locked, reread

STRANGER = "unauthenticated"
LOCKED = (
    "whoever sent it showed no valid token, and tokens are not kept: it can't be proven whose it "
    "is, so that it never becomes a report"
)
UNLISTED = (
    "no tag has this device: if it is one of yours, register it with `ringfence tags device add` "
    "and decode it again"
)
LISTED_BEFORE = (
    "the device was registered already when this came, so it was turned away for something else: "
    "its tag was revoked, or its certificate was another's"
)
NOT_THE_TAGS = "it says that it is from another tag or device than the one that sent it"
CUT = "only its beginning was kept, so that what it said can't be known"
ALTERED = "its bytes are not those that came: they prove nothing"
NO_REPORT = "it can be read, and holds no report"
CONFIRM = "name the tag that this device is to make it reports of that tag"


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would become of something in the quarantine."""

    tag: Tag | None
    """Whose reports it holds; None = it can't be said, and nothing is stored."""
    read: Reread
    reason: str = ""
    """Why it stays, in whole or in part; empty = nothing would be left."""
    detail: str = ""
    to_confirm: bool = False
    """Nothing is stored unless a person names the tag."""


def reread_frame(frame: Frame) -> Reread:
    """What a stored frame comes to by today's codec of its door, read alone."""
    return reread(_kept(frame, frame.tag))


def is_strangers(item: Quarantine) -> bool:
    """Whether nobody knew, when it came, who sent it."""
    return item.tag_id is None and item.feed_id is None


def prospect(item: Quarantine) -> Prospect:
    """What would become of `item` if it were decoded again now; writes nothing."""
    if not is_unchanged(item):
        return Prospect(None, Reread(), "altered", ALTERED)
    if is_strangers(item):
        return _of_a_stranger(item)
    if item.size > len(item.raw):
        return Prospect(None, Reread(), item.reason, CUT)
    read = reread(_kept(item, item.tag))
    tag, why = _sender(item, read)
    if tag is None:
        reason, detail = (STRANGER, why) if read.reports else (read.reason or STRANGER, read.detail)
        return Prospect(None, read, reason, detail or why)
    return Prospect(tag, read, read.reason, read.detail)


def _sender(item: Quarantine, read: Reread) -> tuple[Tag | None, str]:
    """Whose reports a known sender's bytes hold, or why it can't be said."""
    if item.feed is not None:
        bound = item.feed.tags.filter(name=read.named or "").first()
        return bound, "its device is not bound to the feed that brought it"
    named = read.named
    if named is None or item.tag is None or named == item.tag.name:
        return item.tag, ""
    own = not is_locked(item.door) and _device(item.door, named)
    return (item.tag, "") if own and own.tag_id == item.tag_id else (None, NOT_THE_TAGS)


def _of_a_stranger(item: Quarantine) -> Prospect:
    if is_locked(item.door):
        return Prospect(None, Reread(), STRANGER, LOCKED)
    if item.size > len(item.raw):
        return Prospect(None, Reread(), STRANGER, CUT)
    # Nobody was logged in: who it is, only the frame itself may say.
    read = reread(_kept(item, None))
    device = _device(item.door, read.named) if read.named else None
    if not read.reports:
        return Prospect(None, read, read.reason or item.reason, read.detail or NO_REPORT)
    if device is None:
        return Prospect(None, read, STRANGER, UNLISTED)
    if item.reason == STRANGER and to_ms(device.added_at) <= item.received_ms:
        return Prospect(None, read, STRANGER, LISTED_BEFORE)
    return Prospect(device.tag, read, read.reason, read.detail, to_confirm=True)


def _kept(row: Frame | Quarantine, tag: Tag | None) -> Kept:
    door = row.door
    logged_in = _devices(door).filter(tag=tag).order_by("id").first() if tag else None
    return Kept(
        door,
        bytes(row.raw),
        row.received_ms,
        known_tag(tag).box if tag else None,
        logged_in.device_id if logged_in else None,
        lambda device: _model(_device(door, device)),
    )


def _devices(door: str) -> QuerySet[TagDevice]:
    return TagDevice.objects.filter(protocol__in=("", door))


def _device(door: str, device: str) -> TagDevice | None:
    # As the list at the door: one registered for this protocol before one for any.
    found = _devices(door).filter(device_id=device).order_by("-protocol")
    return found.select_related("tag").first()


def _model(device: TagDevice | None) -> DeviceModel:
    return DeviceModel(device.model, ZoneInfo(device.zone)) if device else DeviceModel()
