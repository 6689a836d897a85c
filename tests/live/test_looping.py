"""A tag that sends without end: it is slowed down, told of, and delays nobody else."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.live.running import Running, add_tag

ALONE_WITHIN_S = 10.0
"""Generous for a shared machine; the bench measures it."""


@pytest.mark.heavy
def test_a_looping_tag_delays_nobody_and_raises_a_system_alert(platform: Running) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    loud = add_tag(platform.data, "T1", "W1", since.isoformat())
    quiet = add_tag(platform.data, "T2", "W2", since.isoformat())
    platform.start()
    platform.wait_ready()
    refused = 0

    def flood() -> None:
        nonlocal refused
        for round_ in range(60):
            at = since + timedelta(seconds=500 * round_)
            reports = [
                {"seq": n, "time": (at + timedelta(seconds=n)).isoformat(), "lat": 51.5, "lon": 0.1}
                for n in range(500)
            ]
            refused += not platform.post("T1", loud, reports)

    flooding = threading.Thread(target=flood)
    flooding.start()
    slowest_s = 0.0
    while flooding.is_alive():
        began_s = time.monotonic()
        report = {"time": datetime.now(UTC).isoformat(), "lat": 51.5, "lon": -0.1}
        assert platform.post("T2", quiet, [report])
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        time.sleep(0.1)
    flooding.join()
    assert slowest_s < ALONE_WITHIN_S
    assert refused >= 60 - 10_000 // 500 - 2
    stored = platform.rows(
        "SELECT COUNT(*) FROM monitoring_report r JOIN cases_tag t ON t.id = r.tag_id "
        "WHERE t.name = 'T1'"
    )
    assert 10_000 <= stored[0][0] <= 11_500
    end_s = time.monotonic() + 60
    while not platform.rows("SELECT 1 FROM alerts_alert WHERE matter LIKE 'looping:%'"):
        assert time.monotonic() < end_s, "no system alert"
        time.sleep(0.2)
    platform.wait_settled()
