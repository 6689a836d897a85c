from __future__ import annotations

import pytest

from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.alerts.actions import acknowledge, add_note, close, dispose, mark_delivered
from ringfence.desk.alerts.models import Alert, Moment
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.alerts.queries import alert_page
from ringfence.desk.alerts.refusals import AlertRefusedError, NoSuchAlertError
from ringfence.desk.audit import actions as audit
from ringfence.desk.audit.models import Entry
from ringfence.desk.audit.queries import entries_for, verify
from tests.desk.conftest import person

pytestmark = pytest.mark.django_db


def test_an_alert_is_seen_through_from_acknowledgement_to_close(alert, otto):
    acknowledge(by=otto, public_id=alert.public_id)
    add_note(by=otto, public_id=alert.public_id, text="Rang him; he says the bus was diverted")
    dispose(by=otto, public_id=alert.public_id, disposition="true", reason="Bus driver confirms")
    close(by=otto, public_id=alert.public_id)
    alert.refresh_from_db()
    assert (alert.state, alert.disposition) == ("closed", "true")
    assert alert.acknowledged_by == alert.disposed_by == alert.closed_by == "otto"
    said = [entry.event for entry in entries_for(f"alert:{alert.public_id}")]
    assert said == [
        "alert.closed",
        "alert.disposed",
        "alert.noted",
        "alert.acknowledged",
        "alert.opened",
    ]
    assert verify() == []
    moments = Moment.objects.filter(alert=alert).order_by("id").values_list("what", flat=True)
    assert list(moments) == ["opened", "acknowledged", "note", "disposed", "closed"]


def test_of_two_operators_the_second_is_told_who_was_first(alert, otto):
    olive = person("olive", "operator")
    acknowledge(by=otto, public_id=alert.public_id)
    with pytest.raises(AlertRefusedError, match="otto acknowledged it first, at"):
        acknowledge(by=olive, public_id=alert.public_id)
    alert.refresh_from_db()
    assert alert.acknowledged_by == "otto"


def test_a_verdict_needs_an_acknowledgement_a_reason_and_a_known_word(alert, otto):
    def judge(disposition: str, reason: str) -> Alert:
        return dispose(by=otto, public_id=alert.public_id, disposition=disposition, reason=reason)

    with pytest.raises(AlertRefusedError, match="Acknowledge the alert before"):
        judge("true", "seen")
    acknowledge(by=otto, public_id=alert.public_id)
    with pytest.raises(AlertRefusedError, match="Enter a reason"):
        judge("true", "  ")
    with pytest.raises(AlertRefusedError, match="one of true, false, cant_tell"):
        judge("perhaps", "seen")
    with pytest.raises(AlertRefusedError, match="longer than 4,000"):
        judge("true", "x" * 4001)
    assert judge("false", "The fix was wrong").disposition == "false"
    assert judge("cant_tell", "No second fix").disposition == "cant_tell"


def test_closing_needs_a_verdict_and_happens_once(alert, otto):
    with pytest.raises(AlertRefusedError, match="Give a verdict"):
        close(by=otto, public_id=alert.public_id)
    acknowledge(by=otto, public_id=alert.public_id)
    dispose(by=otto, public_id=alert.public_id, disposition="false", reason="Wrong fix")
    close(by=otto, public_id=alert.public_id)
    for refused in (
        lambda: close(by=otto, public_id=alert.public_id),
        lambda: acknowledge(by=otto, public_id=alert.public_id),
        lambda: dispose(by=otto, public_id=alert.public_id, disposition="true", reason="No"),
    ):
        with pytest.raises(AlertRefusedError, match="otto closed it at"):
            refused()
    assert add_note(by=otto, public_id=alert.public_id, text="Later: CCTV agrees").what == "note"


def test_a_tamper_closes_only_with_a_note_on_what_was_found(find, otto):
    find(kind="tamper", how="strap_cut", condition_key="", depth_m=None)
    open_alerts()
    tamper = Alert.objects.get()
    acknowledge(by=otto, public_id=tamper.public_id)
    dispose(by=otto, public_id=tamper.public_id, disposition="true", reason="Strap was cut")
    with pytest.raises(AlertRefusedError, match="note on what was found"):
        close(by=otto, public_id=tamper.public_id)
    add_note(by=otto, public_id=tamper.public_id, text="Strap cut and taped; tag replaced")
    assert close(by=otto, public_id=tamper.public_id).state == "closed"


def test_who_may_not_handle_alerts_changes_nothing(alert, ola, eve, ada, oz):
    for refused in (eve, ada, oz, ola):  # a practitioner decides alerts; operators take them
        with pytest.raises(NotPermittedError):
            acknowledge(by=refused, public_id=alert.public_id)
    for refused in (eve, ada, oz):
        with pytest.raises(NotPermittedError):
            dispose(by=refused, public_id=alert.public_id, disposition="true", reason="x")
        with pytest.raises(NotPermittedError):
            alert_page(alert.public_id, by=refused)
        with pytest.raises(NotPermittedError):
            mark_delivered(by=refused, public_ids=[alert.public_id])
    alert.refresh_from_db()
    assert alert.state == "open"
    assert alert.delivered_at is None


def test_if_the_audit_row_cannot_be_written_nothing_happened(alert, otto, monkeypatch):
    def broken(_entry: Entry) -> str:
        raise RuntimeError("no audit")

    monkeypatch.setattr(audit, "hash_of", broken)
    with pytest.raises(RuntimeError, match="no audit"):
        acknowledge(by=otto, public_id=alert.public_id)
    alert.refresh_from_db()
    assert alert.state == "open"
    assert not Moment.objects.filter(what="acknowledged").exists()


def test_a_notes_words_stay_out_of_the_audit_log(alert, otto):
    add_note(by=otto, public_id=alert.public_id, text="Vera lives at 1 Example Road")
    assert "Example" not in "".join(str(e.reason) + str(e.detail) for e in Entry.objects.all())


def test_an_unknown_alert_is_refused_by_its_id(otto, db):
    for step in (acknowledge, close):
        with pytest.raises(NoSuchAlertError):
            step(by=otto, public_id="nobody")
    with pytest.raises(NoSuchAlertError):
        alert_page("nobody", by=otto)


def test_the_page_holds_the_explanation_and_the_stamps_in_order(alert, otto):
    page = alert_page(alert.public_id, by=otto)
    assert page.parts[0].violation.condition_key == "c1"
    assert [s.what for s in page.stamps[:5]] == [
        "event",
        "confirmed",
        "received",
        "detected",
        "opened",
    ]
    reached = [s.at for s in page.stamps if s.at is not None]
    assert reached == sorted(reached)
    assert page.moments[0].what == "opened"
    assert page.trail_from_at < alert.event_at < page.trail_to_at
