"""Whose report is it? Everything hangs on fitting and carrying, since devices are reused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection

from ringfence.desk.cases.carrying import Until, all_carryings, kept_away
from ringfence.desk.cases.models import Carrying, Fitting
from ringfence.desk.cases.queries import FittingSpan, all_fittings, latest_version_id
from ringfence.desk.monitoring.carried import Carried, carried
from ringfence.desk.monitoring.rows import ROW, Worn

if TYPE_CHECKING:
    from numpy.typing import NDArray

Signature = tuple[int, int, int]
UNREAD: Signature = (-1, -1, -1)
_COLUMNS = "count(*) AS {0}n, coalesce(max(id), 0) AS {0}last, count(to_at) AS {0}ended"
_SIGNATURES = (
    f"SELECT f.*, c.* FROM (SELECT {_COLUMNS.format('f')} FROM {Fitting._meta.db_table}) AS f "  # noqa: S608 -- ours
    f"CROSS JOIN (SELECT {_COLUMNS.format('c')} FROM {Carrying._meta.db_table}) AS c"
)


@dataclass(slots=True)
class Fitted:
    """All fittings and carryings, kept in memory and read again when any was added or ended."""

    signatures: tuple[Signature, Signature] = (UNREAD, UNREAD)
    """Of the fittings, of the carryings."""
    version_id: int = -1
    """Of the conditions by which `away` was read."""
    away: dict[int, Until] = field(default_factory=dict)
    """Who must keep away from whom, and until when; empty while no victim carries a device."""
    by_tag: dict[int, list[FittingSpan]] = field(default_factory=dict)
    by_wearer: dict[int, list[FittingSpan]] = field(default_factory=dict)
    carried: Carried = field(default_factory=Carried)

    def refresh(self) -> bool:
        """Read them if they changed since last time; tell whether they did."""
        fittings, carryings = _signatures()
        # While no victim carries anything, no condition changes whose report is whose.
        version_id = latest_version_id() if carryings[0] else 0
        same = self.signatures == (fittings, carryings)
        if same and self.version_id == version_id:
            return False
        away = kept_away() if carryings[0] else {}
        self.version_id = version_id
        if same and self.away == away:
            return False
        by_tag, by_wearer = defaultdict(list), defaultdict(list)
        for span in all_fittings():
            by_tag[span.tag_id].append(span)
            by_wearer[span.wearer_id].append(span)
        self.by_tag, self.by_wearer, self.away = dict(by_tag), dict(by_wearer), away
        self.carried = carried(all_carryings() if carryings[0] else (), self.by_wearer, away)
        self.signatures = (fittings, carryings)
        return True

    def assign(self, rows: NDArray[np.void]) -> NDArray[np.void]:
        """Fill in `wearer` of each report: who wore its tag at its own time; 0 = nobody.

        Returns:
            The same rows; a victim's report has `victim` set, and is there once for each wearer
            who must keep away from her.
        """
        if rows.dtype != ROW:
            raise TypeError("rows must be of dtype ROW")
        tags, times, wearers = rows["tag"].tolist(), rows["time_ms"].tolist(), rows["wearer"]
        none: list[FittingSpan] = []
        for at, (tag_id, time_ms) in enumerate(zip(tags, times, strict=True)):
            for span in self.by_tag.get(tag_id, none):
                if span.from_ms <= time_ms < span.to_ms:
                    wearers[at] = span.wearer_id
        return self.carried.handed(rows) if self.carried.by_device else rows

    def worn_by(self, wearer_id: int, after_ms: int, up_to_ms: int) -> list[Worn]:
        """Which tags' reports are this wearer's, later than one instant and up to another.

        Args:
            wearer_id: whose.
            after_ms: not included: judged already.
            up_to_ms: included.
        """
        return _between(self._own(wearer_id), after_ms, up_to_ms)

    def heard_by(self, wearer_id: int, after_ms: int, up_to_ms: int) -> list[Worn]:
        """By which reports a wearer is judged: his, and those of victims' devices.

        Args:
            wearer_id: whose.
            after_ms: not included: judged already.
            up_to_ms: included.
        """
        hers = self.carried.by_wearer.get(wearer_id, ())
        return _between([*self._own(wearer_id), *hers], after_ms, up_to_ms)

    def heard_under(self, until: Until, wearer_id: int, after_ms: int, up_to_ms: int) -> list[Worn]:
        """The same, if he had to keep away from these victims until then, and from no others."""
        hers = self.carried.near(self.by_wearer.get(wearer_id, ()), until)
        return _between([*self._own(wearer_id), *hers], after_ms, up_to_ms)

    def is_worn(self, wearer_id: int, at_ms: int) -> bool:
        """Whether the wearer has a tag on at an instant."""
        return any(s.from_ms <= at_ms < s.to_ms for s in self.by_wearer.get(wearer_id, []))

    def wearers_of(self, tag_ids: set[int]) -> set[int]:
        """Everybody who ever wore one of these tags."""
        return {span.wearer_id for tag in tag_ids for span in self.by_tag.get(tag, [])}

    def judged_by(self, tag_ids: set[int]) -> set[int]:
        """Everybody who was ever to be judged by one of these tags: its wearer, or near hers."""
        hers = {w.wearer_id for tag in tag_ids for w in self.carried.heard_of.get(tag, ())}
        return self.wearers_of(tag_ids) | hers

    def spans(self, wearer_id: int) -> list[list[int]]:
        """By what the wearer is judged, as `WearerState.fittings` keeps it."""
        own = [[s.tag_id, s.from_ms, s.to_ms] for s in self.by_wearer.get(wearer_id, [])]
        hers = self.carried.by_wearer.get(wearer_id, ())
        return [*own, *([s.tag_id, s.from_ms, s.to_ms, s.victim] for s in hers)]

    def _own(self, wearer_id: int) -> list[Worn]:
        spans = self.by_wearer.get(wearer_id, ())
        return [Worn(s.tag_id, wearer_id, s.from_ms, s.to_ms) for s in spans]


def _between(spans: list[Worn], after_ms: int, up_to_ms: int) -> list[Worn]:
    return [
        Worn(
            s.tag_id,
            s.wearer_id,
            max(s.from_ms, after_ms + 1),
            min(s.to_ms, up_to_ms + 1),
            s.victim,
        )
        for s in spans
        if s.from_ms <= up_to_ms and s.to_ms > after_ms + 1
    ]


def _signatures() -> tuple[Signature, Signature]:
    """Of the fittings and of the carryings: another one whenever a link was added or ended."""
    # One question for both, and a plain one: it is asked in every round.
    with connection.cursor() as cursor:
        cursor.execute(_SIGNATURES)
        seen = cursor.fetchone()
    return seen[:3], seen[3:]


def first_difference_ms(before: list[list[int]], after: list[list[int]]) -> int | None:
    """From when on two lists of spans put different reports on a wearer; None = nowhere."""
    was = {(tag, from_ms, *hers): to_ms for tag, from_ms, to_ms, *hers in before}
    now = {(tag, from_ms, *hers): to_ms for tag, from_ms, to_ms, *hers in after}
    differ = []
    for key in was.keys() | now.keys():
        if key not in was or key not in now:
            differ.append(key[1])
        elif was[key] != now[key]:
            differ.append(min(was[key], now[key]))
    return min(differ, default=None)
