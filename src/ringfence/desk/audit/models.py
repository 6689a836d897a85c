"""The audit log: no foreign keys, so that it outlives everything it speaks of."""

from __future__ import annotations

from django.db import models

from ringfence.desk.kit.models import AppendOnlyModel


class Entry(AppendOnlyModel):
    """Someone did something to something, for a reason. Chained by hash to the entry before."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    """A user name, or `system:<stage>`."""
    event = models.CharField(max_length=64)
    """One of `audit.events.Event`."""
    subject = models.CharField(max_length=64, db_index=True)
    """`wearer:<public id>`, `alert:<public id>`, …"""
    reason = models.TextField(blank=True)
    detail = models.JSONField(default=dict)
    """Never a location: ids, states and counts only."""
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"{self.id} {self.event} {self.subject}"
