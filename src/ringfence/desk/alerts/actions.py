"""What people do to an alert: take it, note, judge, close. Each with its audit row."""

from __future__ import annotations

from collections.abc import Collection

from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.alerts.models import Alert, AlertState, Disposition, Moment, Notice
from ringfence.desk.alerts.refusals import AlertRefusedError, NoSuchAlertError
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.models import Change
from ringfence.desk.kit.words import clock_time, london
from ringfence.desk.monitoring.inspecting import note_inspection

LONGEST_TEXT = 4_000


@action
def acknowledge(*, by: Actor, public_id: str) -> Alert:
    """Take an alert: “I have seen it and I am on it”.

    Raises:
        AlertRefusedError: somebody was first (who and when), or it is closed.
        NotPermittedError: the role may not handle alerts.
    """
    actor = permitted(by, Permission.HANDLE_ALERT)
    at = now()
    # The condition in the UPDATE, not the read before it, decides which of two operators is first.
    taken = Alert.objects.filter(public_id=public_id, state=AlertState.OPEN).update(
        state=AlertState.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=actor
    )
    alert = _alert(public_id)
    if not taken:
        raise AlertRefusedError(_not_open(alert))
    _say(alert, actor, "acknowledged", Event.ALERT_ACKNOWLEDGED)
    return alert


@action
def add_note(*, by: Actor, public_id: str, text: str) -> Moment:
    """Add a line to an alert's timeline; also to a closed one.

    Raises:
        AlertRefusedError: the text is empty or longer than 4,000 characters.
        NotPermittedError: the role may not handle alerts.
    """
    actor = permitted(by, Permission.HANDLE_ALERT)
    alert = _alert(public_id)
    return _say(alert, actor, "note", Event.ALERT_NOTED, text=_worded("note", text))


@action
def dispose(*, by: Actor, public_id: str, disposition: str, reason: str) -> Alert:
    """Record the human verdict on an alert; until it is closed it may be revised.

    Args:
        by: who decides.
        public_id: which alert.
        disposition: `true`, `false` or `cant_tell`.
        reason: why; required.

    Raises:
        AlertRefusedError: an unknown verdict, no reason, not acknowledged yet, or closed.
        NotPermittedError: the role may not decide alerts.
    """
    actor = permitted(by, Permission.DECIDE_ALERT)
    if disposition not in Disposition.values:
        raise AlertRefusedError(f"Choose a verdict: one of {', '.join(Disposition.values)}")
    reason = _worded("reason", reason)
    alert = _alert(public_id)
    if alert.wearer is None:
        raise AlertRefusedError("A system alert needs no verdict: close it once it is mended")
    if alert.state == AlertState.CLOSED:
        raise AlertRefusedError(f"{_closed(alert)}: add a note instead")
    if alert.state == AlertState.OPEN:
        raise AlertRefusedError("Acknowledge the alert before you give a verdict on it")
    alert.disposition, alert.disposition_reason = disposition, reason
    alert.disposed_at, alert.disposed_by = now(), actor
    alert.save()
    text = f"{Disposition(disposition).label}. {reason}"
    _say(alert, actor, "disposed", Event.ALERT_DISPOSED, text=text)
    return alert


@action
def close(*, by: Actor, public_id: str) -> Alert:
    """Close an alert that has its verdict. Closing a tamper clears it, so that the next one is new.

    Raises:
        AlertRefusedError: no verdict yet; a tamper without a person's note; closed already.
        NotPermittedError: the role may not handle alerts.
    """
    actor = permitted(by, Permission.HANDLE_ALERT)
    alert = _alert(public_id)
    if alert.state == AlertState.CLOSED:
        raise AlertRefusedError(f"{_closed(alert)}: nothing is left to do")
    if alert.wearer is not None and not alert.disposition:
        raise AlertRefusedError("Give a verdict (true, false or can’t tell) before you close it")
    if alert.kind == "tamper" and not alert.moments.filter(what="note").exists():
        # A strap cut and taped reports itself whole again (docs/alerts.md): a person must say why.
        raise AlertRefusedError("Add a note on what was found at the tag before you close a tamper")
    alert.state, alert.closed_at, alert.closed_by = AlertState.CLOSED, now(), actor
    alert.save()
    if alert.kind == "tamper" and alert.wearer is not None:
        note_inspection(by=actor, wearer=alert.wearer, at=alert.closed_at)
    _say(alert, actor, "closed", Event.ALERT_CLOSED)
    return alert


@action
def mark_delivered(*, by: Actor, public_ids: Collection[str]) -> int:
    """Stamp alerts that stand on an open page of the control room; the first time counts.

    Args:
        by: whose page it is.
        public_ids: the alerts on it.

    Returns:
        How many notices this delivered.
    """
    actor = permitted(by, Permission.SEE_CONTROL_ROOM)
    waiting = Notice.objects.filter(
        alert__public_id__in=list(public_ids), channel="control_room", delivered_at__isnull=True
    ).select_related("alert")
    at = now()
    delivered = 0
    for notice in waiting:
        if not Notice.objects.filter(pk=notice.pk, delivered_at__isnull=True).update(
            delivered_at=at
        ):
            continue
        delivered += 1
        first = Alert.objects.filter(pk=notice.alert_id, delivered_at__isnull=True)
        if first.update(delivered_at=at):
            Moment(alert=notice.alert, at=at, what="delivered", by=actor).save()
    return delivered


def _alert(public_id: str) -> Alert:
    try:
        found: Alert = Alert.objects.select_for_update().get(public_id=public_id)
    except Alert.DoesNotExist:
        raise NoSuchAlertError("There is no such alert: go back to the control room") from None
    return found


def _worded(field: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise AlertRefusedError(f"Enter a {field}: it is kept with the alert")
    if len(text) > LONGEST_TEXT:
        raise AlertRefusedError(f"The {field} is longer than 4,000 characters: shorten it")
    return text


def _not_open(alert: Alert) -> str:
    if alert.state == AlertState.CLOSED:
        return f"{_closed(alert)}: nothing is left to acknowledge"
    return (
        f"{alert.acknowledged_by} acknowledged it first, "
        f"at {clock_time(alert.acknowledged_at)}: add a note, or speak to them"
    )


def _closed(alert: Alert) -> str:
    return f"{alert.closed_by} closed it at {london(alert.closed_at)}"


def _say(alert: Alert, actor: str, what: str, event: Event, *, text: str = "") -> Moment:
    moment = Moment(alert=alert, at=now(), what=what, by=actor, text=text)
    moment.save()
    # What was written stays with the alert: a note may name people and places, the audit must not.
    record(by=actor, event=event, subject=f"alert:{alert.public_id}", detail={"alert": alert.pk})
    Change(topic="alert", ref=alert.public_id, at=moment.at).save()
    return moment
