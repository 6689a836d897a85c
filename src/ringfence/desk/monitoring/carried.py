"""Victims' devices: into whose stream their reports go, and when (docs/decisions/0048).

A wearer's stream takes a victim's reports while he wears a tag, she carries the device, and a
proximity about her is not over. They are hers, not his: no page, trail or file of his has them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ringfence.desk.cases.carrying import CarryingSpan, Until
from ringfence.desk.cases.queries import FittingSpan
from ringfence.desk.monitoring.rows import Worn
from ringfence.engine.fix import victim_number

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Carried:
    """All carryings, and what they mean for each wearer."""

    by_device: Mapping[int, Sequence[CarryingSpan]] = field(default_factory=dict)
    by_victim: Mapping[str, Sequence[CarryingSpan]] = field(default_factory=dict)
    heard_of: Mapping[int, Sequence[Worn]] = field(default_factory=dict)
    """By device: into whose stream its reports go."""
    by_wearer: Mapping[int, Sequence[Worn]] = field(default_factory=dict)
    """By wearer: which victims' devices' reports are in his stream."""

    def near(self, fittings: Sequence[FittingSpan], until: Until) -> list[Worn]:
        """Which victims' reports go into the stream of one wearer.

        Args:
            fittings: his.
            until: until when he must keep away from whom.
        """
        return [
            Worn(hers.tag_id, his.wearer_id, from_ms, to_ms, victim_number(label))
            for label, until_ms in until.items()
            for hers in self.by_victim.get(label, ())
            for his in fittings
            if (from_ms := max(hers.from_ms, his.from_ms))
            < (to_ms := min(hers.to_ms, his.to_ms, until_ms))
        ]

    def handed(self, rows: NDArray[np.void]) -> NDArray[np.void]:
        """Mark whose are a victim's, and hand each to every wearer who must keep away from her.

        Args:
            rows: `ROW`s; those of devices that a victim carried then are written to.

        Returns:
            The same, with a copy at the end for each further wearer.
        """
        copies: list[tuple[int, int]] = []
        for at in np.flatnonzero(np.isin(rows["tag"], list(self.by_device))).tolist():
            tag_id, time_ms = int(rows["tag"][at]), int(rows["time_ms"][at])
            for hers in self.by_device[tag_id]:
                if hers.from_ms <= time_ms < hers.to_ms:
                    rows["victim"][at] = victim_number(hers.victim)
            wearers = [
                one.wearer_id
                for one in self.heard_of.get(tag_id, ())
                if one.from_ms <= time_ms < one.to_ms
            ]
            if wearers:
                rows["wearer"][at] = wearers[0]
                copies += [(at, wearer_id) for wearer_id in wearers[1:]]
        if not copies:
            return rows
        more = rows[[at for at, _ in copies]]
        more["wearer"] = [wearer_id for _, wearer_id in copies]
        return np.concatenate([rows, more])


def carried(
    carryings: Iterable[CarryingSpan],
    fittings: Mapping[int, Sequence[FittingSpan]],
    away: Mapping[int, Until],
) -> Carried:
    """What carryings mean for each wearer.

    Args:
        carryings: all.
        fittings: by wearer.
        away: who must keep away from whom, and until when, by wearer.
    """
    by_device, by_victim = defaultdict(list), defaultdict(list)
    for span in carryings:
        by_device[span.tag_id].append(span)
        by_victim[span.victim].append(span)
    found = Carried(dict(by_device), dict(by_victim))
    by_wearer = {w: found.near(fittings.get(w, ()), until) for w, until in away.items()}
    heard_of = defaultdict(list)
    for spans in by_wearer.values():
        for one in spans:
            heard_of[one.tag_id].append(one)
    kept = {w: spans for w, spans in by_wearer.items() if spans}
    return Carried(found.by_device, found.by_victim, dict(heard_of), kept)
