"""Which victim carries which device, and who must keep away from her."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from ringfence.desk.audit.events import Event
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.models import Carrying, Tag, Victim, Wearer
from ringfence.desk.cases.queries import NEVER_MS, engine_conditions
from ringfence.desk.kit.clock import to_ms
from ringfence.engine.conditions import Condition as Rule
from ringfence.engine.conditions import Kind


@dataclass(frozen=True, slots=True)
class CarryingSpan:
    """Who carried which device between two instants (UTC epoch ms, the end not included)."""

    tag_id: int
    victim: str
    """Her label."""
    from_ms: int
    to_ms: int


Until = dict[str, int]
"""Until when a wearer's proximities hold, UTC epoch ms, by the victim's label."""


def all_carryings() -> list[CarryingSpan]:
    """Every carrying there ever was, in order of device and time."""
    rows = Carrying.objects.select_related("victim").order_by("tag_id", "from_at")
    return [
        CarryingSpan(
            row.tag_id,
            row.victim.label,
            to_ms(row.from_at),
            to_ms(row.to_at) if row.to_at else NEVER_MS,
        )
        for row in rows
    ]


def kept_away() -> dict[int, Until]:
    """Each wearer who must keep away from somebody, by id, and until when from whom."""
    ids = dict(Wearer.objects.values_list("crn", "id"))
    by_wearer: dict[int, list[Rule]] = defaultdict(list)
    for rule in engine_conditions(kind=Kind.PROXIMITY):
        by_wearer[ids[rule.wearer]].append(rule)
    return {wearer_id: until(rules) for wearer_id, rules in by_wearer.items()}


def until(rules: Sequence[Rule]) -> Until:
    """Until when one wearer's rules keep him away from whom; those that are no proximity do not."""
    ends: Until = {}
    for rule in rules:
        if rule.kind is Kind.PROXIMITY and rule.victim is not None:
            end_ms = to_ms(rule.to_at) if rule.to_at else NEVER_MS
            ends[rule.victim] = max(end_ms, ends.get(rule.victim, end_ms))
    return ends


def victim_by_label(label: str) -> Victim | None:
    """The victim with this label."""
    return Victim.objects.filter(label=label).first()


def carrying_at(tag: Tag, at: datetime) -> Carrying | None:
    """Whose device `tag` was at that instant, if it was a victim's."""
    rows = Carrying.objects.filter(Q(to_at__isnull=True) | Q(to_at__gt=at), from_at__lte=at)
    return rows.filter(tag=tag).select_related("victim").first()


def open_carrying(tag: Tag) -> Carrying | None:
    """The carrying of `tag` that has no end yet, if any."""
    return Carrying.objects.filter(tag=tag, to_at=None).select_related("victim").first()


def carrying_told(labels: list[str]) -> dict[str, Any]:
    """By whom and when a carrying of one of these victims was recorded or ended last.

    For a correction's cause, which pages about a wearer show: so it names no device and no victim.
    Empty where the audit log has none.
    """
    ids = Victim.objects.filter(label__in=labels).values_list("public_id", flat=True)
    events = (Event.TAG_GIVEN, Event.CARRYING_ENDED)
    said = Entry.objects.filter(subject__in=[f"victim:{one}" for one in ids], event__in=events)
    latest = said.order_by("-id").first()
    if latest is None:
        return {}
    return {
        "carrying": latest.detail["carrying"],
        "ended": latest.event == Event.CARRYING_ENDED,
        "recorded_by": latest.actor,
        "recorded_at": latest.at.isoformat(),
    }
