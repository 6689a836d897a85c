"""Who wears a tag, under which order, with which conditions, to protect whom."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ringfence.desk.kit.models import AppendOnlyModel, GuardedModel, public_id


class Risk(models.TextChoices):
    """Risk of serious harm, as probation assesses it."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    VERY_HIGH = "very_high", "Very high"


class Relationship(models.TextChoices):
    """What the wearer is to the person they stalked."""

    STRANGER = "stranger", "Stranger"
    ACQUAINTANCE = "acquaintance", "Acquaintance"
    EX_PARTNER = "ex_partner", "Former partner"


class OrderType(models.TextChoices):
    """What the conditions hang on."""

    LICENCE = "licence", "Licence"
    COMMUNITY = "community_order", "Community order"
    SUSPENDED = "suspended_sentence", "Suspended sentence"
    PROTECTION = "protection_order", "Protection order"


class Wearer(GuardedModel):
    """A person whose order says that they are tagged."""

    public_id = models.CharField(max_length=16, unique=True, default=public_id)
    crn = models.CharField(max_length=16, unique=True)
    """Case reference number, `X777777`; the `wearer` of the engine and of files."""
    name = models.CharField(max_length=120, blank=True)
    risk = models.CharField(max_length=16, choices=Risk.choices, default=Risk.MEDIUM)
    relationship = models.CharField(max_length=16, choices=Relationship.choices, blank=True)
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.crn


class Victim(GuardedModel):
    """A person to be protected. Pages of others show `label` only."""

    public_id = models.CharField(max_length=16, unique=True, default=public_id)
    label = models.CharField(max_length=16, unique=True)
    """`V3`: says nothing of who or where."""
    name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.label


class Order(GuardedModel):
    """A licence, community order, suspended sentence or protection order."""

    reference = models.CharField(max_length=32, unique=True)
    wearer = models.ForeignKey(Wearer, on_delete=models.PROTECT, related_name="orders")
    type = models.CharField(max_length=24, choices=OrderType.choices)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.reference


class Condition(GuardedModel):
    """One enforceable rule of an order; what it says is in its versions."""

    key = models.CharField(max_length=64, unique=True)
    """The `condition` of the engine and of files."""
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="conditions")
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=120, blank=True)
    """For people; never an address of a victim."""
    victim = models.ForeignKey(
        Victim, null=True, blank=True, on_delete=models.PROTECT, related_name="conditions"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class ConditionVersion(AppendOnlyModel):
    """What a condition said from `effective_at` until the next version's `effective_at`."""

    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    effective_at = models.DateTimeField()
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    geometry = models.JSONField(null=True, blank=True)
    radius_m = models.FloatField(null=True, blank=True)
    width_m = models.FloatField(null=True, blank=True)
    buffer_m = models.FloatField(default=0.0)
    when = models.JSONField(default=list)
    absences = models.JSONField(default=list)
    timezone = models.CharField(max_length=64, default="Europe/London")
    distance_m = models.FloatField(null=True, blank=True)
    except_places = models.JSONField(default=list)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=150)

    class Meta:
        """Versions of a condition are numbered."""

        constraints = [
            models.UniqueConstraint(fields=["condition", "version"], name="one_of_each_version"),
        ]

    def __str__(self) -> str:
        return f"{self.condition_id} v{self.version}"


class Feed(GuardedModel):
    """Another platform that passes on what its devices said, such as a Traccar server."""

    name = models.CharField(max_length=64, unique=True)
    token_hash = models.CharField(max_length=64, db_index=True)
    """As a tag's."""
    added_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Tag(GuardedModel):
    """A device. Its token is kept as a hash; compliance hangs on the fitting."""

    name = models.CharField(max_length=64, unique=True)
    token_hash = models.CharField(max_length=64, db_index=True)
    """SHA-256 of a 256-bit random token: as strong as the token, and fast on the ingest path."""
    owntracks_key = models.BinaryField(null=True, blank=True)
    """The secret of its OwnTracks app, sealed: see `cases.sealing`."""
    old_token_hash = models.CharField(max_length=64, blank=True, db_index=True)
    """Of the token before, for as long as it works beside the new one; else empty."""
    old_token_until_at = models.DateTimeField(null=True, blank=True)
    feed = models.ForeignKey(
        Feed, null=True, blank=True, on_delete=models.PROTECT, related_name="tags"
    )
    """Who else may report for it: one feed at most."""
    added_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revision = models.BigIntegerField(default=0, db_index=True)
    """Grows over all tags with every change, so that a gateway reads on from the last it saw."""

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, under the next revision."""
        # Inside the action's transaction, which holds the write lock: no other gets the number.
        latest = Tag.objects.aggregate(latest=models.Max("revision"))["latest"] or 0
        self.revision = latest + 1
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "revision"}
        super().save(*args, **kwargs)


class TagDevice(GuardedModel):
    """How a tag names itself in a device protocol: the list of those that are let in."""

    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="devices")
    protocol = models.CharField(max_length=16, blank=True)
    """Empty = whichever brings the id: an IMEI is the world's only one."""
    device_id = models.CharField(max_length=32)
    """Its IMEI, or what else its frames say."""
    model = models.CharField(max_length=32, blank=True)
    """As its maker spells it: says what its codes mean."""
    zone = models.CharField(max_length=64, default="UTC")
    """In which its clock speaks, where its protocol sends local time."""
    added_at = models.DateTimeField()

    class Meta:
        """A device is one tag's."""

        constraints = [
            models.UniqueConstraint(fields=["protocol", "device_id"], name="a_device_is_one_tags"),
        ]

    def __str__(self) -> str:
        return f"device {self.pk} of tag {self.tag_id}"


class Fitting(GuardedModel):
    """Who wore which tag, from when until when."""

    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="fittings")
    wearer = models.ForeignKey(Wearer, on_delete=models.PROTECT, related_name="fittings")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A fitting ends after it begins; overlaps are refused by the action."""

        constraints = [
            models.CheckConstraint(
                condition=Q(to_at__isnull=True) | Q(to_at__gt=F("from_at")),
                name="fitting_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.wearer_id}"


class Carrying(GuardedModel):
    """Which victim carried which device, with her consent, from when until when.

    To a victim's device what a fitting is to a wearer's tag. Consent withdrawn ends it.
    """

    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="carryings")
    victim = models.ForeignKey(Victim, on_delete=models.PROTECT, related_name="carryings")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A carrying ends after it begins; overlaps are refused by the action."""

        constraints = [
            models.CheckConstraint(
                condition=Q(to_at__isnull=True) | Q(to_at__gt=F("from_at")),
                name="carrying_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} with victim {self.victim_id}"
