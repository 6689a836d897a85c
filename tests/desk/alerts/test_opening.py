from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from ringfence.desk.alerts.actions import acknowledge, close, dispose, mark_delivered
from ringfence.desk.alerts.models import Alert, AlertViolation, Moment, Notice
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.alerts.queries import open_counts, queue
from ringfence.desk.alerts.sending import overdue_notices
from ringfence.desk.audit.models import Entry
from ringfence.desk.audit.queries import verify
from ringfence.desk.cases.actions import add_wearer
from ringfence.desk.cases.models import Wearer
from ringfence.desk.kit.models import Change
from tests.desk.alerts.conftest import at

pytestmark = pytest.mark.django_db


def moments(alert: Alert) -> list[str]:
    return list(Moment.objects.filter(alert=alert).order_by("id").values_list("what", flat=True))


def test_a_confirmed_violation_becomes_an_alert_with_all_its_stamps(find, wes):
    violation = find()
    assert open_alerts() == 1
    alert = Alert.objects.get()
    assert alert.wearer == wes
    assert alert.severity == 4  # high risk
    assert (alert.event_at, alert.confirmed_at) == (at(0), at(1))
    assert (alert.received_at, alert.detected_at) == (at(1.1), at(1.2))
    assert moments(alert) == ["opened"]
    assert AlertViolation.objects.get().violation == violation
    notice = Notice.objects.get()
    assert notice.due_at - notice.created_at <= timedelta(seconds=61)
    assert Change.objects.filter(topic="alert", ref=alert.public_id).exists()
    assert Entry.objects.filter(event="alert.opened", subject=f"alert:{alert.public_id}").exists()
    assert verify() == []


def test_reading_again_opens_nothing_again(find):
    find()
    assert open_alerts() == 1
    assert open_alerts() == 0
    assert Alert.objects.count() == 1


def test_a_stage_that_fails_at_its_last_statement_has_done_nothing(find):
    find()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER killed BEFORE UPDATE ON monitoring_cursor "
            "BEGIN SELECT RAISE(ABORT, 'killed'); END"
        )
    with pytest.raises(IntegrityError, match="killed"):
        open_alerts()
    assert Alert.objects.count() == Notice.objects.count() == 0
    assert Entry.objects.filter(event="alert.opened").count() == 0
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER killed")
    assert open_alerts() == 1
    assert Alert.objects.count() == 1


def test_only_possible_opens_nothing_until_it_is_confirmed(find):
    violation = find(state="possible", confirmed_at=None)
    open_alerts()
    assert Alert.objects.count() == 0
    find(violation, state="confirmed", confirmed_at=at(2))
    open_alerts()
    assert Alert.objects.count() == 1


def test_ring_entry_and_quick_return_are_one_alert(find, ola):
    ring = find(how="approached", begin_at=at(-5), confirmed_at=at(-4))
    open_alerts()
    find(ring, end_at=at(0), ended_by="entered")
    entry = find()
    find(entry, end_at=at(20), ended_by="left")
    open_alerts()
    find(begin_at=at(29), confirmed_at=at(30))
    open_alerts()
    alert = Alert.objects.get()
    assert alert.links.count() == 3
    assert alert.ongoing
    assert alert.event_at == at(-5)
    assert moments(alert)[0] == "opened"
    assert "upgraded" in moments(alert)
    assert moments(alert)[-1] == "resumed"
    keys = set(Notice.objects.values_list("key", flat=True))
    assert len(keys) == Notice.objects.count() == 2  # one for each severity it reached


def test_the_end_of_the_visit_ends_the_alert_and_leaves_it_in_the_queue(find):
    violation = find()
    open_alerts()
    find(violation, end_at=at(31), ended_by="left")
    open_alerts()
    alert = Alert.objects.get()
    assert not alert.ongoing
    assert alert.ended_at == at(31)
    assert list(queue()) == [alert]


def test_two_violations_that_end_together_end_their_alert_once(find):
    ring = find(how="approached", begin_at=at(-5), confirmed_at=at(-4))
    entry = find()
    open_alerts()
    find(ring, end_at=at(20), ended_by="left")
    find(entry, end_at=at(20), ended_by="left")
    open_alerts()
    alert = Alert.objects.get()
    assert not alert.ongoing
    assert moments(alert).count("ended") == 1
    assert Entry.objects.filter(event="alert.ended").count() == 1


