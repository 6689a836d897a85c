"""What the control room and an alert's page read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.alerts.changed import Changed, changes
from ringfence.desk.alerts.models import Alert, AlertState, Moment
from ringfence.desk.alerts.refusals import NoSuchAlertError
from ringfence.desk.cases.models import Condition, ConditionVersion, Wearer
from ringfence.desk.kit.clock import now
from ringfence.desk.monitoring.models import Violation
from ringfence.desk.monitoring.queries import TrailPoint, dated_on_arrival, trail

APPROACHED = "approached"
BEFORE = timedelta(minutes=30)
AFTER = timedelta(minutes=15)
LONGEST = timedelta(hours=6)
"""Around an event that lasts for days, the page shows its first hours; the wearer page the rest."""


@dataclass(frozen=True, slots=True)
class Part:
    """One violation of an alert, with the very version of the condition that it is about."""

    violation: Violation
    condition: Condition | None
    version: ConditionVersion | None
    """None for what the tag itself says."""
    changes: list[Changed]
    """What changed since it was first told."""
    dated_on_arrival: bool
    """The tag said no time of the alarm that it is about: it is dated when it came."""

    @property
    def nearest_m(self) -> float | None:
        """How near a proximity brought the two, in metres; None = it is none."""
        depth_m, version = self.violation.depth_m, self.version
        if version is None or version.distance_m is None or depth_m is None:
            return None
        rings = 2 if self.violation.how == APPROACHED else 1  # the pre-alert's is twice as wide
        return float(max(0.0, rings * version.distance_m - depth_m))


@dataclass(frozen=True, slots=True)
class Stamp:
    """One of the instants that an alert is stamped with, and how long after the one before."""

    what: str
    """`event`, `received`, `confirmed`, `detected`, `opened`, `delivered`, `acknowledged`, …"""
    label: str
    at: datetime | None
    """None: it has not happened (yet), or a deadline decided and no report was needed."""


@dataclass(frozen=True, slots=True)
class AlertPage:
    """All that an alert's page shows."""

    alert: Alert
    wearer: Wearer
    parts: list[Part]
    """Latest first; `parts[0].violation.why` and `.doubts` are the explanation."""
    stamps: list[Stamp]
    moments: list[Moment]
    dated_on_arrival: bool
    """The tag said no time of the alarm with which it began: its event is dated when that came."""
    withdrawn: bool
    """Nothing that it is about stands any more."""
    trail_from_at: datetime
    trail_to_at: datetime
    trail: list[TrailPoint]
    """Every report between the two instants, doubted ones too; empty without `see_trail`."""


def queue() -> QuerySet[Alert]:
    """Every alert that no person has closed, gravest first, then newest."""
    return (
        Alert.objects.exclude(state=AlertState.CLOSED)
        .select_related("wearer")
        .order_by("-severity", "-opened_at", "-id")
    )


def closed_since(at: datetime) -> QuerySet[Alert]:
    """Alerts closed since `at`, latest first."""
    return (
        Alert.objects.filter(state=AlertState.CLOSED, closed_at__gte=at)
        .select_related("wearer")
        .order_by("-closed_at", "-id")
    )


def alerts_of(wearer: Wearer) -> QuerySet[Alert]:
    """A wearer's alerts, latest first."""
    return Alert.objects.filter(wearer=wearer).order_by("-event_at", "-id")


def open_counts() -> dict[int, int]:
    """How many alerts of each severity are not closed; every severity is a key."""
    rows = (
        Alert.objects.exclude(state=AlertState.CLOSED)
        .values("severity")
        .annotate(count=Count("id"))
        .values_list("severity", "count")
    )
    return {1: 0, 2: 0, 3: 0, 4: 0, **dict(rows)}


def find_alert(public_id: str) -> Alert:
    """The alert with this id.

    Raises:
        NoSuchAlertError: there is none.
    """
    alert = Alert.objects.select_related("wearer").filter(public_id=public_id).first()
    if alert is None:
        raise NoSuchAlertError("There is no such alert: go back to the control room")
    return alert


def is_system(public_id: str) -> bool:
    """Whether the alert with this id is about the platform or a tag, not about a wearer."""
    return Alert.objects.filter(public_id=public_id, wearer__isnull=True).exists()


def alert_page(public_id: str, *, by: User) -> AlertPage:
    """All that `by` may see of an alert.

    Raises:
        NoSuchAlertError: there is none.
        NotPermittedError: the role may not see the control room.
    """
    permitted(by, Permission.SEE_CONTROL_ROOM)
    alert = find_alert(public_id)
    if alert.wearer is None:
        raise NoSuchAlertError("This alert is about no wearer: go back to its page")
    from_at, to_at = _around(alert)
    shown = trail(alert.wearer, from_at, to_at) if by.may(Permission.SEE_TRAIL) else []
    parts = _parts(alert)
    return AlertPage(
        alert=alert,
        wearer=alert.wearer,
        parts=parts,
        dated_on_arrival=any(
            p.dated_on_arrival and p.violation.begin_at == alert.event_at for p in parts
        ),
        withdrawn=bool(parts) and all(p.violation.withdrawn_at for p in parts),
        stamps=stamps(alert),
        moments=list(alert.moments.order_by("at", "id")),
        trail_from_at=from_at,
        trail_to_at=to_at,
        trail=shown,
    )


def _around(alert: Alert) -> tuple[datetime, datetime]:
    end_at = min(alert.ended_at or now(), alert.event_at + LONGEST)
    return alert.event_at - BEFORE, max(end_at, alert.confirmed_at or end_at) + AFTER


def _parts(alert: Alert) -> list[Part]:
    links = alert.links.select_related("violation").order_by("-violation__begin_at", "-id")
    found = [link.violation for link in links]
    keys = {v.condition_key for v in found if v.condition_key}
    rows = ConditionVersion.objects.filter(condition__key__in=keys).select_related(
        "condition__victim", "condition__order"
    )
    versions = {(row.condition.key, row.version): row for row in rows}
    by_tag = {v.begin_at for v in found if not v.condition_key}
    undated = dated_on_arrival(alert.wearer, by_tag) if alert.wearer else set()
    parts = []
    for violation in found:
        version = versions.get((violation.condition_key, violation.version))
        parts.append(
            Part(
                violation=violation,
                condition=version.condition if version else None,
                version=version,
                changes=changes(list(violation.corrections.order_by("at", "id"))),
                dated_on_arrival=violation.begin_at in undated,
            )
        )
    return parts


def stamps(alert: Alert) -> list[Stamp]:
    """An alert's instants in the order in which they should come."""
    return [
        Stamp("event", "It happened (best estimate)", alert.event_at),
        Stamp("confirmed", "The reports up to here made it certain", alert.confirmed_at),
        Stamp("received", "The deciding report was received", alert.received_at),
        Stamp("detected", "Ringfence judged it", alert.detected_at),
        Stamp("opened", "The alert was opened", alert.opened_at),
        Stamp("delivered", "It stood on an open control room page", alert.delivered_at),
        Stamp("acknowledged", "An operator acknowledged it", alert.acknowledged_at),
        Stamp("disposed", "A verdict was given", alert.disposed_at),
        Stamp("closed", "It was closed", alert.closed_at),
        Stamp("ended", "What it was about was over", alert.ended_at),
    ]
