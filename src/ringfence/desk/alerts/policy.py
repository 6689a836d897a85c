"""Which violations make which alert. Pure: facts in, a decision out; `opening` writes it down.

One alert for one visit: the warning ring, the entry and a return within `REJOIN` of one condition
belong together, and the alert takes the gravest of them. What is only possible opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.desk.alerts.severity import Grade, grade_of
from ringfence.desk.alerts.titles import lasted, title_of

REJOIN = timedelta(minutes=10)
"""A return this soon is the same visit: an edge walked along is not ten alerts."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the policy needs to know of one violation."""

    id: int
    kind: str
    how: str
    confirmed: bool
    begin_at: datetime
    confirmed_at: datetime | None
    end_at: datetime | None
    ended_by: str
    depth_m: float | None
    late: bool
    withdrawn: bool

    @property
    def stands(self) -> bool:
        """It is confirmed and was not withdrawn."""
        return self.confirmed and not self.withdrawn


@dataclass(frozen=True, slots=True)
class Face:
    """What an alert says of itself, folded from its violations."""

    severity: Grade
    title: str
    ongoing: bool
    late: bool
    event_at: datetime
    confirmed_at: datetime | None
    """None where nothing confirmed stands any more: withdrawn, or now only possible."""
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Visit:
    """An alert that no person has closed: its face now, and the violations that made it."""

    face: Face
    members: tuple[Found, ...]

    def holds(self, found: Found) -> bool:
        """Whether the violation is already one of its own."""
        return any(member.id == found.id for member in self.members)


@dataclass(frozen=True, slots=True)
class Opened:
    """A new alert."""

    face: Face


@dataclass(frozen=True, slots=True)
class Updated:
    """The alert goes on, with lines for its timeline (perhaps none)."""

    face: Face
    moments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """What the alert is about is over. A person still decides and closes."""

    face: Face
    moments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """No alert comes of it, for this reason."""

    reason: str


Decision = Opened | Updated | Ended | Nothing


def decide(found: Found, risk: str, visit: Visit | None) -> Decision:
    """Decide what one violation, as it stands now, does to the alerts.

    Args:
        found: the violation.
        risk: the wearer's risk of serious harm.
        visit: the alert that it belongs to (`visit_of`), if any.
    """
    if visit is not None and (visit.holds(found) or found.stands):
        return _grown(visit, found, risk)
    if found.withdrawn:
        return Nothing("withdrawn before any alert was opened")
    if not found.confirmed:
        return Nothing("only possible: an alert needs a confirmed violation")
    return Opened(_fold((found,), risk))


def visit_of(found: Found, open_visits: Sequence[Visit]) -> int | None:
    """Which of the open alerts of the same wearer, condition and kind it belongs to.

    Returns:
        Position in `open_visits`, or None: it would be an alert of its own.
    """
    for position, visit in enumerate(open_visits):
        if visit.holds(found):
            return position
    for position, visit in enumerate(open_visits):
        if any(_touch(found, member) for member in visit.members if not member.withdrawn):
            return position
    return None


def _touch(one: Found, other: Found) -> bool:
    first, second = sorted((one, other), key=lambda f: (f.begin_at, f.id))
    return first.end_at is None or second.begin_at - first.end_at <= REJOIN


def _with(members: tuple[Found, ...], found: Found) -> tuple[Found, ...]:
    others = tuple(member for member in members if member.id != found.id)
    return tuple(sorted((*others, found), key=lambda f: (f.begin_at, f.id)))


def _fold(members: tuple[Found, ...], risk: str) -> Face:
    stand = [m for m in members if m.stands]
    told = stand or list(members)
    gravest = max(told, key=lambda m: (grade_of(m.kind, m.how, risk), m.depth_m or 0.0, -m.id))
    ongoing = any(m.end_at is None for m in stand)
    ends = [m.end_at for m in told if m.end_at is not None]
    sure = [m.confirmed_at for m in stand if m.confirmed_at is not None]
    title = title_of(gravest.kind, gravest.how, gravest.depth_m)
    if not stand:
        withdrawn = all(m.withdrawn for m in members)
        title = ("Withdrawn: " if withdrawn else "Now only possible: ") + title
    elif all(m.late for m in stand):
        title += " (found late)"
    return Face(
        severity=grade_of(gravest.kind, gravest.how, risk),
        title=title,
        ongoing=ongoing,
        late=any(m.late for m in told),
        event_at=min(m.begin_at for m in told),
        confirmed_at=min(sure, default=None),
        ended_at=None if ongoing else max(ends, default=None),
    )


def _grown(visit: Visit, found: Found, risk: str) -> Decision:
    members = _with(visit.members, found)
    old, new = visit.face, _fold(members, risk)
    # What a person was once told is grave is not made light of behind their back.
    face = Face(
        severity=max(old.severity, new.severity),
        title=new.title,
        ongoing=new.ongoing,
        late=old.late or new.late,
        event_at=new.event_at,
        confirmed_at=new.confirmed_at,
        ended_at=new.ended_at,
    )
    moments = tuple(_moments(visit, found, members, face))
    if face == old and not moments and visit.holds(found):
        return Nothing("nothing that an alert shows has changed")
    if old.ongoing and not face.ongoing:
        return Ended(face, moments)
    return Updated(face, moments)


def _moments(
    visit: Visit, found: Found, members: tuple[Found, ...], face: Face
) -> Iterator[tuple[str, str]]:
    old, joins = visit.face, not visit.holds(found)
    if face.confirmed_at is None:
        if old.confirmed_at is not None:
            yield "corrected", face.title
        return
    if face.severity > old.severity:
        yield "upgraded", f"{face.title}: now {face.severity.name.lower()}"
    elif face.ongoing and not old.ongoing:
        yield "resumed", f"{face.title}: it goes on"
    elif joins:
        again = title_of(found.kind, found.how, found.depth_m)
        yield "joined", f"{again}: part of the same visit"
    if not joins and face.event_at != old.event_at:
        yield "corrected", "Late data moved the beginning"
    if old.ongoing and not face.ongoing:
        yield "ended", _how_it_ended(members, face)


def _how_it_ended(members: tuple[Found, ...], face: Face) -> str:
    last = max((m for m in members if m.end_at and m.stands), key=lambda m: (m.end_at, m.id))
    how = {
        "condition_ended": "the condition’s time ended",
        "authorised": "an authorised absence began",
    }.get(last.ended_by, last.ended_by.replace("_", " ") or "over")
    span = lasted(face.ended_at - face.event_at) if face.ended_at else "unknown"
    return f"Ended ({how}) after {span}"
