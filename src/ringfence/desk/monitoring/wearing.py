"""Who wore or carried which tag when, for a long pass over many reports."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from ringfence.desk.cases.carrying import CarryingSpan, all_carryings
from ringfence.desk.cases.models import Wearer
from ringfence.desk.cases.queries import FittingSpan, all_fittings


class Wearing:
    """Every fitting and carrying, from one reading of the database."""

    def __init__(self) -> None:
        self._crns = dict(Wearer.objects.values_list("id", "crn"))
        self.crns = frozenset(self._crns.values())
        """Of every wearer there is."""
        self._spans: dict[int, list[FittingSpan]] = defaultdict(list)
        for span in all_fittings():
            self._spans[span.tag_id].append(span)
        self._carried: dict[int, list[CarryingSpan]] = defaultdict(list)
        for carrying in all_carryings():
            self._carried[carrying.tag_id].append(carrying)

    def crn(self, tag_id: int, time_ms: int) -> str:
        """The wearer's CRN; empty where the tag was on nobody."""
        spans = self._spans.get(tag_id, [])
        at = bisect_right(spans, time_ms, key=lambda s: s.from_ms) - 1
        return self._crns[spans[at].wearer_id] if at >= 0 and time_ms < spans[at].to_ms else ""

    def is_victims(self, tag_id: int, time_ms: int) -> bool:
        """Whether a victim carried the device then."""
        spans = self._carried.get(tag_id)
        return spans is not None and any(s.from_ms <= time_ms < s.to_ms for s in spans)
