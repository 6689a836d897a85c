"""Tags that nobody wears and that report all the same."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse

from ringfence.desk.cases.carrying_actions import end_carrying, give_device
from ringfence.desk.cases.models import Tag
from ringfence.desk.cases.tag_actions import end_fitting, fit_tag
from ringfence.desk.kit.clock import now
from ringfence.desk.monitoring.unworn import unworn_tags
from tests.desk.monitoring.conftest import OUTSIDE, Sent, deliver

HOUR = timedelta(hours=1)


def sent(*hours_ago: float) -> list[Sent]:
    return [Sent((now() - h * HOUR).replace(microsecond=0), OUTSIDE) for h in hours_ago]


def test_a_tag_that_was_never_on_anybody_is_shown(tag: Tag):
    assert unworn_tags() == []
    first, last = sent(5, 1)
    deliver(tag, [last, first])
    (found,) = unworn_tags()
    assert (found.tag, found.off_since_at, found.reports) == (tag, None, 2)
    assert (found.first_at, found.last_at) == (first.at, last.at)


def test_a_tag_that_is_on_somebody_is_not(eve, wes, tag: Tag):
    deliver(tag, sent(5))
    fit_tag(by=eve, tag=tag, wearer=wes, from_at=now() - 2 * HOUR)
    deliver(tag, sent(1))
    assert unworn_tags() == []


def test_a_tag_that_came_off_is_shown_with_what_it_said_since(eve, wes, tag: Tag):
    fitting = fit_tag(by=eve, tag=tag, wearer=wes, from_at=now() - 9 * HOUR)
    deliver(tag, sent(8, 7))
    end_fitting(by=eve, fitting=fitting, to_at=now() - 6 * HOUR)
    assert unworn_tags() == []
    deliver(tag, sent(5))
    (found,) = unworn_tags()
    assert (found.off_since_at, found.reports) == (fitting.to_at, 1)


def test_a_device_that_a_victim_carries_is_not_until_she_hands_it_back(eve, vera, tag: Tag):
    from_at = now() - 9 * HOUR
    carrying = give_device(by=eve, tag=tag, victim=vera, consent="form", from_at=from_at)
    deliver(tag, sent(8, 2))
    assert unworn_tags() == []
    end_carrying(by=eve, carrying=carrying, to_at=now() - 3 * HOUR, reason="handed back")
    (found,) = unworn_tags()
    assert (found.off_since_at, found.reports) == (carrying.to_at, 1)


def test_a_fitting_that_is_yet_to_begin_is_no_wearer(eve, wes, tag: Tag):
    fit_tag(by=eve, tag=tag, wearer=wes, from_at=now() + HOUR)
    deliver(tag, sent(1))
    assert [one.tag for one in unworn_tags()] == [tag]


def test_the_equipment_team_sees_it_and_others_do_not(eve, otto, ola, ada, oz, tag: Tag):
    deliver(tag, sent(1))
    for person, status in ((eve, 200), (otto, 403), (ola, 403), (ada, 403), (oz, 403)):
        client = Client()
        client.force_login(person)
        assert client.get(reverse("tags-unworn")).status_code == status
    client = Client()
    client.force_login(eve)
    assert "T1" in client.get(reverse("tags-unworn")).content.decode()
    assert reverse("tags-unworn") in client.get(reverse("wearers")).content.decode()
