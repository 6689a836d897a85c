"""What a person handles."""

from __future__ import annotations

from django.db import models

from ringfence.desk.cases.models import Wearer
from ringfence.desk.kit.models import AppendOnlyModel, GuardedModel, public_id
from ringfence.desk.monitoring.models import Violation


class Severity(models.IntegerChoices):
    """How soon a person must look."""

    INFORM = 1, "For information"
    ATTENTION = 2, "Needs attention"
    URGENT = 3, "Urgent"
    CRITICAL = 4, "Critical"


class AlertState(models.TextChoices):
    """Where an alert is on its way to a decision."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    CLOSED = "closed", "Closed"


class Disposition(models.TextChoices):
    """The human verdict on an alert."""

    TRUE = "true", "True: it happened"
    FALSE = "false", "False: it did not happen"
    CANT_TELL = "cant_tell", "Can’t tell"


class Alert(GuardedModel):
    """One visit, one tamper, one silence: opened by policy, seen through by people."""

    public_id = models.CharField(max_length=16, unique=True, default=public_id)
    wearer = models.ForeignKey(
        Wearer, null=True, blank=True, on_delete=models.PROTECT, related_name="alerts"
    )
    """Null: a system alert, about the platform or a tag."""
    kind = models.CharField(max_length=24)
    condition_key = models.CharField(max_length=64, blank=True)
    matter = models.CharField(max_length=80, blank=True, db_index=True)
    """Of a system alert: what it is about (`looping:17`); else empty."""
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    state = models.CharField(
        max_length=16, choices=AlertState.choices, default=AlertState.OPEN, db_index=True
    )
    title = models.CharField(max_length=160)
    """Plain words, no name, no address: “Entered exclusion zone, 84 m inside”."""
    ongoing = models.BooleanField(default=True)
    """What it is about still lasts."""
    late = models.BooleanField(default=False)

    event_at = models.DateTimeField()
    """When it happened: the violation's best estimate."""
    confirmed_at = models.DateTimeField(null=True)
    """When the engine became sure."""
    received_at = models.DateTimeField(null=True)
    """When the deciding report reached the platform; null where a deadline decided."""
    detected_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    """When it first stood on an open page of the control room."""
    ended_at = models.DateTimeField(null=True)

    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    disposition = models.CharField(max_length=16, choices=Disposition.choices, blank=True)
    disposition_reason = models.TextField(blank=True)
    disposed_at = models.DateTimeField(null=True)
    disposed_by = models.CharField(max_length=150, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """The queue is one index; who and when go together."""

        indexes = [models.Index(fields=["state", "-severity", "-opened_at"], name="alert_queue")]
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(wearer__isnull=False) & ~models.Q(kind="system"))
                | (models.Q(wearer__isnull=True, kind="system") & ~models.Q(matter="")),
                name="about_a_wearer_or_the_system",
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledged_at__isnull=True, acknowledged_by="")
                | (models.Q(acknowledged_at__isnull=False) & ~models.Q(acknowledged_by="")),
                name="acknowledged_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=models.Q(disposed_at__isnull=True, disposed_by="", disposition="")
                | (
                    models.Q(disposed_at__isnull=False)
                    & ~models.Q(disposed_by="")
                    & ~models.Q(disposition="")
                    & ~models.Q(disposition_reason="")
                ),
                name="disposed_by_whom_when_and_why",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True, closed_by="")
                | (models.Q(closed_at__isnull=False) & ~models.Q(closed_by="")),
                name="closed_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"alert {self.public_id}"


class AlertViolation(GuardedModel):
    """Which violations an alert is about; a violation belongs to one alert."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="links")
    violation = models.OneToOneField(Violation, on_delete=models.PROTECT, related_name="alert_link")

    def __str__(self) -> str:
        return f"violation {self.violation_id} of {self.alert_id}"


class Moment(AppendOnlyModel):
    """A line of an alert's timeline: what happened to it, when, by whom."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="moments")
    at = models.DateTimeField()
    what = models.CharField(max_length=32)
    """`opened`, `confirmed`, `upgraded`, `ended`, `corrected`, `acknowledged`, `note`, …"""
    by = models.CharField(max_length=150)
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%H:%M}"


class Notice(GuardedModel):
    """Someone is to be told of an alert: a row until it is delivered."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="notices")
    channel = models.CharField(max_length=24)
    """`control_room` for now."""
    key = models.CharField(max_length=80, unique=True)
    """Idempotency: the same notice is made once."""
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    """Undelivered after this instant is itself an alarm."""
    delivered_at = models.DateTimeField(null=True, db_index=True)

    def __str__(self) -> str:
        return f"notice {self.key}"


class PressingViolation(models.Model):
    """A violation that was read before its turn, for as long as the reading position is behind."""

    revision = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"revision {self.revision}"
