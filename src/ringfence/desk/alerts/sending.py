"""Notices until they are delivered. The control room is the only channel for now."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from ringfence.desk.alerts.models import AlertState, Notice


def overdue_notices(at: datetime) -> QuerySet[Notice]:
    """Notices that should have been delivered by `at` and were not: itself an alarm.

    A notice of an alert that was meanwhile closed has nobody left to tell.
    """
    return (
        Notice.objects.filter(delivered_at__isnull=True, due_at__lte=at)
        .exclude(alert__state=AlertState.CLOSED)
        .select_related("alert")
        .order_by("due_at")
    )
