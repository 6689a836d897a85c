"""The stage that turns violations into alerts: reads `Violation`, asks the policy, writes rows."""

from __future__ import annotations

from datetime import timedelta

import structlog

from ringfence.desk.alerts import ahead
from ringfence.desk.alerts.models import Alert, AlertState, Moment, Notice
from ringfence.desk.alerts.policy import (
    Decision,
    Ended,
    Face,
    Nothing,
    Opened,
    decide,
    visit_of,
)
from ringfence.desk.alerts.severity import Grade
from ringfence.desk.alerts.visits import Visits, found_of
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

    In the order in which they changed; where more changed than are read at once, wearers of whom
    something pressing was found come first (`ahead`). Alerts, notices, audit rows and the reading
    position commit together or not at all.

    Args:
        limit: most violations to read; few, so that the gateway's turn to commit comes soon.

    Returns:
        How many violations were read; 0 = it has caught up.
    """
    with writing:
        return _open_alerts(limit)


@action
def _open_alerts(limit: int) -> int:
    cursor, _ = Cursor.objects.get_or_create(stage=STAGE)
    changed, position = ahead.next_of(cursor.position, limit)
    if not changed:
        return 0
    visits = Visits(changed)
    touched = {}
    for violation in changed:
        alert = _follow(violation, visits)
        if alert is not None:
            touched[alert.public_id] = alert
    at = now()
    Change.objects.bulk_create([Change(topic="alert", ref=ref, at=at) for ref in touched])
    Cursor.objects.filter(stage=STAGE).update(position=position)
    return len(changed)


def _follow(violation: Violation, visits: Visits) -> Alert | None:
    """Do what the violation asks for as it stands now; which alert that touched, if any."""
    found = found_of(violation)
    own = visits.own(violation)
    if own is not None:
        candidates = [own]
    elif not found.stands:
        candidates = []  # it opens nothing, and joins nothing
    else:
        candidates = visits.unclosed(violation)
    seen = [visits.visit(alert) for alert in candidates]
    position = visit_of(found, seen)
    if position is None:
        return _write(decide(found, violation.wearer.risk, None), violation, None, visits)
    decision = decide(found, violation.wearer.risk, seen[position])
    return _write(decision, violation, candidates[position], visits)


def _write(
    decision: Decision, violation: Violation, alert: Alert | None, visits: Visits
) -> Alert | None:
    if isinstance(decision, Nothing):
        return None
    if isinstance(decision, Opened) or alert is None:
        alert = _open(decision.face, violation)
        moments: tuple[tuple[str, str], ...] = (("opened", decision.face.title),)
        if not decision.face.ongoing:
            moments += (("ended", "Over before it was found"),)
    else:
        moments = decision.moments
        _wear(alert, decision.face)
    visits.join(alert, violation)
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
    return alert


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
