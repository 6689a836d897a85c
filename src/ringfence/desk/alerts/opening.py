"""The stage that turns violations into alerts: reads `Violation`, asks the policy, writes rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db.models import Q

from ringfence.desk.alerts.models import Alert, AlertState, AlertViolation, Moment, Notice
from ringfence.desk.alerts.policy import (
    REJOIN,
    Decision,
    Ended,
    Face,
    Found,
    Nothing,
    Opened,
    Visit,
    decide,
    visit_of,
)
from ringfence.desk.alerts.severity import Grade
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.models import Change
from ringfence.desk.kit.turns import writing
from ringfence.desk.monitoring.models import Cursor, Violation

STAGE = "alerts.opening"
ACTOR = "system:alerts.opening"
NOTICE_DUE = timedelta(seconds=60)
"""An alert that stands on no open page after a minute is itself an alarm."""
AUDITED = {
    "upgraded": Event.ALERT_UPGRADED,
    "ended": Event.ALERT_ENDED,
    "corrected": Event.ALERT_CORRECTED,
}

log = structlog.get_logger(__name__)


def open_alerts(limit: int = 20) -> int:
    """Read violations that changed since last time; open, update and end alerts accordingly.

    Alerts, notices, audit rows and the reading position commit together or not at all.

    Args:
        limit: most violations to read; few, so that the gateway's turn to commit comes soon.

    Returns:
        How many violations were read; fewer than `limit` means that it has caught up.
    """
    with writing:
        return _open_alerts(limit)


@action
def _open_alerts(limit: int) -> int:
    cursor, _ = Cursor.objects.get_or_create(stage=STAGE)
    changed = list(
        Violation.objects.filter(revision__gt=cursor.position)
        .select_related("wearer", "alert_link__alert")
        .prefetch_related("alert_link__alert__links__violation")
        .order_by("revision")[:limit]
    )
    for violation in changed:
        _follow(violation)
    if changed:
        Cursor.objects.filter(stage=STAGE).update(position=changed[-1].revision)
    return len(changed)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An alert as a row and as the policy sees it."""

    alert: Alert
    visit: Visit


def _follow(violation: Violation) -> None:
    found = found_of(violation)
    own = getattr(violation, "alert_link", None)
    if own is not None:
        candidates = [_candidate(own.alert)]
    elif not found.stands:
        candidates = []  # it opens nothing, and joins nothing
    else:
        candidates = [_candidate(alert) for alert in _unclosed(violation)]
    position = visit_of(found, [c.visit for c in candidates])
    candidate = None if position is None else candidates[position]
    decision = decide(found, violation.wearer.risk, candidate.visit if candidate else None)
    _write(decision, violation, candidate.alert if candidate else None)


def _unclosed(violation: Violation) -> list[Alert]:
    """Alerts of the same matter that are near enough in time to be the same visit."""
    rows = Alert.objects.filter(
        Q(ongoing=True) | Q(ended_at__isnull=True) | Q(ended_at__gte=violation.begin_at - REJOIN),
        wearer=violation.wearer,
        kind=violation.kind,
        condition_key=violation.condition_key,
    ).exclude(state=AlertState.CLOSED)
    if violation.end_at is not None:
        rows = rows.filter(event_at__lte=violation.end_at + REJOIN)
    return list(rows.order_by("-opened_at").prefetch_related("links__violation"))


def _candidate(alert: Alert) -> _Candidate:
    members = tuple(found_of(link.violation) for link in alert.links.all())
    face = Face(
        severity=Grade(alert.severity),
        title=alert.title,
        ongoing=alert.ongoing,
        late=alert.late,
        event_at=alert.event_at,
        confirmed_at=alert.confirmed_at,
        ended_at=alert.ended_at,
    )
    return _Candidate(alert, Visit(face, members))


def found_of(row: Violation) -> Found:
    """A violation row as the policy reads it."""
    return Found(
        id=row.pk,
        kind=row.kind,
        how=row.how,
        confirmed=row.state == "confirmed",
        begin_at=row.begin_at,
        confirmed_at=row.confirmed_at,
        end_at=row.end_at,
        ended_by=row.ended_by,
        depth_m=row.depth_m,
        late=row.late,
        withdrawn=row.withdrawn_at is not None,
    )