def test_what_joins_an_alert_keeps_it_open_though_another_ends_in_the_same_breath(find):
    first = find()
    open_alerts()
    find(begin_at=at(25), confirmed_at=at(26))
    find(first, end_at=at(20), ended_by="left")
    open_alerts()
    alert = Alert.objects.get()
    assert alert.ongoing
    assert alert.ended_at is None
    assert "ended" not in moments(alert)


def test_two_visits_found_in_one_breath_are_one_alert_and_a_third_another(find):
    find(end_at=at(10), ended_by="left")
    find(begin_at=at(15), confirmed_at=at(16), end_at=at(20), ended_by="left")
    find(begin_at=at(31), confirmed_at=at(32))
    open_alerts()
    first, second = Alert.objects.order_by("id")
    assert (first.links.count(), first.ongoing, first.ended_at) == (2, False, at(20))
    assert (second.links.count(), second.ongoing) == (1, True)


def test_a_withdrawn_violation_is_told_and_waits_for_a_person(find):
    violation = find()
    open_alerts()
    find(violation, withdrawn_at=at(9), withdrawn_why="late data")
    open_alerts()
    alert = Alert.objects.get()
    assert alert.title.startswith("Withdrawn: ")
    assert moments(alert) == ["opened", "corrected"]
    assert alert.state == "open"


def test_what_a_person_closed_comes_back_when_its_ground_is_withdrawn(find, otto):
    violation = find()
    open_alerts()
    alert = Alert.objects.get()
    acknowledge(by=otto, public_id=alert.public_id)
    dispose(by=otto, public_id=alert.public_id, disposition="true", reason="He was seen there")
    close(by=otto, public_id=alert.public_id)
    find(violation, withdrawn_at=at(9), withdrawn_why="a report arrived late")
    open_alerts()
    alert = Alert.objects.get()
    assert alert.state == "acknowledged"
    assert (alert.disposition, alert.disposed_by) == ("true", "otto")  # a person's, and left alone
    assert moments(alert)[-2:] == ["corrected", "reopened"]
    assert alert in queue()
    assert Notice.objects.filter(alert=alert, key__endswith=":withdrawn").count() == 1
    close(by=otto, public_id=alert.public_id)
    find(violation, depth_m=3.0)
    open_alerts()
    assert Alert.objects.get().state == "closed"


def test_what_begins_after_a_person_closed_is_a_new_alert(find, alert, otto):
    acknowledge(by=otto, public_id=alert.public_id)
    dispose(by=otto, public_id=alert.public_id, disposition="true", reason="He was seen there")
    close(by=otto, public_id=alert.public_id)
    find(begin_at=at(3), confirmed_at=at(4))
    open_alerts()
    assert Alert.objects.count() == 2


@pytest.fixture
def lou(ola) -> Wearer:
    return add_wearer(by=ola, crn="X000009", risk="low")


def test_what_was_only_for_information_leaves_the_queue_when_it_is_over(find, lou):
    battery = find(wearer=lou, kind="battery", how="battery_low", condition_key="", depth_m=None)
    open_alerts()
    assert Alert.objects.get().severity == 1
    find(battery, end_at=at(60), ended_by="charging")
    open_alerts()
    alert = Alert.objects.get()
    assert (alert.state, alert.disposition) == ("closed", "")
    assert moments(alert) == ["opened", "ended", "closed"]


def test_what_needs_attention_waits_for_a_person_even_when_it_is_over(find):
    battery = find(kind="battery", how="battery_low", condition_key="", depth_m=None)
    open_alerts()
    find(battery, end_at=at(60), ended_by="charging")
    open_alerts()
    assert Alert.objects.get().state == "open"


def test_a_queue_is_gravest_first_then_newest(find):
    find(kind="battery", how="battery_low", condition_key="", depth_m=None)
    find(kind="tamper", how="strap_cut", condition_key="", depth_m=None)
    find(condition_key="c2")
    open_alerts()
    assert [a.kind for a in queue()] == ["exclusion", "tamper", "battery"]
    assert open_counts() == {1: 0, 2: 1, 3: 0, 4: 2}


def test_a_notice_is_overdue_until_it_stood_on_an_open_page(alert, otto):
    due = Notice.objects.get().due_at
    assert overdue_notices(due - timedelta(seconds=1)).count() == 0
    assert overdue_notices(due).count() == 1
    assert mark_delivered(by=otto, public_ids=[alert.public_id]) == 1
    assert mark_delivered(by=otto, public_ids=[alert.public_id]) == 0
    assert overdue_notices(due).count() == 0
    alert.refresh_from_db()
    assert alert.delivered_at is not None
    assert moments(alert) == ["opened", "delivered"]
