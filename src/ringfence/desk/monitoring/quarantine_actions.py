"""What may be done with the quarantine: looked at with a reason, and decoded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import MissingReasonError, record, record_look
from ringfence.desk.audit.events import Event
from ringfence.desk.kit import bell
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.turns import writing
from ringfence.desk.monitoring.models import Frame, Quarantine, Redecoding
from ringfence.desk.monitoring.prospects import CONFIRM, STRANGER, Prospect, prospect
from ringfence.desk.monitoring.storing import store_within
from ringfence.gateway.report import Delivery, KnownTag, Receipt

SUBJECT = "register:quarantine"


class QuarantineError(ValueError):
    """It can't be decoded again; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Redecoded:
    """What came of decoding something again."""

    accepted: int = 0
    duplicate: int = 0
    reason: str = ""
    """Why it stays; empty = nothing is left to be done."""
    detail: str = ""


def look(*, by: Actor, reason: str, item: Quarantine | None = None) -> None:
    """Log that somebody looks at the quarantine, or into something that is in it.

    Raises:
        MissingReasonError: the reason is empty.
        NotPermittedError: their role lacks the permission.
    """
    subject = SUBJECT if item is None else f"quarantine:{item.pk}"
    actor = permitted(by, Permission.MANAGE_TAGS)
    record_look(by=actor, subject=subject, reason=reason, purpose="quarantine")


def redecode(*, by: Actor, item: Quarantine, why: str, tag: str = "") -> Redecoded:
    """Decode `item` by today's codecs; store what it holds as if it had come through its door.

    Its reports keep the instant at which it came, and are judged as late data is. Each is stored
    once. What can't be used stays, with the reason of now.

    Args:
        by: who.
        item: what.
        why: recorded with it.
        tag: the tag's name, where its sender was a stranger when it came: nothing else makes a
            stranger's bytes somebody's reports.

    Raises:
        QuarantineError: it was resolved before; or the tag is not the one that its device is.
        MissingReasonError: nobody said why.
        NotPermittedError: their role lacks the permission.
    """
    actor = permitted(by, Permission.MANAGE_TAGS)
    if not why.strip():
        raise MissingReasonError("Say why it is decoded again")
    with writing:
        return _redecode(actor, item.pk, why.strip(), tag)


@action
def _redecode(actor: str, pk: int, why: str, named: str) -> Redecoded:
    # Read anew within the transaction, so that two who click at once store it once.
    rows = Quarantine.objects.select_related("tag", "feed").filter(resolved_at__isnull=True)
    item = rows.filter(pk=pk).first()
    if item is None:
        raise QuarantineError("it is not in the quarantine any more: nothing is left to be done")
    found = prospect(item)
    if named and (found.tag is None or found.tag.name != named):
        raise QuarantineError(found.detail or f"its device is not tag {named}’s")
    if found.to_confirm and not named:
        return Redecoded(reason=STRANGER, detail=CONFIRM)
    receipt, frame = _stored(item, found)
    done = Redecoded(receipt.accepted, receipt.duplicate, found.reason, found.detail)
    changed = (item.reason, item.detail) != (done.reason, done.detail[:400])
    if frame is not None or not done.reason or (changed and done.reason != item.reason):
        _note(actor, why, item, found, done=done, frame=frame)
    if changed:
        _update(item, done)
    return done


def _stored(item: Quarantine, found: Prospect) -> tuple[Receipt, Frame | None]:
    if found.tag is None or not found.read.reports:
        return Receipt(0, 0), None
    sender = KnownTag(found.tag.pk, found.tag.name)
    reports = list(found.read.reports)
    delivery = Delivery(sender, item.door, item.peer, bytes(item.raw), item.received_ms, reports)
    (receipt,) = store_within([delivery])
    if not receipt.accepted:
        return receipt, None
    transaction.on_commit(bell.ring)
    return receipt, Frame.objects.order_by("-id").first()


def _note(
    actor: str, why: str, item: Quarantine, found: Prospect, *, done: Redecoded, frame: Frame | None
) -> None:
    row = Redecoding(
        item=item.pk,
        at=now(),
        by=actor,
        why=why,
        reason_before=item.reason,
        reason_after=done.reason,
        tag=found.tag,
        confirmed=found.to_confirm,
        frame=frame,
        accepted=done.accepted,
        duplicate=done.duplicate,
    )
    row.save()
    record(
        by=actor,
        event=Event.QUARANTINE_DECODED,
        subject=f"quarantine:{item.pk}",
        reason=why,
        detail={
            "door": item.door,
            "before": item.reason,
            "after": done.reason,
            "tag": found.tag.pk if found.tag else None,
            "confirmed": found.to_confirm,
            "frame": frame.pk if frame else None,
            "accepted": done.accepted,
            "duplicate": done.duplicate,
        },
    )


def _update(item: Quarantine, done: Redecoded) -> None:
    if done.reason:
        item.reason, item.detail = done.reason, done.detail[:400]
        item.save(update_fields=["reason", "detail"])
    else:
        item.resolved_at = now()
        item.save(update_fields=["resolved_at"])


def redecode_all(
    rows: QuerySet[Quarantine], *, by: Actor, why: str, tag: str = "", dry_run: bool = False
) -> Iterator[Redecoded]:
    """Decode all of `rows` again, each in a transaction of its own; logged before any of it is.

    Args:
        rows: which.
        by: who.
        why: recorded with each.
        tag: take in what strangers' devices sent that are this tag's by now; no other stranger's.
        dry_run: say what would happen, and store nothing.

    Raises:
        MissingReasonError: nobody said why.
        NotPermittedError: their role lacks the permission.
    """
    pks = list(rows.order_by("id").values_list("pk", flat=True))
    _begin(by, why, {"items": len(pks), "named": bool(tag), "dry_run": dry_run})
    for pk in pks:
        item = Quarantine.objects.select_related("tag", "feed").filter(pk=pk).first()
        if item is None or item.resolved_at is not None:
            continue  # somebody else saw to it meanwhile
        found = prospect(item)
        if found.to_confirm and (found.tag is None or found.tag.name != tag):
            yield Redecoded(reason=STRANGER, detail=CONFIRM)
        elif dry_run:
            count = len(found.read.reports) if found.tag else 0
            yield Redecoded(count, 0, found.reason, found.detail)
        else:
            yield redecode(by=by, item=item, why=why, tag=tag if found.to_confirm else "")


@action
def _begin(by: Actor, why: str, detail: dict[str, Any]) -> None:
    actor = permitted(by, Permission.MANAGE_TAGS)
    if not why.strip():
        raise MissingReasonError("Say why it is decoded again")
    record(
        by=actor,
        event=Event.QUARANTINE_DECODING,
        subject=SUBJECT,
        reason=why.strip(),
        detail=detail,
    )
