"""Case 13: notifications that are dropped without a word."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from ringfence.desk.accounts.models import User
from ringfence.desk.alerts.models import Alert, Notice
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.alerts.sending import overdue_notices
from ringfence.desk.cases.actions import add_wearer
from ringfence.desk.monitoring.models import Violation
from tests.engine.build import after
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=13,
    title="Notices that were dropped without a word",
    elsewhere="Notifications older than 15 minutes were dropped silently, queues lived for 30 "
    "seconds, and retries were kept in memory [S].",
    decides="A notice is a row, written in the transaction that opens its alert, and it stays "
    "one until it was delivered: the alert stood on an open control room page. One that was "
    "not after a minute is overdue, and the control room says so.",
    held_by=(
        (
            "tests/desk/alerts/test_opening.py::test_a_notice_is_overdue_until_it_stood_on"
            "_an_open_page"
        ),
        ("tests/desk/alerts/test_pages.py::test_an_alert_is_delivered_when_an_open_page_says_so"),
    ),
    not_built="E-mail, SMS, webhook and push, and the alarm that leaves the control room when "
    "a notice stays undelivered, come with notices’ own feature.",
)


@pytest.fixture
def violation() -> Violation:
    """A confirmed violation that no alert was opened for yet."""
    officer = User.objects.create_user(username="ola", password=None, role="officer")
    return Violation.objects.create(
        wearer=add_wearer(by=officer, crn="X000001"),
        condition_key="c1",
        version=1,
        kind="exclusion",
        state="confirmed",
        how="entered",
        begin_at=after(0),
        confirmed_at=after(1),
        probability=0.99,
        fixes=2,
        profile="standard/1",
        detected_at=after(1),
    )


@pytest.mark.django_db
def test_a_notice_is_overdue_for_days_until_it_is_delivered(violation) -> None:
    open_alerts()
    due = Notice.objects.get().due_at
    assert [overdue_notices(due + timedelta(days=d)).count() for d in (-1, 0, 7)] == [0, 1, 1]


@pytest.mark.django_db
def test_an_alert_without_its_notice_does_not_exist(violation) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER killed BEFORE INSERT ON alerts_notice "
            "BEGIN SELECT RAISE(ABORT, 'killed'); END"
        )
    with pytest.raises(IntegrityError, match="killed"):
        open_alerts()
    assert not Alert.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER killed")
    open_alerts()
    assert Notice.objects.count() == Alert.objects.count() == 1
