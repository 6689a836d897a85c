from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from prometheus_client import CollectorRegistry

from ringfence.desk.cases.tag_actions import add_tag
from ringfence.desk.config.housekeeping import tidy
from ringfence.desk.config.metrics import register
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.kit.models import Change
from ringfence.desk.monitoring.models import Frame, Report

pytestmark = pytest.mark.django_db


def test_the_gauges_are_true_when_asked_for(tmp_path, eve):
    registry = CollectorRegistry()
    register(tmp_path, registry)
    assert registry.get_sample_value("ringfence_oldest_unjudged_seconds") == 0
    for severity in ("inform", "attention", "urgent", "critical"):
        assert registry.get_sample_value("ringfence_alerts_open", {"severity": severity}) == 0
    assert registry.get_sample_value("ringfence_notices_undelivered") == 0
    assert (registry.get_sample_value("ringfence_disk_free_bytes") or 0) > 0

    tag, _ = add_tag(by=eve, name="T1")
    received_ms = to_ms(now()) - 30_000
    frame = Frame.objects.create(tag=tag, door="http", peer="", received_ms=received_ms, raw=b"")
    Report.objects.create(
        tag=tag, frame=frame, digest=1, time_ms=received_ms, received_ms=received_ms
    )
    waited_s = registry.get_sample_value("ringfence_oldest_unjudged_seconds")
    assert waited_s is not None
    assert 30 <= waited_s < 40


def test_housekeeping_drops_what_is_no_record(db):
    for hours in (0, 2):
        Change.objects.create(topic="alert", ref="a", at=now() - timedelta(hours=hours))
        Session.objects.create(
            session_key=str(hours), session_data="", expire_date=now() + timedelta(hours=1 - hours)
        )
    assert tidy() == 0
    assert Change.objects.count() == Session.objects.count() == 1
