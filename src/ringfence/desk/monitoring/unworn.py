"""Tags that nobody wears and that report all the same: for whoever looks after the tags."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from ringfence.desk.cases.models import Tag
from ringfence.desk.kit.clock import from_ms, now, to_ms
from ringfence.desk.monitoring.models import Report


@dataclass(frozen=True, slots=True)
class UnwornTag:
    """A tag, and what it reported since nobody wears it."""

    tag: Tag
    off_since_at: datetime | None
    """When it came off; None = it was never on anybody."""
    reports: int
    first_at: datetime
    last_at: datetime


def unworn_tags() -> list[UnwornTag]:
    """Tags without a wearer now that have reported since, the latest to do so first.

    By the time that the reports say. They are kept and not judged; a fitting that is recorded with
    effect from then on makes them its wearer's.
    """
    at = now()
    on = Q(fittings__from_at__lte=at) & (
        Q(fittings__to_at__isnull=True) | Q(fittings__to_at__gt=at)
    )
    off = Tag.objects.exclude(pk__in=Tag.objects.filter(on).values("pk"))
    found = []
    for tag in off.annotate(off_since_at=Max("fittings__to_at")):
        since: datetime | None = tag.off_since_at
        reports = Report.objects.filter(tag=tag)
        if since is not None:
            reports = reports.filter(time_ms__gte=to_ms(since))
        said = reports.aggregate(count=Count("pk"), first=Min("time_ms"), last=Max("time_ms"))
        if said["count"]:
            first_at, last_at = from_ms(said["first"]), from_ms(said["last"])
            found.append(UnwornTag(tag, since, said["count"], first_at, last_at))
    return sorted(found, key=lambda one: (-to_ms(one.last_at), one.tag.name))
