"""What lies in the quarantine: how much for which reason, and which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.models import Quarantine, Redecoding

REASONS = {
    "malformed": "Can’t be decoded",
    "refused_report": "A report that can’t be used",
    "unauthenticated": "Sender not recognised",
    "encrypted": "Encrypted, and not with the tag’s key",
    "too_many": "More than a tag may send",
    "unstorable": "Can’t be stored",
    "altered": "Not the bytes that came",
}
STATES = ("open", "resolved", "all")


@dataclass(frozen=True, slots=True)
class Tally:
    """How much was set apart for one reason."""

    reason: str
    hour: int
    day: int
    all: int
    open: int
    """Of all, what is not resolved."""


def tallies(at: datetime) -> list[Tally]:
    """Counts by reason, most first: of the last hour, the last day, and all that is kept."""
    hour, day = (Q(received_ms__gt=to_ms(at - timedelta(hours=h))) for h in (1, 24))
    rows = Quarantine.objects.values("reason").annotate(
        hour=Count("id", filter=hour),
        day=Count("id", filter=day),
        all=Count("id"),
        open=Count("id", filter=Q(resolved_at__isnull=True)),
    )
    return [Tally(**row) for row in rows.order_by("-all", "reason")]


def items(*, reason: str = "", door: str = "", state: str = "open") -> QuerySet[Quarantine]:
    """What was set apart, latest first, without its bytes.

    Args:
        reason: for this reason only.
        door: at this door only.
        state: `open`, `resolved` or `all`.
    """
    rows = Quarantine.objects.select_related("tag", "feed").defer("raw").order_by("-id")
    if reason:
        rows = rows.filter(reason=reason)
    if door:
        rows = rows.filter(door=door)
    if state != "all":
        rows = rows.filter(resolved_at__isnull=state == "open")
    return rows


def doors() -> list[str]:
    """The doors of which anything lies there."""
    return list(Quarantine.objects.order_by("door").values_list("door", flat=True).distinct())


def tries(item: Quarantine) -> QuerySet[Redecoding]:
    """What became of decoding it again, latest first."""
    return Redecoding.objects.filter(item=item.pk).select_related("tag").order_by("-id")


def in_words(reason: str) -> str:
    """A reason as pages say it."""
    return REASONS.get(reason, reason.replace("_", " ").capitalize())
