"""What goes wrong with the platform or its tags: an alert without a wearer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from ringfence.desk.alerts import actions
from ringfence.desk.alerts.models import Alert, Moment, Notice
from ringfence.desk.alerts.refusals import AlertRefusedError
from ringfence.desk.alerts.system import SystemWatch
from ringfence.desk.alerts.troubles import FAILED_IN_A_ROW, QUARANTINE_LIMIT
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.models import Tag
from ringfence.desk.cases.tag_actions import add_tag
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.monitoring.models import Frame, Quarantine, Report

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock(time_machine) -> Any:
    time_machine.move_to(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False)
    return time_machine


@pytest.fixture
def tag(eve) -> Tag:
    return add_tag(by=eve, name="T1")[0]


def set_apart(reason: str, count: int = 1, tag: Tag | None = None) -> None:
    Quarantine.objects.bulk_create(
        Quarantine(door="tcp", peer="p", received_ms=to_ms(now()), reason=reason, raw=b"", tag=tag)
        for _ in range(count)
    )


def test_a_looping_tag_is_one_alert_however_long_it_lasts(tag, clock):
    watch = SystemWatch()
    assert watch() == 0
    for _ in range(5):
        set_apart("too_many", tag=tag)
        clock.shift(MINUTE)
        watch()
    (alert,) = Alert.objects.all()
    assert (alert.kind, alert.wearer, alert.ongoing) == ("system", None, True)
    assert "T1" in alert.title
    assert alert.severity == 2
    assert [m.what for m in alert.moments.all()] == ["opened"]
    assert Notice.objects.filter(alert=alert).count() == 1
    assert [e.event for e in Entry.objects.filter(subject=f"alert:{alert.public_id}")] == [
        "alert.opened"
    ]


def test_what_is_over_ends_the_alert_and_what_is_back_resumes_it(tag, clock):
    watch = SystemWatch()
    set_apart("too_many", tag=tag)
    watch()
    clock.shift(11 * MINUTE)
    assert watch() == 1
    alert = Alert.objects.get()
    assert (alert.ongoing, alert.ended_at) == (False, now())
    set_apart("too_many", tag=tag)
    assert watch() == 1
    assert [m.what for m in Moment.objects.order_by("id")] == ["opened", "ended", "resumed"]
    assert watch() == 0


def test_a_watch_that_was_restarted_goes_on_with_what_is_open(tag, clock):
    set_apart("too_many", tag=tag)
    SystemWatch()()
    assert SystemWatch()() == 0
    clock.shift(11 * MINUTE)
    assert SystemWatch()() == 1
    assert not Alert.objects.get().ongoing


def test_a_closed_alert_stays_closed_and_the_next_is_new(tag, otto, clock):
    watch = SystemWatch()
    set_apart("too_many", tag=tag)
    watch()
    first = Alert.objects.get()
    with pytest.raises(AlertRefusedError, match="no verdict"):
        actions.dispose(by=otto, public_id=first.public_id, disposition="true", reason="so")
    actions.acknowledge(by=otto, public_id=first.public_id)
    actions.close(by=otto, public_id=first.public_id)
    watch()
    assert Alert.objects.count() == 2


def test_a_quarantine_that_fills_is_told_with_the_reasons(clock):
    watch = SystemWatch()
    set_apart("malformed", QUARANTINE_LIMIT - 1)
    assert watch() == 0
    set_apart("unauthenticated")
    assert watch() == 1
    text = Moment.objects.get().text
    assert f"{QUARANTINE_LIMIT - 1} malformed, 1 unauthenticated" in text


def test_what_was_set_apart_slowly_is_not_told(clock):
    watch = SystemWatch()
    for _ in range(3):
        set_apart("malformed", QUARANTINE_LIMIT // 2)
        clock.shift(11 * MINUTE)
        assert watch() == 0


def report(tag: Tag, peer: str, lat: float, at: datetime) -> None:
    frame = Frame.objects.create(tag=tag, door="tcp", peer=peer, received_ms=to_ms(at), raw=b"")
    Report.objects.create(
        tag=tag,
        frame=frame,
        digest=to_ms(at),
        time_ms=to_ms(at),
        received_ms=to_ms(at),
        lat_e7=round(lat * 1e7),
        lon_e7=0,
        accuracy_m=8.0,
    )


def test_two_devices_that_report_as_one_tag_are_told(tag, clock):
    watch = SystemWatch()
    watch()
    for n in range(6):
        report(tag, "ab"[n % 2], [51.5, 53.8][n % 2], now())
        clock.shift(timedelta(seconds=20))
        watch()
    (alert,) = Alert.objects.all()
    assert alert.title == "Suspected spoofing: two devices report as tag T1"
    assert alert.severity == 3


def test_a_stage_that_fails_again_and_again_is_told():
    failures = {"monitoring.detect": FAILED_IN_A_ROW - 1}
    watch = SystemWatch(failures.items)
    assert watch() == 0
    failures["monitoring.detect"] += 1
    assert watch() == 1
    assert Alert.objects.get().severity == 4
    failures["monitoring.detect"] = 0
    assert watch() == 1
    assert not Alert.objects.get().ongoing


def test_alerts_that_reach_nobody_are_told_of(wes, clock):
    at = now()

    @action
    def open_one() -> None:
        alert = Alert(
            wearer=wes, kind="tamper", severity=3, title="Strap cut", event_at=at, detected_at=at,
            opened_at=at,
        )  # fmt: skip
        alert.save()
        Notice(alert=alert, channel="control_room", key="k", created_at=at, due_at=at).save()

    open_one()
    watch = SystemWatch()
    clock.shift(9 * MINUTE)
    assert watch() == 0
    clock.shift(2 * MINUTE)
    assert watch() == 1
    assert Alert.objects.get(kind="system").matter == "undelivered"


def test_notices_that_reach_nobody_are_told_but_not_of_themselves(tag, clock):
    watch = SystemWatch()
    set_apart("too_many", tag=tag)
    watch()
    clock.shift(timedelta(hours=1))
    watch()
    watch()
    assert [a.matter for a in Alert.objects.all()] == [f"looping:{tag.pk}"]


def test_an_alert_is_about_a_wearer_or_the_system(wes):
    def make(**said: Any) -> None:
        at = now()
        action(
            lambda: Alert(
                severity=1, title="x", event_at=at, detected_at=at, opened_at=at, **said
            ).save()
        )()

    with pytest.raises(IntegrityError):
        make(kind="system", matter="")
    with pytest.raises(IntegrityError):
        make(kind="system", matter="x", wearer=wes)


def test_it_stands_in_the_queue_and_has_a_page_without_a_map(tag, otto, ola):
    set_apart("too_many", tag=tag)
    SystemWatch()()
    alert = Alert.objects.get()
    client = Client()
    client.force_login(otto)
    for page in ("control-room", "queue", "alerts"):
        shown = client.get(reverse(page)).content.decode()
        assert "Tag T1 sends without end" in shown
    page = client.get(reverse("alert", args=[alert.public_id])).content.decode()
    assert "Look at the tag" in page
    assert "data-trail" not in page
    for part in ("alert-trail", "alert-zones"):
        assert client.get(reverse(part, args=[alert.public_id])).status_code == 404
    looks = Entry.objects.filter(event="person.looked_at")
    assert not looks.filter(subject__startswith="wearer:").exists()
    for deed in ("acknowledge", "close"):
        done = client.post(reverse(f"alert-{deed}", args=[alert.public_id]), follow=True)
        assert done.status_code == 200
    assert Alert.objects.get().state == "closed"
    assert "Closed by otto" in client.get(reverse("alert", args=[alert.public_id])).content.decode()
    assert "Tag T1" in client.get(reverse("alerts") + "?show=closed").content.decode()


def test_a_note_without_text_comes_back_with_its_error(tag, otto):
    set_apart("too_many", tag=tag)
    SystemWatch()()
    client = Client()
    client.force_login(otto)
    address = reverse("alert-note", args=[Alert.objects.get().public_id])
    answer = client.post(address, {"text": ""})
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
