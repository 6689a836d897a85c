"""While the doors were closed all tags fell silent: that accuses nobody before they could speak."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine

from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring import detect as stage
from ringfence.desk.monitoring.detect import Detector
from ringfence.desk.monitoring.models import Frame, Violation, WearerState
from ringfence.desk.monitoring.reopening import Reopening, reopening
from tests.desk.monitoring.conftest import OUTSIDE, VISIT, Sent, at, deliver, expected, stored
from tests.desk.monitoring.test_late import other  # noqa: F401 -- a second wearer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What this process knows of its doors."""
    yield
    reopening.dark_from_at = reopening.until_at = None


def heard(tag, when: datetime, door: str = "http") -> None:
    Frame.objects.create(tag=tag, door=door, peer="", received_ms=to_ms(when), raw=b"")


def opened(when: datetime) -> Reopening:
    made = Reopening()
    with time_machine.travel(when, tick=False):
        made.doors_open()
    return made


def test_deadlines_of_the_dark_wait_until_tags_could_speak(tag):
    heard(tag, at(0))
    made = opened(at(120))
    assert made.limit(at(121)) == at(0)
    assert made.limit(at(134)) == at(0)
    assert made.limit(at(135)) == at(135)
    assert made.limit(at(136)) == at(136)


def test_a_short_stop_puts_nothing_off(tag):
    heard(tag, at(0))
    assert opened(at(4)).limit(at(5)) == at(5)


def test_a_platform_that_never_heard_a_tag_puts_nothing_off():
    assert opened(at(4)).limit(at(5)) == at(5)


def test_what_people_put_in_shows_no_open_door(tag):
    heard(tag, at(0))
    heard(tag, at(119), door="import")
    assert opened(at(120)).limit(at(121)) == at(0)


def test_a_night_of_maintenance_calls_no_tag_silent_that_kept_its_fixes(zone, tag, fitted):
    deliver(tag, VISIT)
    heard(tag, VISIT[-1].at)
    while stage.detect():
        pass
    with time_machine.travel(at(600), tick=False):
        reopening.doors_open()
    assert stage.wake_due(at(601)) == 0
    kept = [Sent(at(n), OUTSIDE, received_after_s=60 * (603 - n)) for n in range(10, 603)]
    deliver(tag, kept)
    while stage.detect():
        pass
    stage.wake_due(at(616))
    assert not Violation.objects.filter(kind="silence").exists()
    assert stored() == expected([*VISIT, *kept])


def test_a_tag_that_stays_silent_is_told_when_the_time_is_over(zone, tag, fitted):
    """At its own deadline's instant, as without the closed doors."""
    deliver(tag, VISIT)
    heard(tag, VISIT[-1].at)
    while stage.detect():
        pass
    with time_machine.travel(at(600), tick=False):
        reopening.doors_open()
    stage.wake_due(at(614))
    assert not Violation.objects.filter(kind="silence").exists()
    stage.wake_due(at(615))
    assert stored() == expected(VISIT, until_ms=to_ms(at(615)))
    assert Violation.objects.get(kind="silence").begin_at < at(120)


def test_thousands_of_deadlines_fire_in_portions(zone, tag, fitted, other, monkeypatch):  # noqa: F811
    """So that the doors and the next reports get their turn in between; none is left out."""
    for theirs in (tag, other):
        deliver(theirs, VISIT)
    detector = Detector()
    while detector.detect():
        pass
    monkeypatch.setattr(stage, "MOST_WOKEN", 1)
    monkeypatch.setattr(stage, "MOST_FIRED", 1)
    assert detector.wake_due(at(600)) == 1
    assert WearerState.objects.filter(wake_ms__lte=to_ms(at(600))).exists()
    while detector.wake_due(at(600)):
        pass
    assert Violation.objects.filter(kind="silence").count() == 2
