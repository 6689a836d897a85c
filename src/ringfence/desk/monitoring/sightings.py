"""What the platform's own watch reads: over which connections tags reported, what was set apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

from ringfence.desk.monitoring.models import Quarantine, Report

MOST_SET_APART = 20_000
"""Rows looked back over: the quarantine's allowance lets 18,000 in within ten minutes."""


def latest_report_id() -> int:
    """The id of the newest report; 0 = there is none."""
    return Report.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def sightings_after(position: int, up_to: int) -> Iterator[tuple[Any, ...]]:
    """Fixes with the connection that they came over, in the order of arrival.

    Args:
        position: id of the last report seen.
        up_to: id of the last to see.

    Yields:
        Tag id, peer, received ms, time ms, latitude and longitude in 1e-7 degrees, accuracy in m.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.tag_id, f.peer, r.received_ms, r.time_ms, r.lat_e7, r.lon_e7, r.accuracy_m "
            "FROM monitoring_report r JOIN monitoring_frame f ON f.id = r.frame_id "
            "WHERE r.id > %s AND r.id <= %s AND r.lat_e7 IS NOT NULL ORDER BY r.id",
            [position, up_to],
        )
        yield from cursor.fetchall()


def set_apart_since(since_ms: int) -> Iterator[tuple[str, int | None]]:
    """Reason and tag of what was set apart since an instant (UTC epoch ms), latest first."""
    latest = Quarantine.objects.order_by("-pk")[:MOST_SET_APART]
    for reason, tag_id, received_ms in latest.values_list("reason", "tag_id", "received_ms"):
        if received_ms < since_ms:
            return
        yield reason, tag_id
