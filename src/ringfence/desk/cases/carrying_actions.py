"""Everything that may be written about which victim carries which device."""

from __future__ import annotations

from datetime import datetime

from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Carrying, Tag, Victim
from ringfence.desk.cases.overlaps import refuse_second_carrying, refuse_wrong_end
from ringfence.desk.kit.acting import action

MANAGE = Permission.MANAGE_TAGS


@action
def give_device(
    *,
    by: Actor,
    tag: Tag,
    victim: Victim,
    consent: str,
    from_at: datetime,
    to_at: datetime | None = None,
) -> Carrying:
    """Record that `victim` carries the device `tag` from `from_at` until `to_at`.

    Args:
        by: who.
        tag: the device.
        victim: who carries it.
        consent: how she said that she agrees to be located; kept in the audit log.
        from_at: when she took it.
        to_at: None = until she hands it back or withdraws her consent.

    Raises:
        OverlapError: the device is on a wearer or with another victim, or she has another, at
            that time.
        CaseError: no consent; it ends before it begins.
    """
    actor = permitted(by, MANAGE)
    if not consent.strip():
        raise CaseError("consent is empty: say how and when she agreed to be located")
    if to_at is not None and to_at <= from_at:
        raise CaseError("to_at is not later than from_at: a carrying ends after it begins")
    refuse_second_carrying(tag, victim, from_at, to_at)
    carrying = Carrying(tag=tag, victim=victim, from_at=from_at, to_at=to_at)
    carrying.save()
    record(
        by=actor,
        event=Event.TAG_GIVEN,
        subject=f"victim:{victim.public_id}",
        reason=consent.strip(),
        detail={"carrying": carrying.pk, "tag": tag.pk},
    )
    return carrying


@action
def end_carrying(*, by: Actor, carrying: Carrying, to_at: datetime, reason: str) -> None:
    """Record that the victim carries it no more from `to_at` on: handed back, consent withdrawn.

    What the device reports from then on is nobody's, and nobody is judged by it.

    Raises:
        CaseError: no reason; it ended already, or before it began.
    """
    actor = permitted(by, MANAGE)
    if not reason.strip():
        raise CaseError("reason is empty: say whether it was handed back or consent withdrawn")
    refuse_wrong_end(carrying, to_at)
    carrying.to_at = to_at
    carrying.save(update_fields=["to_at"])
    record(
        by=actor,
        event=Event.CARRYING_ENDED,
        subject=f"victim:{carrying.victim.public_id}",
        reason=reason.strip(),
        detail={"carrying": carrying.pk, "tag": carrying.tag_id},
    )
