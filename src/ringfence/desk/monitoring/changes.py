"""Whom to judge again, from when on, because a condition, a fitting or a carrying changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ringfence.desk.cases.carrying import carrying_told
from ringfence.desk.cases.queries import fitting_told, rule_changes_since
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.fitted import Fitted, first_difference_ms
from ringfence.desk.monitoring.judging import FOREVER_MS, NEVER_MS
from ringfence.desk.monitoring.models import Cursor, WearerState
from ringfence.desk.monitoring.rows import Worn, asked

Spans = list[list[int]]
"""`WearerState.fittings`."""
OWN = 3
"""Figures of a span of the wearer's own tag; a victim's device's has her number, too."""
RULES = "monitoring.rules"
"""Reading position in the versions of conditions."""


@dataclass(frozen=True, slots=True)
class Need:
    """From when on a wearer must be judged again, and why."""

    from_ms: int
    because: str
    cause: Mapping[str, Any] = field(default_factory=dict)
    """`Correction.cause`."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Who must be judged again, and how far the versions of conditions are read with that."""

    of: dict[int, Need]
    read_before: int
    read_now: int

    def add(
        self,
        wearer_id: int,
        from_ms: int,
        because: str,
        cause: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Have somebody judged again, from then on at the latest."""
        _earlier(self.of, wearer_id, Need(from_ms, because, cause))

    @property
    def any(self) -> bool:
        """Whether there is anything to do or to note."""
        return bool(self.of) or self.read_now > self.read_before


def needs(fitted: Fitted, position: int, *, look_at_fittings: bool) -> Needs:
    """Find who must be judged again.

    Args:
        fitted: all fittings and carryings, fresh.
        position: id of the last report that was judged; later ones find their wearer anyway.
        look_at_fittings: they may have changed since each wearer was judged.
    """
    before = Cursor.objects.filter(stage=RULES).values_list("position", flat=True).first() or 0
    read_now, of = before, dict[int, Need]()
    for change in rule_changes_since(before):
        read_now = max(read_now, change.version_id)
        need = Need(to_ms(change.effective_at), "a condition changed", change.told)
        _earlier(of, change.wearer_id, need)
    if look_at_fittings:
        known = dict(WearerState.objects.values_list("wearer_id", "fittings"))
        for wearer_id, from_ms in _fittings_changed(known, fitted, position):
            told = fitting_told(wearer_id)
            _earlier(of, wearer_id, Need(from_ms, "a fitting was recorded or changed", told))
        for wearer_id, from_ms in _carryings_changed(known, fitted):
            _earlier(of, wearer_id, _need_of_carrying(fitted, wearer_id, from_ms, of))
    return Needs(of, before, read_now)


def _need_of_carrying(fitted: Fitted, wearer_id: int, from_ms: int, of: Mapping[int, Need]) -> Need:
    """A condition or fitting that changed is why other reports of hers count; else a carrying."""
    if wearer_id in of:
        return replace(of[wearer_id], from_ms=from_ms)
    told = carrying_told(sorted(fitted.away.get(wearer_id, ())))
    return Need(from_ms, "a protected person’s device was given or taken back", told)


def _earlier(of: dict[int, Need], wearer_id: int, need: Need) -> None:
    if wearer_id not in of or need.from_ms < of[wearer_id].from_ms:
        of[wearer_id] = need


def _fittings_changed(
    known: Mapping[int, Spans], fitted: Fitted, position: int
) -> list[tuple[int, int]]:
    changed = []
    strangers = []
    for wearer_id in {*known, *fitted.by_wearer}:
        if wearer_id not in known:
            strangers += fitted.heard_by(wearer_id, NEVER_MS, FOREVER_MS)
            continue
        from_ms = first_difference_ms(_own(known[wearer_id]), _own(fitted.spans(wearer_id)))
        if from_ms is not None:
            changed.append((wearer_id, from_ms))
    return changed + _first_reports(strangers, position)


def _carryings_changed(known: Mapping[int, Spans], fitted: Fitted) -> Iterator[tuple[int, int]]:
    """Of whom was judged, from when on other reports of victims' devices count."""
    for wearer_id, spans in known.items():
        from_ms = first_difference_ms(_hers(spans), _hers(fitted.spans(wearer_id)))
        if from_ms is not None:
            yield wearer_id, from_ms


def _own(spans: Spans) -> Spans:
    return [span for span in spans if len(span) == OWN]


def _hers(spans: Spans) -> Spans:
    return [span for span in spans if len(span) > OWN]


def _first_reports(spans: Sequence[Worn], position: int) -> list[tuple[int, int]]:
    """The first reports that had arrived before anybody knew whose they were, by wearer."""
    if not position:
        return []
    found = asked(
        "WITH span (wearer_id, tag_id, from_ms, to_ms) AS ({values}) "
        "SELECT span.wearer_id, min(r.time_ms) FROM span CROSS JOIN monitoring_report r "
        "WHERE r.tag_id = span.tag_id AND r.time_ms >= span.from_ms "
        "AND r.time_ms < span.to_ms AND r.id <= %s GROUP BY span.wearer_id",
        [(s.wearer_id, s.tag_id, s.from_ms, s.to_ms) for s in spans],
        [position],
    )
    return list(found)
