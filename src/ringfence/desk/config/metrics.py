"""What `/metrics` reads from the database and the disk at the moment it is asked."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import close_old_connections
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.registry import Collector

from ringfence.desk.alerts.models import Severity
from ringfence.desk.alerts.queries import open_counts
from ringfence.desk.alerts.sending import overdue_notices
from ringfence.desk.config.plain import Send, respond
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.monitoring.queries import oldest_late_ms, oldest_unjudged_ms

_asked = threading.Lock()


class DeskCollector(Collector):
    """Gauges that are true when asked for, so that no stage has to keep them."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name nothing in advance: registering must not read the database."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read them."""
        alerts = GaugeMetricFamily(
            "ringfence_alerts_open", "Alerts that no person has closed.", labels=["severity"]
        )
        for severity, count in open_counts().items():
            alerts.add_metric([Severity(severity).name.lower()], count)
        yield alerts
        yield GaugeMetricFamily(
            "ringfence_notices_undelivered",
            "Notices past their due time that nobody has seen.",
            value=overdue_notices(now()).count(),
        )
        oldest = min((ms for ms in (oldest_unjudged_ms(), oldest_late_ms()) if ms), default=None)
        yield GaugeMetricFamily(
            "ringfence_oldest_unjudged_seconds",
            "How long the oldest report has waited for its judgement.",
            value=0.0 if oldest is None else max(0.0, (to_ms(now()) - oldest) / 1000),
        )
        yield GaugeMetricFamily(
            "ringfence_disk_free_bytes",
            "Free space where the data folder is.",
            value=shutil.disk_usage(self._data).free,
        )


def register(data: Path, registry: CollectorRegistry = REGISTRY) -> None:
    """Add the desk's gauges to the process's metrics."""
    registry.register(DeskCollector(data))


async def answer_metrics(send: Send) -> None:
    """All metrics of this process in Prometheus's text format."""
    text = await asyncio.to_thread(_read)
    await respond(send, 200, text, CONTENT_TYPE_LATEST)


def _read() -> bytes:
    # One scrape at a time: two at once would read the database twice for the same answer.
    with _asked:
        try:
            return generate_latest(REGISTRY)
        finally:
            # A worker's thread outlives the question; its connection must not.
            close_old_connections()
