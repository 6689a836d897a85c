"""A device is with one person at a time, and a person has one device: what breaks that is refused.

Two devices of one victim would be one track to the engine, which then jumps between them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from ringfence.desk.cases.errors import CaseError, OverlapError
from ringfence.desk.cases.models import Carrying, Fitting, Tag, Victim, Wearer


def refuse_second_fitting(
    tag: Tag, wearer: Wearer, from_at: datetime, to_at: datetime | None
) -> None:
    """Refuse a fitting of a device that is with somebody then, or of a wearer who has another.

    Raises:
        OverlapError: which fitting or carrying is in the way, and what to do.
    """
    new = f"the new one (tag {tag.name} on {wearer.crn}) from {span(from_at, to_at)}"
    theirs = Fitting.objects.filter(Q(tag=tag) | Q(wearer=wearer))
    other = _first(theirs, from_at, to_at)
    if other is not None:
        on_wearer = other.tag_id == tag.pk
        whose = f"tag {tag.name} is on a wearer" if on_wearer else "the wearer has a tag"
        raise OverlapError(f"{whose} already: {_fitting(other)}, {new}: {_end_first(other)}")
    carried = _first(Carrying.objects.filter(tag=tag), from_at, to_at)
    if carried is not None:
        raise OverlapError(
            f"tag {tag.name} is with a victim: {_carrying(carried)}, {new}: {_end_first(carried)}"
        )


def refuse_second_carrying(
    tag: Tag, victim: Victim, from_at: datetime, to_at: datetime | None
) -> None:
    """Refuse a carrying of a device that is with somebody then, or of a victim who has another.

    Raises:
        OverlapError: which fitting or carrying is in the way, and what to do.
    """
    new = f"the new one (tag {tag.name} with {victim.label}) from {span(from_at, to_at)}"
    fitted = _first(Fitting.objects.filter(tag=tag), from_at, to_at)
    if fitted is not None:
        raise OverlapError(
            f"tag {tag.name} is on a wearer: {_fitting(fitted)}, {new}: {_end_first(fitted)}"
        )
    other = _first(Carrying.objects.filter(Q(tag=tag) | Q(victim=victim)), from_at, to_at)
    if other is not None:
        hers = other.tag_id == tag.pk
        whose = f"tag {tag.name} is with a victim" if hers else f"{victim.label} has a device"
        raise OverlapError(f"{whose} already: {_carrying(other)}, {new}: {_end_first(other)}")


def refuse_wrong_end(link: Fitting | Carrying, to_at: datetime) -> None:
    """Refuse an end of what has one already, or one before its beginning.

    Raises:
        CaseError: which of the two.
    """
    if link.to_at is not None:
        kind = type(link).__name__.lower()
        raise CaseError(f"{kind} {link.pk} ended already at {said(link.to_at)}")
    if to_at <= link.from_at:
        raise CaseError(f"to_at must be later than {said(link.from_at)}, when it began")


def said(at: datetime | None) -> str:
    """An instant in an error's words."""
    return f"{at:%d/%m/%Y %H:%M} UTC" if at else "further notice"


def span(from_at: datetime, to_at: datetime | None) -> str:
    """From when to when, in an error's words."""
    return f"{said(from_at)} to {said(to_at)}"


def _first(links: QuerySet[Any], from_at: datetime, to_at: datetime | None) -> Any:
    links = links.filter(Q(to_at__isnull=True) | Q(to_at__gt=from_at))
    if to_at is not None:
        links = links.filter(from_at__lt=to_at)
    return links.order_by("from_at").first()


def _fitting(other: Fitting) -> str:
    who = f"tag {other.tag.name} on {other.wearer.crn}"
    return f"fitting {other.pk} ({who}) runs from {span(other.from_at, other.to_at)}"


def _carrying(other: Carrying) -> str:
    who = f"tag {other.tag.name} with {other.victim.label}"
    return f"carrying {other.pk} ({who}) runs from {span(other.from_at, other.to_at)}"


def _end_first(other: Fitting | Carrying) -> str:
    link = "fitting" if isinstance(other, Fitting) else "carrying"
    return f"end {link} {other.pk} first, or choose another time"
