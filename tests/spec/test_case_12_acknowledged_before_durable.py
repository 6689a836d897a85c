"""Case 12: acknowledging a device before the data is durable."""

from __future__ import annotations

import pytest
from django.db import connection

from ringfence.desk.cases.tag_actions import add_tag
from ringfence.desk.monitoring.inbox import ReportInbox
from ringfence.desk.monitoring.models import Report
from ringfence.gateway.report import KnownTag, NotStored, Receipt
from tests.desk.monitoring.test_inbox import delivery, put_all
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=12,
    title="Acknowledged before it was durable",
    elsewhere="A popular server answers the device even if its insert failed; the device then "
    "forgets, and the evidence is lost for ever [S].",
    decides="A tag is answered after the commit, which waits for the disk. If the disk is "
    "full nothing is acknowledged, the platform says that it is not ready, and the tag keeps "
    "its data. Killed in the middle of a commit, nothing that was acknowledged is lost and "
    "nothing is doubled.",
    held_by=(
        (
            "tests/desk/monitoring/test_inbox.py::test_a_full_disk_acknowledges_nothing_sa"
            "ys_so_and_is_over_by_itself"
        ),
        "tests/gateway/test_dialogue.py::test_a_reply_waits_for_the_commit",
        "tests/gateway/test_mqtt.py::test_what_could_not_be_stored_is_not_acknowledged",
        (
            "tests/live/test_acknowledged.py::test_kill_9_twenty_times_in_mid_commit_loses"
            "_and_doubles_nothing"
        ),
    ),
)


@pytest.mark.django_db(transaction=True)
def test_an_insert_that_fails_is_not_acknowledged_and_the_next_one_is() -> None:
    tag = KnownTag(add_tag(by="system:test", name="T1")[0].pk, "T1")
    inbox = ReportInbox(ring=lambda: None)
    inbox.start()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TRIGGER broken BEFORE INSERT ON monitoring_report "
                "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
        (outcome,) = put_all(inbox, [delivery(tag, 1)])
        assert isinstance(outcome, NotStored)
        assert not Report.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER broken")
        assert put_all(inbox, [delivery(tag, 1)]) == [Receipt(1, 0)]
    finally:
        inbox.stop()
