"""What the engine can say, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation as found so far; the contract's output line, and the desk's row.

    The same violation is said again as it grows; `(wearer, condition, version, kind, begin)` names
    it, unless late data moves `begin`, which the desk records as a correction.
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
