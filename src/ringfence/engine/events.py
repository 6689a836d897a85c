"""What the engine can say, each with its evidence."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import isnan
from typing import TYPE_CHECKING, Any, Final, cast

from ringfence.engine.explain import doubts_of, why_of
from ringfence.engine.memory import NEVER
from ringfence.engine.plan import NEAR_RING, RING, RuleName
from ringfence.engine.schedule import EPOCH
from ringfence.engine.words import EndedBy, How

if TYPE_CHECKING:
    import numpy as np

    from ringfence.engine.profiles import Profile

_HOW: Final = {int(how): how.name.lower() for how in How}
_ENDED_BY: Final = {int(by): by.name.lower() for by in EndedBy}


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation as found so far; the contract's output line, and the desk's row.

    The same violation is said again as it grows; `key` names it, unless late data moves `begin`,
    which the desk records as a correction.
    """

    wearer: str
    condition: str | None
    version: int
    kind: str
    """A condition's kind, or `tamper`, `battery`, `silence`, `no_fix`, `suspected_…`."""
    state: str
    """`possible` or `confirmed`."""
    how: str
    begin_at: datetime
    confirmed_at: datetime | None
    end_at: datetime | None
    ended_by: str | None
    """`left`, `returned`, `condition_ended`, `authorised`, `cleared`, … None while open."""
    probability: float
    depth_m: float | None
    fixes: int
    profile: str
    why: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    first_fix_at: datetime | None = None
    """The fixes that carry it: first, deciding, deepest, last. The desk finds them by instant."""
    confirming_fix_at: datetime | None = None
    deepest_fix_at: datetime | None = None
    last_fix_at: datetime | None = None
    part: str = ""
    """`ring` for an approach, the signal for a device rule: tells apart what shares all else."""

    @property
    def key(self) -> tuple[str, str, int, str, str, datetime]:
        """What names this violation each time it is said."""
        condition = self.condition or ""
        return (self.wearer, condition, self.version, self.kind, self.part, self.begin_at)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one wearer stands to one condition now: what a live page shows."""

    wearer: str
    condition: str
    version: int
    state: str
    """`clear`, `possible`, `confirmed`, `no_data`, `not_in_force`."""
    probability: float | None
    """How probably the condition is being broken; None where nothing is known."""
    distance_m: float | None
    """Signed distance of the last fix to the edge, positive inside."""
    since_at: datetime | None
    why: str
    """One plain sentence with the numbers."""


def to_violation(
    row: np.void, name: RuleName, wearer: str, profile: Profile, *, end_ms: int | None
) -> Violation:
    """A violation's row, of an event or of the state, as a value with its words.

    Args:
        row: has the fields of `memory.OPEN_FIELDS`.
        name: of the rule.
        wearer: whose.
        profile: by which it was judged.
        end_ms: when it ended; None = it is open.
    """
    row = _plain(row)
    how = _HOW[row.how]
    confirmed = int(row.confirmed_ms) != NEVER
    depth_m = float(row.depth_m)
    return Violation(
        wearer=wearer,
        condition=name.condition,
        version=name.version,
        kind=name.kind,
        state="confirmed" if confirmed else "possible",
        how=how,
        begin_at=at_of(row.begin_ms),
        confirmed_at=at_of(row.confirmed_ms) if confirmed else None,
        end_at=None if end_ms is None else at_of(end_ms),
        ended_by=None if end_ms is None else _ENDED_BY[row.ended_by],
        probability=round(float(row.probability), 4),
        depth_m=None if isnan(depth_m) else round(depth_m, 1),
        fixes=int(row.fixes),
        profile=profile.name,
        why=why_of(row, name, end_ms, profile),
        doubts=doubts_of(row, name),
        first_fix_at=_fix_at(row.first_ms),
        confirming_fix_at=_fix_at(row.confirming_ms) if confirmed else None,
        deepest_fix_at=_fix_at(row.deepest_ms),
        last_fix_at=_fix_at(row.last_ms),
        part=_part(how, name),
    )


def _part(how: str, name: RuleName) -> str:
    if name.condition is None:
        return how
    return "ring" if name.role in (RING, NEAR_RING) else ""


def _plain(row: np.void) -> np.record:
    """A row of Python's own numbers: numpy takes a microsecond for each look at a field."""
    return cast("np.record", _fields(row.dtype)._make(row.tolist()))


@cache
def _fields(row: np.dtype[np.void]) -> Any:
    return namedtuple("Row", row.names or ())


def at_of(ms: int) -> datetime:
    """UTC epoch ms as an aware instant."""
    return EPOCH + timedelta(0, 0, 0, int(ms))


def _fix_at(ms: int) -> datetime | None:
    return None if int(ms) == NEVER else at_of(ms)
