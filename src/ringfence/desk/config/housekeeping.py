"""The stage that tidies up: what is no record of anything, and would only grow."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import connection

from ringfence.desk.kit.clock import now
from ringfence.desk.kit.models import Change

CHANGES_KEPT = timedelta(hours=1)
"""A live page that was away for longer loads anew."""
MOST_ROWS = 5_000
"""In one go, so that the write lock is never held for long."""


def tidy() -> int:
    """Drop old changes and expired sessions; let the database renew its statistics.

    Returns:
        0: nobody has to look again because of it.
    """
    old = Change.objects.filter(at__lt=now() - CHANGES_KEPT).order_by("id")
    Change.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:MOST_ROWS])).delete()
    Session.objects.filter(expire_date__lt=now()).delete()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA optimize")
    return 0
