"""An alert's page in the shapes that its template and its map want."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from ringfence.desk.alerts.models import Alert, Moment
from ringfence.desk.alerts.queries import AlertPage, Stamp
from ringfence.desk.kit.words import span

MOMENTS = {
    "opened": "Alert opened",
    "confirmed": "Confirmed",
    "upgraded": "Became graver",
    "joined": "Joined by another violation",
    "resumed": "Resumed",
    "ended": "Ended",
    "corrected": "Corrected",
    "reopened": "Back in the queue",
    "delivered": "Shown on an open control room page",
    "acknowledged": "Acknowledged",
    "note": "Note",
    "disposed": "Verdict",
    "closed": "Closed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """An instant of an alert's life, and how long after the one before it came."""

    stamp: Stamp
    after: str


def steps(stamps: Sequence[Stamp]) -> list[Step]:
    """The stamps that have an instant, in order of time, each with its delay."""
    reached = sorted((s for s in stamps if s.at is not None), key=_at)
    delays = ["", *(_delay(a, b) for a, b in pairwise(reached))]
    return [Step(stamp, delay) for stamp, delay in zip(reached, delays, strict=True)]


def marks(page: AlertPage) -> dict[datetime, str]:
    """The fixes that carried the decision, named for map and table."""
    named: dict[datetime, str] = {}
    for part in page.parts:
        found = part.violation
        # The last name wins: a fix that confirmed matters more than that it was the deepest.
        # Where a deadline confirmed, no fix has that instant, and none is named for it.
        ordered = {
            found.deepest_fix_at: "Deepest",
            found.first_fix_at: "First",
            found.confirmed_at: "Confirmed",
        }
        named |= {at: name for at, name in ordered.items() if at is not None}
    return named


def moment_title(moment: Moment) -> str:
    """A timeline line's heading."""
    return MOMENTS.get(moment.what, moment.what.replace("_", " ").capitalize())


def next_step(alert: Alert) -> str:
    """What is left to do: `acknowledge`, `verdict`, `close` or nothing."""
    if alert.state == "closed":
        return ""
    if alert.state == "open":
        return "acknowledge"
    return "close" if alert.disposition or alert.wearer_id is None else "verdict"


def _at(stamp: Stamp) -> datetime:
    if stamp.at is None:
        raise ValueError("only stamps with an instant are put in order")
    return stamp.at


def _delay(before: Stamp, after: Stamp) -> str:
    seconds = (_at(after) - _at(before)).total_seconds()
    if seconds < 0.05:
        return "at the same time"
    return f"{seconds:.1f} s later" if seconds < 10 else f"{span(seconds)} later"
