"""The alerts that a batch of violations may belong to, each of them one row in memory.

What one violation of a batch makes of an alert, the next one must see: two that ended together end
their alert once, and one that has just joined an alert keeps it open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from ringfence.desk.alerts.models import Alert, AlertState, AlertViolation
from ringfence.desk.alerts.policy import REJOIN, Face, Found, Visit
from ringfence.desk.alerts.severity import Grade
from ringfence.desk.monitoring.models import Violation


class Visits:
    """Alerts and their violations as the batch finds them, and then as it leaves them."""

    def __init__(self, changed: Sequence[Violation]) -> None:
        """Read all that the batch may touch.

        Args:
            changed: the violations of the batch.
        """
        links = AlertViolation.objects
        self._own = dict(links.filter(violation__in=changed).values_list("violation", "alert"))
        self._alerts = {
            alert.pk: alert
            for alert in Alert.objects.filter(Q(pk__in=self._own.values()) | _near(changed))
        }
        self._members: dict[int, dict[int, Found]] = defaultdict(dict)
        wide = ("violation__why", "violation__doubts")  # not asked for here, and dear to read
        for link in links.filter(alert__in=self._alerts).select_related("violation").defer(*wide):
            self._members[link.alert_id][link.violation_id] = found_of(link.violation)

    def own(self, violation: Violation) -> Alert | None:
        """The alert that the violation belongs to already."""
        pk = self._own.get(violation.pk)
        return None if pk is None else self._alerts[pk]

    def unclosed(self, violation: Violation) -> list[Alert]:
        """Alerts of the same matter near enough in time to be the same visit, latest first."""
        found = [alert for alert in self._alerts.values() if _is_near(alert, violation)]
        return sorted(found, key=lambda alert: (alert.opened_at, alert.pk), reverse=True)

    def visit(self, alert: Alert) -> Visit:
        """The alert as the policy sees it."""
        face = Face(
            severity=Grade(alert.severity),
            title=alert.title,
            ongoing=alert.ongoing,
            late=alert.late,
            event_at=alert.event_at,
            confirmed_at=alert.confirmed_at,
            ended_at=alert.ended_at,
        )
        return Visit(face, tuple(self._members[alert.pk].values()))

    def join(self, alert: Alert, violation: Violation) -> None:
        """The violation belongs to the alert from now on, within the caller's transaction."""
        if violation.pk not in self._own:
            AlertViolation(alert=alert, violation=violation).save()
        self._alerts[alert.pk] = alert
        self._own[violation.pk] = alert.pk
        self._members[alert.pk][violation.pk] = found_of(violation)


def found_of(row: Violation) -> Found:
    """A violation row as the policy reads it."""
    return Found(
        id=row.pk,
        kind=row.kind,
        how=row.how,
        confirmed=row.state == "confirmed",
        begin_at=row.begin_at,
        confirmed_at=row.confirmed_at,
        end_at=row.end_at,
        ended_by=row.ended_by,
        depth_m=row.depth_m,
        late=row.late,
        withdrawn=row.withdrawn_at is not None,
    )


def _near(changed: Sequence[Violation]) -> Q:
    """Unclosed alerts that any of these may join, and some more."""
    since: datetime = min(violation.begin_at for violation in changed) - REJOIN
    return (
        (Q(ongoing=True) | Q(ended_at__isnull=True) | Q(ended_at__gte=since))
        & Q(wearer__in={violation.wearer_id for violation in changed})
        & Q(condition_key__in={violation.condition_key for violation in changed})
        & ~Q(state=AlertState.CLOSED)
    )


def _is_near(alert: Alert, violation: Violation) -> bool:
    same = (alert.wearer_id, alert.kind, alert.condition_key) == (
        violation.wearer_id,
        violation.kind,
        violation.condition_key,
    )
    if not same or alert.state == AlertState.CLOSED:
        return False
    ended_at = None if alert.ongoing else alert.ended_at
    lasts = ended_at is None or ended_at >= violation.begin_at - REJOIN
    return lasts and (violation.end_at is None or alert.event_at <= violation.end_at + REJOIN)
