"""Which row does what the engine says now belong to? Pure.

On-time data only ever makes violations grow, so each finds its own row. Late data may move, add or
take away; then the same violation is the one that overlaps, and what is gone is withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from ringfence.engine.comparing import take_alike
from ringfence.engine.events import Violation as Said

FAR = datetime.max.replace(tzinfo=UTC)


class Row(Protocol):
    """A violation row, as far as matching goes."""

    condition_key: str
    version: int
    kind: str
    state: str
    how: str
    begin_at: datetime
    confirmed_at: datetime | None
    end_at: datetime | None
    ended_by: str
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A row and what the engine says of it now.

    Without a row it is new; without a saying it is gone.
    """

    row: Any
    said: Said | None


def pair_up(rows: Sequence[Row], said: Sequence[Said]) -> list[Pair]:
    """Match one wearer's unsettled rows with all that the engine says in their place.

    Args:
        rows: rows that were not over at the instant from which the engine judged anew.
        said: everything it found from there on, and what is open still.

    Returns:
        Every saying once, and every row that it says no more, unless withdrawn already.
    """
    pairs: list[Pair] = []
    standing = [row for row in rows if row.withdrawn_at is None]
    withdrawn = [row for row in rows if row.withdrawn_at is not None]
    left = sorted(said, key=_order)
    for pool, same in ((standing, _exact), (standing, _overlap), (withdrawn, _exact)):
        alike, left = take_alike(pool, left, same)
        pairs += [Pair(row, saying) for row, saying in alike]
    pairs += [Pair(None, saying) for saying in left]
    pairs += [Pair(row, None) for row in standing]
    return pairs


def _order(said: Said) -> tuple[datetime, str, str, str]:
    return said.begin_at, said.condition or "", said.kind, said.how


def _same_matter(row: Row, said: Said) -> bool:
    if (row.condition_key, row.kind) != (said.condition or "", said.kind):
        return False
    if said.condition is None:
        return row.how == said.how  # a cut strap and an open case are two things
    return (row.how == "approached") == (said.how == "approached")


def _exact(row: Row, said: Said) -> bool:
    return _same_matter(row, said) and row.version == said.version and row.begin_at == said.begin_at


def _overlap(row: Row, said: Said) -> bool:
    return (
        _same_matter(row, said)
        and row.begin_at <= (said.end_at or FAR)
        and said.begin_at <= (row.end_at or FAR)
    )


def corrections(row: Row, said: Said, *, grows: bool = False) -> list[str]:
    """What late data or a changed rule changes of a row, by name, what matters most first.

    Args:
        row: as it stands.
        said: what the engine says now.
        grows: leave out what data on time may change, too: that it is confirmed, that it ended.
    """
    found = []
    if row.withdrawn_at is not None:
        found.append("reinstated")
    if row.state != said.state:
        found.append("confirmed_late" if said.state == "confirmed" else "only_possible")
    elif row.confirmed_at != said.confirmed_at:
        earlier = (said.confirmed_at or FAR) < (row.confirmed_at or FAR)
        found.append("confirmed_earlier" if earlier else "confirmed_later")
    if row.begin_at != said.begin_at:
        found.append("begin_moved")
    if row.end_at != said.end_at:
        found.append("reopened" if said.end_at is None else "end_moved")
    if row.how != said.how:
        found.append("how_changed")
    if grows:
        ends = "end_moved" if row.end_at is None else ""
        found = [what for what in found if what not in ("confirmed_late", ends)]
    return found
