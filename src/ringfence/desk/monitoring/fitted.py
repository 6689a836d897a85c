"""Who wore the tag that said it: everything hangs on the fitting, since tags are reused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import Count, Max

from ringfence.desk.cases.models import Fitting
from ringfence.desk.cases.queries import FittingSpan, all_fittings
from ringfence.desk.monitoring.rows import ROW, Worn

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class Fitted:
    """All fittings, kept in memory and read again when any was added or ended."""

    signature: tuple[int, int, int] = (-1, -1, -1)
    by_tag: dict[int, list[FittingSpan]] = field(default_factory=dict)
    by_wearer: dict[int, list[FittingSpan]] = field(default_factory=dict)

    def refresh(self) -> bool:
        """Read the fittings if they changed since last time; tell whether they did."""
        seen = Fitting.objects.aggregate(Count("id"), Max("id"), Count("to_at"))
        signature = (seen["id__count"], seen["id__max"] or 0, seen["to_at__count"])
        if signature == self.signature:
            return False
        by_tag, by_wearer = defaultdict(list), defaultdict(list)
        for span in all_fittings():
            by_tag[span.tag_id].append(span)
            by_wearer[span.wearer_id].append(span)
        self.by_tag, self.by_wearer, self.signature = dict(by_tag), dict(by_wearer), signature
        return True

    def assign(self, rows: NDArray[np.void]) -> None:
        """Fill in `wearer` of each report: who wore its tag at its own time; 0 = nobody."""
        if rows.dtype != ROW:
            raise TypeError("rows must be of dtype ROW")
        tags, times, wearers = rows["tag"].tolist(), rows["time_ms"].tolist(), rows["wearer"]
        none: list[FittingSpan] = []
        for at, (tag_id, time_ms) in enumerate(zip(tags, times, strict=True)):
            for span in self.by_tag.get(tag_id, none):
                if span.from_ms <= time_ms < span.to_ms:
                    wearers[at] = span.wearer_id

    def worn_by(self, wearer_id: int, after_ms: int, up_to_ms: int) -> list[Worn]:
        """Which tags' reports are this wearer's, later than one instant and up to another.

        Args:
            wearer_id: whose.
            after_ms: not included: judged already.
            up_to_ms: included.
        """
        return [
            Worn(s.tag_id, wearer_id, max(s.from_ms, after_ms + 1), min(s.to_ms, up_to_ms + 1))
            for s in self.by_wearer.get(wearer_id, [])
            if s.from_ms <= up_to_ms and s.to_ms > after_ms + 1
        ]

    def is_worn(self, wearer_id: int, at_ms: int) -> bool:
        """Whether the wearer has a tag on at an instant."""
        return any(s.from_ms <= at_ms < s.to_ms for s in self.by_wearer.get(wearer_id, []))

    def wearers_of(self, tag_ids: set[int]) -> set[int]:
        """Everybody who ever wore one of these tags."""
        return {span.wearer_id for tag in tag_ids for span in self.by_tag.get(tag, [])}

    def spans(self, wearer_id: int) -> list[list[int]]:
        """The wearer's fittings as `WearerState.fittings` keeps them."""
        return [[s.tag_id, s.from_ms, s.to_ms] for s in self.by_wearer.get(wearer_id, [])]


def first_difference_ms(before: list[list[int]], after: list[list[int]]) -> int | None:
    """From when on two lists of fittings put different reports on a wearer; None = nowhere."""
    was = {(tag, from_ms): to_ms for tag, from_ms, to_ms in before}
    now = {(tag, from_ms): to_ms for tag, from_ms, to_ms in after}
    differ = []
    for key in was.keys() | now.keys():
        if key not in was or key not in now:
            differ.append(key[1])
        elif was[key] != now[key]:
            differ.append(min(was[key], now[key]))
    return min(differ, default=None)
