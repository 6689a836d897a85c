"""Reports as they came, and what the engine made of them."""

from __future__ import annotations

from hashlib import sha256

from django.db import models

from ringfence.desk.cases.models import Feed, Tag, Wearer
from ringfence.desk.kit.models import AppendOnlyModel


def fingerprint(raw: bytes) -> bytes:
    """SHA-256 of bytes as they came: kept beside them, so that a change to them shows."""
    return sha256(raw).digest()


DESK_DOOR, IMPORT_DOOR = "desk", "import"
"""Doors by which people put reports in: a finding at a tag, a file. All others are tags'."""


class Frame(models.Model):
    """Bytes that a door took in one piece: the evidence under the reports.

    Found through its reports: an index on the tag would cost each delivery a page of its own.
    """

    id = models.BigAutoField(primary_key=True)
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="+", db_index=False)
    door = models.CharField(max_length=16)
    peer = models.CharField(max_length=64)
    received_ms = models.BigIntegerField()
    raw = models.BinaryField()
    sha256 = models.BinaryField(default=b"")
    """`fingerprint(raw)`, taken as it was stored."""

    def __str__(self) -> str:
        return f"frame {self.id}"


class Report(models.Model):
    """What a tag sent: a fix, signals, or both. Written by `monitoring.inbox` alone.

    `id` is the order of arrival. Columns as in `engine.fix.Batch`; null = unknown.
    """

    id = models.BigAutoField(primary_key=True)
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="+", db_index=False)
    frame = models.ForeignKey(Frame, on_delete=models.PROTECT, related_name="+", db_index=False)
    digest = models.BigIntegerField()
    """64 bits of a hash of all that the tag said: the same report twice is stored once.

    Of one that came before its time, the complement (`gateway.report.kept_digest`).
    """
    seq = models.BigIntegerField(null=True)
    time_ms = models.BigIntegerField()
    received_ms = models.BigIntegerField()
    lat_e7 = models.IntegerField(null=True)
    lon_e7 = models.IntegerField(null=True)
    accuracy_m = models.FloatField(null=True)
    source = models.SmallIntegerField(default=0)
    speed_mps = models.FloatField(null=True)
    course_deg = models.FloatField(null=True)
    altitude_m = models.FloatField(null=True)
    satellites = models.SmallIntegerField(null=True)
    hdop = models.FloatField(null=True)
    battery_pct = models.FloatField(null=True)
    signals = models.IntegerField(default=0)

    class Meta:
        """The unique index also answers "this tag's reports between two instants"."""

        constraints = [
            models.UniqueConstraint(fields=["tag", "time_ms", "digest"], name="stored_once"),
        ]

    def __str__(self) -> str:
        return f"report {self.id}"


