"""What `/metrics` is told of lags."""

from __future__ import annotations

import numpy as np
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import REGISTRY

from ringfence.desk.monitoring.metrics import Lags

BOUNDS = (0.01, 0.5, 1, 60)
SECONDS = [0.0, 0.0078125, 0.125, 0.5, 0.75, 1.0, 59.0, 60.0, 61.0, 1048576.0]


def test_it_counts_as_the_clients_own_histogram_does():
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    lags = Lags("lag_seconds", "Lags.", BOUNDS)
    REGISTRY.unregister(lags)
    ours.register(lags)
    histogram = Histogram("lag_seconds", "Lags.", buckets=BOUNDS, registry=theirs)
    for part in (SECONDS[:4], [], SECONDS[4:]):
        lags.observe_each(np.array(part))
        for seconds in part:
            histogram.observe(seconds)
    said = [line for line in generate_latest(theirs).decode().splitlines() if "created" not in line]
    assert generate_latest(ours).decode().splitlines() == said
