"""What changed since, on the alert's page: what matters first, the cause, figures folded."""

from __future__ import annotations

import pytest

from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.monitoring.models import Correction
from tests.desk.alerts.conftest import at

pytestmark = pytest.mark.django_db


def test_a_withdrawn_ground_and_what_changed_are_told_with_their_cause(find, alert, ola, client):
    violation = alert.links.get().violation
    cause = {"late": 1, "reports": [7], "received_ms": 1772359320000}
    was, now = {"probability": 0.998, "why": ["old"]}, {"probability": 0.9, "why": ["new"]}
    common = {"violation": violation, "why": "a report arrived late", "cause": cause}
    Correction.objects.create(at=at(5), what="evidence_changed", before=was, after=now, **common)
    Correction.objects.create(at=at(9), what="withdrawn", before=now, after=now, **common)
    find(violation, withdrawn_at=at(9), withdrawn_why="a report arrived late")
    open_alerts()
    client.force_login(ola)
    page = client.get(f"/alerts/{alert.public_id}").content.decode()
    assert "The ground of this alert is withdrawn" in page
    assert "Withdrawn: what is known now does not show it" in page
    assert "1 smaller change" in page
    assert "1 report (7), received up to" in page
    assert "99.80 %" in page


def test_a_fitting_that_was_changed_is_named_with_who_recorded_it(find, alert, ola, client):
    violation = alert.links.get().violation
    cause = {
        "tag": "LON-7",
        "ended": True,
        "recorded_by": "eve",
        "recorded_at": "2026-03-01T12:30:00+00:00",
    }
    common = {"violation": violation, "why": "a fitting was recorded or changed", "cause": cause}
    Correction.objects.create(at=at(9), what="withdrawn", before={}, after={}, **common)
    client.force_login(ola)
    page = client.get(f"/alerts/{alert.public_id}").content.decode()
    assert "tag LON-7 taken off, recorded by eve on 01/03/2026 12:30" in page
