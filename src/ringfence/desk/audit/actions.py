"""The only door into the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.desk.audit.chain import FIRST, hash_of
from ringfence.desk.audit.events import Event
from ringfence.desk.audit.models import Entry
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.private import private_names


class MissingReasonError(ValueError):
    """Somebody looked at a person without saying why."""


def record(
    *,
    by: str,
    event: Event,
    subject: str,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Entry:
    """Write one entry, inside the caller's action: both commit, or neither.

    Args:
        by: a user name, or `system:<stage>`.
        event: what happened.
        subject: `wearer:<public id>`, `alert:<public id>`, …: opaque, never a name.
        reason: why, in the actor's words.
        detail: ids, states and counts; JSON. Never a location, a name or a token.

    Raises:
        ValueError: `by` is empty, or `detail` holds a private field.
        NotAnActionError: no action is under way.
    """
    if not by:
        raise ValueError("an audit entry needs an actor: by=user.username or by='system:<stage>'")
    private = private_names(detail or {})
    if private:
        raise ValueError(f"an audit entry holds no {', '.join(private)}: record ids and counts")
    # Inside the caller's transaction, which holds the write lock: no other entry can come between.
    latest = Entry.objects.order_by("-id").values_list("hash", flat=True).first()
    entry = Entry(
        at=now(),
        actor=by,
        event=event,
        subject=subject,
        reason=reason,
        detail=dict(detail or {}),
        previous_hash=latest or FIRST,
    )
    entry.hash = hash_of(entry)
    entry.save()
    return entry


@action
def record_look(*, by: str, subject: str, reason: str, purpose: str) -> Entry:
    """Log that somebody looked at a person (Data Protection Act 2018, s.62: consultation).

    Args:
        by: who looked.
        subject: at whom: `wearer:<public id>`.
        reason: the justification, in their words, or `alert <public id>`.
        purpose: what for: `monitoring`, `alert`, `review`, …

    Raises:
        MissingReasonError: the reason is empty.
    """
    if not reason.strip():
        raise MissingReasonError("Say why you need to see this person’s record")
    return record(
        by=by,
        event=Event.LOOKED_AT,
        subject=subject,
        reason=reason.strip(),
        detail={"purpose": purpose},
    )
