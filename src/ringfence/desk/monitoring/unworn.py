"""Tags that nobody has and that report all the same: for whoever looks after the tags."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q, QuerySet

from ringfence.desk.cases.models import Carrying, Fitting, Tag
from ringfence.desk.kit.clock import from_ms, now, to_ms
from ringfence.desk.monitoring.models import Report


@dataclass(frozen=True, slots=True)
class UnwornTag:
    """A tag, and what it reported since nobody wears or carries it."""

    tag: Tag
    off_since_at: datetime | None
    """When it came off or back; None = it was never on or with anybody."""
    reports: int
    first_at: datetime
    last_at: datetime


def unworn_tags() -> list[UnwornTag]:
    """Tags without a wearer or victim now that have reported since, the latest to do so first.

    By the time that the reports say. They are kept and not judged; a fitting or carrying that is
    recorded with effect from then on makes them somebody's.
    """
    at = now()
    fitted, carried = _links(Fitting.objects.all(), at), _links(Carrying.objects.all(), at)
    found = []
    for tag in Tag.objects.exclude(pk__in=fitted.had).exclude(pk__in=carried.had):
        ends = [e for e in (fitted.ended.get(tag.pk), carried.ended.get(tag.pk)) if e is not None]
        since = max(ends, default=None)
        reports = Report.objects.filter(tag=tag)
        if since is not None:
            reports = reports.filter(time_ms__gte=to_ms(since))
        said = reports.aggregate(count=Count("pk"), first=Min("time_ms"), last=Max("time_ms"))
        if said["count"]:
            first_at, last_at = from_ms(said["first"]), from_ms(said["last"])
            found.append(UnwornTag(tag, since, said["count"], first_at, last_at))
    return sorted(found, key=lambda one: (-to_ms(one.last_at), one.tag.name))


@dataclass(frozen=True, slots=True)
class _Links:
    had: set[int]
    """Tags that somebody has now."""
    ended: dict[int, datetime]
    """When the last of a tag's links ended."""


def _links(links: QuerySet[Fitting] | QuerySet[Carrying], at: datetime) -> _Links:
    open_now = links.filter(Q(to_at__isnull=True) | Q(to_at__gt=at), from_at__lte=at)
    ended = links.filter(to_at__isnull=False).values_list("tag_id").annotate(Max("to_at"))
    return _Links(set(open_now.values_list("tag_id", flat=True)), dict(ended))
