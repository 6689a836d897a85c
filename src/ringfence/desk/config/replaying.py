"""Judge what is stored again, with another profile or other conditions. Writes nothing but that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from ringfence.desk.audit.actions import MissingReasonError, record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.carrying import until
from ringfence.desk.cases.models import Wearer
from ringfence.desk.cases.queries import engine_conditions
from ringfence.desk.config.exporting import recorded_violations
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import from_ms
from ringfence.desk.monitoring.fitted import Fitted
from ringfence.desk.monitoring.judging import NEVER_MS, Task, judge
from ringfence.desk.monitoring.models import Cursor, Report, WearerState
from ringfence.desk.monitoring.queries import STAGE
from ringfence.desk.monitoring.rows import Worn, reports_worn
from ringfence.engine import Law, Profile, compile_plan, differences, find_profile, rules_of
from ringfence.engine.conditions import Condition
from ringfence.engine.events import Violation
from ringfence.trail.replaying import NOTHING, WEEK_S, Replayed, within
from ringfence.trail.replaying_files import Change

Heard = Callable[[int, int, int], list[Worn]]
"""By what a wearer is judged after one instant and up to another: `Fitted.heard_under`."""
PIECE_MS = 14 * 86_400_000
"""So much of one wearer's trail is in memory at once: how it is chopped means nothing."""


def replay_stored(change: Change, *, by: str, why: str) -> Replayed:
    """Judge the trails of the archive again, wearer by wearer, up to where each was judged.

    With no change, what comes out is what is recorded: `Replayed.differences` is empty.

    Args:
        change: what is to be other.
        by: who looks; recorded, before anything is read.
        why: the reason.

    Raises:
        MissingReasonError: the reason is empty.
        ValueError: a wearer or a profile that is not known.
    """
    wearers = _asked_for(change)
    given = find_profile(change.profile) if change.profile else None
    _record(by, why, wearers, change)
    up_to = Cursor.objects.filter(stage=STAGE).values_list("position", flat=True).first() or 0
    fitted = Fitted()
    fitted.refresh()
    total = NOTHING
    for wearer in wearers:
        total = total + _replayed(wearer, change, given, fitted, up_to)
    return total


def _asked_for(change: Change) -> list[Wearer]:
    """Wearers of whom anything was judged, and whom the change may touch."""
    named = {change.wearer} - {None} or {c.wearer for c in change.conditions}
    rows = Wearer.objects.filter(state__isnull=False).select_related("state").order_by("crn")
    if change.profile and not change.wearer:
        named = set()
    found = list(rows.filter(crn__in=named) if named else rows)
    missing = sorted({str(n) for n in named} - {w.crn for w in found})
    if missing:
        raise ValueError(f"wearer {missing[0]}: nothing was judged of such a one: check the CRN")
    return found


@action
def _record(by: str, why: str, wearers: Sequence[Wearer], change: Change) -> None:
    if not why.strip():
        raise MissingReasonError("Say why this is judged again: --why")
    subject = f"wearer:{wearers[0].public_id}" if change.wearer else "violations"
    detail = {
        "wearers": len(wearers),
        "profile": change.profile or None,
        "conditions": sorted({c.id for c in change.conditions} | {*change.without}),
        "from": change.from_at.isoformat() if change.from_at else None,
        "to": change.to_at.isoformat() if change.to_at else None,
    }
    record(
        by=by, event=Event.VIOLATIONS_REPLAYED, subject=subject, reason=why.strip(), detail=detail
    )


def _replayed(
    wearer: Wearer, change: Change, given: Profile | None, fitted: Fitted, up_to_id: int
) -> Replayed:
    state: WearerState = wearer.state
    was = find_profile(state.profile)
    profile = given or was
    recorded = engine_conditions([wearer.pk])
    mine = tuple(c for c in change.conditions if c.wearer == wearer.crn)
    rules = Change(conditions=mine, without=change.without).rules(tuple(recorded))
    trail = _Trail(wearer, partial(fitted.heard_under, until(rules)), state.judged_ms, up_to_id)
    new = within(_judged(trail, rules, profile), change.from_at, change.to_at)
    old = within(recorded_violations(wearer.crn), change.from_at, change.to_at)
    found = differences(
        old,
        new,
        was=Law(rules_of(recorded), was.name),
        now=Law(rules_of(rules), profile.name),
    )
    return Replayed(
        wearers=1,
        reports=trail.reports,
        wearer_weeks=trail.seconds / WEEK_S,
        before=Counter(v.state for v in old),
        after=Counter(v.state for v in new),
        differences=tuple(found),
    )


class _Trail:
    """One wearer's reports, and victims' near him, as they were judged, a piece at a time."""

    def __init__(self, wearer: Wearer, heard: Heard, until_ms: int, up_to_id: int) -> None:
        self.wearer, self.until_ms = wearer, until_ms
        self._heard, self._up_to_id = heard, up_to_id
        self.reports = 0
        self.seconds = 0.0

    def first_ms(self, after_ms: int) -> int | None:
        """When the next report later than an instant was made."""
        spans = self._heard(self.wearer.pk, after_ms, self.until_ms)
        times = [t for t in map(_first_ms, spans) if t is not None]
        return min(times, default=None)

    def pieces(self) -> Iterator[Task]:
        """Tasks in order of time; what the state is before each comes from the one before."""
        clock_ms, first_ms = NEVER_MS, self.first_ms(NEVER_MS)
        begin_ms = first_ms
        while first_ms is not None:
            until_ms = min(first_ms + PIECE_MS, self.until_ms)
            worn = self._heard(self.wearer.pk, clock_ms, until_ms)
            rows = reports_worn(worn, self._up_to_id)
            self.reports += len(rows)
            first_ms = self.first_ms(until_ms)
            # No more reports, but time that went by: deadlines up to where its clock stands.
            until_ms = self.until_ms if first_ms is None else until_ms
            yield Task(self.wearer.pk, self.wearer.crn, None, clock_ms, rows, until_ms)
            clock_ms = until_ms
        if begin_ms is not None:
            self.seconds = (self.until_ms - begin_ms) / 1000


def _first_ms(span: Worn) -> int | None:
    rows = Report.objects.filter(
        tag_id=span.tag_id, time_ms__gte=span.from_ms, time_ms__lt=span.to_ms
    )
    return rows.order_by("time_ms").values_list("time_ms", flat=True).first()


def _judged(trail: _Trail, rules: Sequence[Condition], profile: Profile) -> list[Violation]:
    first_ms = trail.first_ms(NEVER_MS)
    if first_ms is None:
        return []
    plan = compile_plan(
        rules,
        profile,
        start_at=from_ms(first_ms),
        end_at=from_ms(trail.until_ms),
        wearers=[trail.wearer.crn],
    )
    state: bytes | None = None
    ended: list[Violation] = []
    still_open: list[Violation] = []
    for task in trail.pieces():
        (verdict,) = judge(plan, [replace(task, state=state)])
        state = verdict.state
        ended += [v for v in verdict.said if v.end_at is not None]
        still_open = [v for v in verdict.said if v.end_at is None]
    return [*ended, *still_open]