class Quarantine(models.Model):
    """Bytes that could not be decoded or did not authenticate, kept apart with the reason.

    Which rows are dropped when it is full: `quarantine_keeping`.
    """

    id = models.BigAutoField(primary_key=True)
    door = models.CharField(max_length=16)
    peer = models.CharField(max_length=64)
    received_ms = models.BigIntegerField()
    reason = models.CharField(max_length=32)
    """As it stands now: decoding again may leave another than it was set apart for."""
    detail = models.CharField(max_length=400, blank=True)
    raw = models.BinaryField()
    """As it came, at most its first 64 KiB."""
    size = models.PositiveIntegerField(default=0)
    """How many bytes came."""
    sha256 = models.BinaryField(default=b"")
    """Of `raw`."""
    tag = models.ForeignKey(
        Tag, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """Whose it is, known when it came; null = a stranger's, or a feed's."""
    feed = models.ForeignKey(
        Feed, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """Which feed brought it, known when it came."""
    resolved_at = models.DateTimeField(null=True)
    """When decoding it again left nothing to be done; see `Redecoding`."""

    class Meta:
        """Counted by reason and instant without reading the bytes."""

        indexes = [models.Index(fields=["reason", "received_ms"], name="quarantine_reason_at")]

    def __str__(self) -> str:
        return f"quarantined {self.id}: {self.reason}"


class Redecoding(AppendOnlyModel):
    """Something in the quarantine was decoded again: by whom, why, and what came of it."""

    id = models.BigAutoField(primary_key=True)
    item = models.BigIntegerField(db_index=True)
    """The quarantine's row, which may be dropped while this stays."""
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    why = models.TextField()
    reason_before = models.CharField(max_length=32)
    reason_after = models.CharField(max_length=32, blank=True)
    """Empty = nothing is left to be done."""
    tag = models.ForeignKey(
        Tag, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """Whose reports it held."""
    confirmed = models.BooleanField(default=False)
    """Its sender was a stranger when it came, and a person named the tag."""
    frame = models.OneToOneField(
        Frame, null=True, on_delete=models.PROTECT, related_name="redecoding"
    )
    """Under which its new reports are stored; null = it held none."""
    accepted = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"redecoding {self.id} of quarantined {self.item}"


class Cursor(models.Model):
    """How far a stage has read the table before it."""

    stage = models.CharField(max_length=32, primary_key=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.stage} at {self.position}"


class WearerState(models.Model):
    """Where the engine stands with a wearer: its state, and the next instant it must wake."""

    wearer = models.OneToOneField(
        Wearer, primary_key=True, on_delete=models.PROTECT, related_name="state"
    )
    profile = models.CharField(max_length=32)
    state = models.BinaryField()
    judged_ms = models.BigIntegerField()
    """The wearer's own clock: everything up to here is judged."""
    wake_ms = models.BigIntegerField(db_index=True)
    """The next instant at which something can go wrong with nothing arriving."""
    standing = models.CharField(max_length=16, default="no_data")
    """The gravest of its conditions' standings: clear, possible, confirmed, no_data."""
    standings = models.JSONField(default=list)
    """`engine.events.Standing` of every condition, for live pages."""
    last_report_ms = models.BigIntegerField(null=True)
    last_received_ms = models.BigIntegerField(null=True)
    fix = models.JSONField(null=True)
    """The latest believed fix: time_ms, lat, lon, accuracy_m, source, speed_mps, course_deg."""
    battery_pct = models.FloatField(null=True)
    fittings = models.JSONField(default=list)
    """`[tag, from_ms, to_ms]` of the fittings it was judged by, and the same with her number of the
    victims' devices: a changed one is judged again."""

    def __str__(self) -> str:
        return f"state of {self.wearer_id}"


class LateReports(models.Model):
    """A wearer of whom reports wait to be judged with all that came after them: see `late`."""

    wearer = models.OneToOneField(
        Wearer, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    from_ms = models.BigIntegerField()
    """The earliest, by its own time: from there the wearer is judged, perhaps again."""
    to_ms = models.BigIntegerField()
    """The latest, by its own time."""
    received_ms = models.BigIntegerField(db_index=True)
    """When the first came that waits …"""
    latest_ms = models.BigIntegerField()
    """… and the last."""
    reports = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    """So many of them were from before the wearer's clock as they came."""

    def __str__(self) -> str:
        return f"late reports of {self.wearer_id}"


class Checkpoint(models.Model):
    """A wearer's state at an earlier instant, to rewind to when late data arrives."""

    id = models.BigAutoField(primary_key=True)
    wearer = models.ForeignKey(Wearer, on_delete=models.PROTECT, related_name="+", db_index=False)
    at_ms = models.BigIntegerField()
    state = models.BinaryField()

    class Meta:
        """The latest before an instant is one index look-up."""

        constraints = [models.UniqueConstraint(fields=["wearer", "at_ms"], name="one_checkpoint")]

    def __str__(self) -> str:
        return f"checkpoint {self.id}"


class Violation(models.Model):
    """What the engine found (`engine.events.Violation`), as it stands now."""

    id = models.BigAutoField(primary_key=True)
    wearer = models.ForeignKey(Wearer, on_delete=models.PROTECT, related_name="violations")
    condition_key = models.CharField(max_length=64, blank=True)
    """Empty for what the tag itself says (tamper, battery, silence, …)."""
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=24)
    state = models.CharField(max_length=16)
    how = models.CharField(max_length=24)
    begin_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    end_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=24, blank=True)
    probability = models.FloatField()
    depth_m = models.FloatField(null=True)
    fixes = models.PositiveIntegerField()
    profile = models.CharField(max_length=32)
    why = models.JSONField(default=list)
    doubts = models.JSONField(default=list)
    first_fix_at = models.DateTimeField(null=True)
    confirming_fix_at = models.DateTimeField(null=True)
    deepest_fix_at = models.DateTimeField(null=True)
    last_fix_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)
    """When the report that decided it reached the platform; null where a deadline decided."""
    detected_at = models.DateTimeField()
    """When the engine first said it; of a confirmed violation, when it first said that."""
    late = models.BooleanField(default=False)
    """It was found only when late data arrived."""
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_why = models.CharField(max_length=200, blank=True)
    revision = models.BigIntegerField(default=1, db_index=True)
    """Grows over all violations with every change: the next stage reads on from here."""

    class Meta:
        """Found by wearer and time."""

        indexes = [models.Index(fields=["wearer", "begin_at"], name="violation_wearer_begin")]

    def __str__(self) -> str:
        return f"violation {self.id}"


class Correction(models.Model):
    """A violation changed because data came late or a condition changed: what, and why."""

    id = models.BigAutoField(primary_key=True)
    violation = models.ForeignKey(Violation, on_delete=models.PROTECT, related_name="corrections")
    at = models.DateTimeField()
    what = models.CharField(max_length=32)
    """`found_late`, `begin_moved`, `confirmed_earlier`, `confirmed_later`, `withdrawn`, …;
    `evidence_changed` where nothing but figures and words did."""
    why = models.CharField(max_length=200)
    cause = models.JSONField(default=dict)
    """By ids: `reports` (the first of them; none of those that waited their turn), `late` (how
    many) and when they came (`received_ms`);
    or the `condition`, its `version`, and by whom and when that was recorded."""
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    """`recording.INSTANTS`, `FIGURES` and, where they differ, `TEXTS`."""

    def __str__(self) -> str:
        return f"{self.what} of violation {self.violation_id}"


class PoisonReport(models.Model):
    """A report that made the engine fail: set apart after one failure, so that the rest goes on."""

    report = models.OneToOneField(
        Report, primary_key=True, on_delete=models.PROTECT, related_name="poison"
    )
    at = models.DateTimeField()
    why = models.CharField(max_length=64)
    """The kind of failure; no data of the report."""

    def __str__(self) -> str:
        return f"poison report {self.report_id}"