def _write(decision: Decision, violation: Violation, alert: Alert | None) -> None:
    if isinstance(decision, Nothing):
        return
    if isinstance(decision, Opened) or alert is None:
        alert = _open(decision.face, violation)
        moments: tuple[tuple[str, str], ...] = (("opened", decision.face.title),)
        if not decision.face.ongoing:
            moments += (("ended", "Over before it was found"),)
    else:
        moments = decision.moments
        _wear(alert, decision.face)
        AlertViolation.objects.get_or_create(violation=violation, defaults={"alert": alert})
    lost = "corrected" in [what for what, _ in moments] and alert.confirmed_at is None
    if lost and _put_back(alert):
        moments += (("reopened", "A person had closed it before its ground was taken back"),)
    for what, text in moments:
        Moment(alert=alert, at=now(), what=what, by=ACTOR, text=text).save()
        if what in AUDITED:
            _record(AUDITED[what], alert)
    if any(what in ("opened", "upgraded") for what, _ in moments):
        notify(alert)
    if isinstance(decision, Ended):
        _close_if_for_information(alert)
    if moments:
        log.info("alert", alert=alert.public_id, moments=[what for what, _ in moments])
    Change(topic="alert", ref=alert.public_id, at=now()).save()


def _open(face: Face, violation: Violation) -> Alert:
    alert = Alert(
        wearer=violation.wearer,
        kind=violation.kind,
        condition_key=violation.condition_key,
        received_at=violation.received_at,
        detected_at=violation.detected_at,
        opened_at=now(),
    )
    _wear(alert, face)
    AlertViolation(alert=alert, violation=violation).save()
    _record(Event.ALERT_OPENED, alert)
    return alert


def _wear(alert: Alert, face: Face) -> None:
    alert.severity = int(face.severity)
    alert.title = face.title
    alert.ongoing = face.ongoing
    alert.late = face.late
    alert.event_at = face.event_at
    alert.confirmed_at = face.confirmed_at
    alert.ended_at = face.ended_at
    alert.save()


def _put_back(alert: Alert) -> bool:
    """What a person took or closed and the engine no longer says must be looked at once more.

    Acknowledgement and verdict stay as they were given: they are the person's to revise.

    Returns:
        Whether it stands in the queue again, having left it.
    """
    told = alert.acknowledged_at is not None
    closed = alert.state == AlertState.CLOSED and alert.closed_by != ACTOR
    if closed:
        alert.state = AlertState.ACKNOWLEDGED if told else AlertState.OPEN
        alert.closed_at, alert.closed_by = None, ""
        alert.save()
    if told or closed:
        notify(alert, about="withdrawn")
    return closed


def _close_if_for_information(alert: Alert) -> None:
    """Let what was only for information, is surely over, and nobody took leave the queue."""
    if (
        alert.severity == Grade.INFORM
        and alert.state == AlertState.OPEN
        and alert.confirmed_at is not None
    ):
        alert.state, alert.closed_at, alert.closed_by = AlertState.CLOSED, now(), ACTOR
        alert.save()
        Moment(alert=alert, at=now(), what="closed", by=ACTOR, text="For information only").save()
        _record(Event.ALERT_CLOSED, alert)


def notify(alert: Alert, about: str = "") -> None:
    """A row until an open page shows it; one for each severity that the alert reaches.

    Args:
        alert: which.
        about: what else is told, once.
    """
    Notice.objects.get_or_create(
        key=f"{alert.public_id}:control_room:{about or alert.severity}",
        defaults={
            "alert": alert,
            "channel": "control_room",
            "created_at": now(),
            "due_at": now() + NOTICE_DUE,
        },
    )


def _record(event: Event, alert: Alert) -> None:
    record(
        by=ACTOR,
        event=event,
        subject=f"alert:{alert.public_id}",
        detail={"alert": alert.pk, "kind": alert.kind, "severity": alert.severity},
    )
