"""A strap is cut twice: a person clears the first cut, and so the second is news."""

from __future__ import annotations

import pytest
import time_machine

from ringfence.desk.alerts.actions import acknowledge, add_note, close, dispose
from ringfence.desk.alerts.models import Alert
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.monitoring.detect import detect
from ringfence.desk.monitoring.models import Frame, Violation
from ringfence.engine.fix import Signal
from tests.desk.monitoring.conftest import (  # noqa: F401 -- fixtures
    Sent,
    at,
    deliver,
    fitted,
    fresh_caches,
    tag,
    zone,
)

pytestmark = pytest.mark.django_db


def cut(minute: float) -> Sent:
    return Sent(at(minute), signals=int(Signal.STRAP_CUT))


def whole(minute: float) -> Sent:
    return Sent(at(minute), signals=int(Signal.STRAP_OK))


def see_through(alert: Alert, otto) -> None:
    acknowledge(by=otto, public_id=alert.public_id)
    dispose(by=otto, public_id=alert.public_id, disposition="true", reason="Strap was cut")
    add_note(by=otto, public_id=alert.public_id, text="Cut and taped; strap replaced at 10:05")
    close(by=otto, public_id=alert.public_id)


def test_a_cut_after_a_person_cleared_the_last_one_opens_a_new_alert(zone, tag, fitted, otto):  # noqa: F811
    deliver(tag, [cut(1), whole(2)])
    detect()
    open_alerts()
    first = Alert.objects.get()
    with time_machine.travel(at(5), tick=False):
        see_through(first, otto)
    detect()
    open_alerts()
    over = Violation.objects.get(kind="tamper")
    assert (over.end_at, over.ended_by) == (at(5), "inspected")
    assert b"otto" in bytes(Frame.objects.get(door="desk").raw)
    deliver(tag, [cut(9)])
    detect()
    open_alerts()
    second = Alert.objects.exclude(pk=first.pk).get()
    assert (second.kind, second.state, second.event_at) == ("tamper", "open", at(9))
    first.refresh_from_db()
    assert first.state == "closed"


def test_a_cut_that_nobody_cleared_is_still_the_same_one(zone, tag, fitted):  # noqa: F811
    deliver(tag, [cut(1), whole(2), cut(9), whole(10)])
    detect()
    open_alerts()
    assert Alert.objects.count() == 1
    assert Violation.objects.get(kind="tamper").end_at is None
