"""Who wears what, and which rules hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from django.db.models import Max, Q, QuerySet

from ringfence.desk.audit.events import Event
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.models import ConditionVersion, Feed, Fitting, Tag, Wearer
from ringfence.desk.cases.versions import condition_of
from ringfence.desk.kit.clock import now, to_ms
from ringfence.engine.conditions import Condition as Rule
from ringfence.engine.conditions import Kind

NEVER_MS = 2**63 - 1
"""The end of a fitting that is still on."""


@dataclass(frozen=True, slots=True)
class FittingSpan:
    """Who wore which tag between two instants (UTC epoch ms, the end not included)."""

    fitting_id: int
    tag_id: int
    wearer_id: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A version of a wearer's condition, and from when on it holds."""

    version_id: int
    wearer_id: int
    effective_at: datetime
    key: str
    version: int
    recorded_by: str
    recorded_at: datetime

    @property
    def told(self) -> dict[str, Any]:
        """Which condition, and who changed it when: for a correction's cause."""
        return {
            "condition": self.key,
            "version": self.version,
            "recorded_by": self.recorded_by,
            "recorded_at": self.recorded_at.isoformat(),
        }


def engine_conditions(
    wearers: Collection[int] | None = None, *, kind: Kind | None = None
) -> list[Rule]:
    """Every version of every condition, each clipped to the time in which it is the one in force.

    Args:
        wearers: ids of the wearers asked for; None = all.
        kind: of this kind only; None = of all.

    Returns:
        In order of key and version; `wearer` is the CRN, `id` the condition's key.
    """
    rows = ConditionVersion.objects.select_related("condition__order__wearer", "condition__victim")
    if wearers is not None:
        rows = rows.filter(condition__order__wearer__in=wearers)
    if kind is not None:
        rows = rows.filter(condition__kind=kind)
    ordered = list(rows.order_by("condition__key", "version"))
    rules: list[Rule] = []
    for row, successor in zip_longest(ordered, ordered[1:]):
        follows = successor is not None and successor.condition_id == row.condition_id
        rule = condition_of(row, successor.effective_at if successor and follows else None)
        if rule is not None:
            rules.append(rule)
    return rules


def latest_version_id() -> int:
    """Grows whenever any condition is added, changed or ended: a cheap "look again"."""
    return ConditionVersion.objects.aggregate(latest=Max("id"))["latest"] or 0


def rule_changes_since(version_id: int) -> list[RuleChange]:
    """What was added, changed or ended after version row `version_id`, in that order."""
    rows = (
        ConditionVersion.objects.filter(id__gt=version_id)
        .order_by("id")
        .values_list(
            "id",
            "condition__order__wearer_id",
            "effective_at",
            "condition__key",
            "version",
            "recorded_by",
            "recorded_at",
        )
    )
    return [RuleChange(*row) for row in rows]


def fittings_between(
    from_at: datetime, to_at: datetime, *, tags: Iterable[int] | None = None
) -> list[FittingSpan]:
    """The fittings that touch an interval, in order of tag and time.

    Args:
        from_at: start of the interval.
        to_at: its end.
        tags: ids of the tags asked for; None = all.
    """
    rows = Fitting.objects.filter(
        Q(to_at__isnull=True) | Q(to_at__gt=from_at), from_at__lte=to_at
    ).order_by("tag_id", "from_at")
    if tags is not None:
        rows = rows.filter(tag_id__in=list(tags))
    return [_span(row) for row in rows]


def all_fittings(*, wearers: Iterable[int] | None = None) -> list[FittingSpan]:
    """Every fitting there ever was, in order of tag and time; of some wearers, or of all."""
    rows = Fitting.objects.order_by("tag_id", "from_at")
    if wearers is not None:
        rows = rows.filter(wearer_id__in=list(wearers))
    return [_span(row) for row in rows]


def fitting_told(wearer_id: int) -> dict[str, Any]:
    """Which fitting of a wearer's was recorded or ended last, by whom and when, as on record.

    For a correction's cause; empty where the audit log has none.
    """
    wearer = Wearer.objects.get(pk=wearer_id)
    events = (Event.TAG_FITTED, Event.FITTING_ENDED)
    said = Entry.objects.filter(subject=f"wearer:{wearer.public_id}", event__in=events)
    latest = said.order_by("-id").first()
    if latest is None:
        return {}
    return {
        "tag": Tag.objects.get(pk=latest.detail["tag"]).name,
        "ended": latest.event == Event.FITTING_ENDED,
        "recorded_by": latest.actor,
        "recorded_at": latest.at.isoformat(),
    }


def wearer_of(tag: Tag, at: datetime) -> Wearer | None:
    """Who wore `tag` at that instant, if anybody."""
    fitting = _worn(at).filter(tag=tag).select_related("wearer").first()
    return fitting.wearer if fitting else None


def tag_of(wearer: Wearer, at: datetime) -> Tag | None:
    """Which tag `wearer` wore at that instant, if any."""
    fitting = _worn(at).filter(wearer=wearer).select_related("tag").first()
    return fitting.tag if fitting else None


def tag_by_token_hash(token_hash: str) -> Tag | None:
    """The tag whose token has this hash, or had it until not long ago, unless it is revoked."""
    return tags_by_token_hash([token_hash]).get(token_hash)


def tags_by_token_hash(hashes: Collection[str]) -> dict[str, Tag]:
    """The tags with these tokens, or with these as the old ones that work still, by the hash."""
    rows = Tag.objects.filter(revoked_at__isnull=True)
    found = {
        tag.old_token_hash: tag
        for tag in rows.filter(old_token_hash__in=hashes, old_token_until_at__gt=now())
    }
    return found | {tag.token_hash: tag for tag in rows.filter(token_hash__in=hashes)}


def tag_by_name(name: str) -> Tag | None:
    """The tag of this name, revoked or not."""
    return Tag.objects.filter(name=name).first()


def feed_by_name(name: str) -> Feed | None:
    """The feed of this name, revoked or not."""
    return Feed.objects.filter(name=name).first()


def wearer_by_crn(crn: str) -> Wearer | None:
    """The wearer with this case reference number."""
    return Wearer.objects.filter(crn=crn).first()


def _worn(at: datetime) -> QuerySet[Fitting]:
    return Fitting.objects.filter(Q(to_at__isnull=True) | Q(to_at__gt=at), from_at__lte=at)


def _span(row: Fitting) -> FittingSpan:
    return FittingSpan(
        fitting_id=row.pk,
        tag_id=row.tag_id,
        wearer_id=row.wearer_id,
        from_ms=to_ms(row.from_at),
        to_ms=to_ms(row.to_at) if row.to_at else NEVER_MS,
    )
