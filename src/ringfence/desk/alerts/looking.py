"""Who looks at whom, and why: asked once per purpose and session, and always logged."""

from __future__ import annotations

from django.http import HttpRequest

from ringfence.desk.accounts.access import signed_in
from ringfence.desk.accounts.watching import KEPT_IN_SESSION
from ringfence.desk.alerts.models import Alert, AlertState
from ringfence.desk.audit.actions import record_look
from ringfence.desk.cases.models import Wearer

BY_ALERT = "alert:"
"""Begins a purpose that an alert gave, not a person."""


def has_reason(request: HttpRequest, wearer: Wearer) -> bool:
    """Whether this session has said, in somebody's own words, why it looks at `wearer`."""
    return any(not p.startswith(BY_ALERT) for p in _purposes(request, wearer))


def has_looked(request: HttpRequest, wearer: Wearer) -> bool:
    """Whether a page's own data may be shown: by a reason in words, or an alert still open.

    A closed alert is a reason for its own page, not for where somebody is now.
    """
    if has_reason(request, wearer):
        return True
    ids = [p.removeprefix(BY_ALERT) for p in _purposes(request, wearer)]
    return (
        Alert.objects.filter(public_id__in=ids, wearer=wearer)
        .exclude(state=AlertState.CLOSED)
        .exists()
    )


def _purposes(request: HttpRequest, wearer: Wearer) -> list[str]:
    looks: dict[str, list[str]] = request.session.get(KEPT_IN_SESSION, {})
    return looks.get(wearer.public_id, [])


def give_reason(request: HttpRequest, wearer: Wearer, *, purpose: str, reason: str) -> None:
    """Log why this session looks at `wearer`, unless it said so for this purpose already."""
    purposes = _purposes(request, wearer)
    if purpose in purposes:
        return
    record_look(
        by=signed_in(request).get_username(),
        subject=f"wearer:{wearer.public_id}",
        reason=reason,
        purpose=purpose,
    )
    looks = request.session.get(KEPT_IN_SESSION, {})
    request.session[KEPT_IN_SESSION] = {**looks, wearer.public_id: [*purposes, purpose]}


def look_for_alert(request: HttpRequest, alert: Alert) -> None:
    """An open alert is a reason of its own; a closed one is, too, for its own page."""
    if alert.wearer is None:
        return  # nobody is looked at
    give_reason(
        request,
        alert.wearer,
        purpose=f"{BY_ALERT}{alert.public_id}",
        reason=f"alert {alert.public_id} ({alert.state})",
    )


def alert_reason(public_id: str, wearer: Wearer) -> Alert | None:
    """The alert by which somebody arrives at `wearer`, if it is this wearer's and not closed."""
    return (
        Alert.objects.filter(public_id=public_id, wearer=wearer)
        .exclude(state=AlertState.CLOSED)
        .select_related("wearer")
        .first()
    )
