"""What the gateway, its inbox and detection count for `/metrics`; no label says who or where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import REGISTRY, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPORTS_IN = Counter("ringfence_reports_in", "Reports committed that were new.")
REPORTS_DUPLICATE = Counter("ringfence_reports_duplicate", "Reports that were stored before.")
REPORTS_REFUSED = Counter(
    "ringfence_reports_refused", "Requests refused or in part refused, by reason.", ["reason"]
)
NOT_ACKNOWLEDGED = Counter(
    "ringfence_deliveries_not_acknowledged",
    "Deliveries answered 429 or 503, by reason.",
    ["reason"],
)
SET_APART_UNKEPT = Counter(
    "ringfence_set_apart_unkept", "Undecodable or unauthenticated input beyond what is kept."
)
COMMIT_SECONDS = Histogram(
    "ringfence_inbox_commit_seconds",
    "Time to store and commit one group of deliveries.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 20),
)
GROUP_REPORTS = Histogram(
    "ringfence_inbox_group_reports",
    "Reports committed together.",
    buckets=(1, 4, 16, 64, 256, 1024, 4096),
)
INBOX_IN_TROUBLE = Gauge("ringfence_inbox_in_trouble", "1 while nothing can be stored.")


class Lags(Collector):
    """A histogram that thousands are told to at once: the client's own takes 6 µs for each."""

    def __init__(self, name: str, documentation: str, buckets: Sequence[float]) -> None:
        """Count nothing yet; it is registered.

        Args:
            name: of the metric.
            documentation: what it is, in one sentence.
            buckets: upper bounds in s, ascending; infinity is added.
        """
        self._name, self._documentation = name, documentation
        self._bounds = np.array(buckets)
        self._counts = np.zeros(len(buckets) + 1, np.int64)
        self._sum = 0.0
        REGISTRY.register(self)

    def observe_each(self, seconds: NDArray[np.float64]) -> None:
        """Count each of them; one thread does."""
        in_bucket = np.searchsorted(self._bounds, seconds)  # the bound itself is in its bucket
        self._counts += np.bincount(in_bucket, minlength=len(self._counts))
        self._sum += float(seconds.sum())

    def describe(self) -> Iterable[Metric]:
        """Name it, so that none else takes its name."""
        return [HistogramMetricFamily(self._name, self._documentation)]

    def collect(self) -> Iterable[Metric]:
        """Tell it as Prometheus counts: how many up to each bound."""
        bounds = [*map(str, self._bounds.tolist()), "+Inf"]
        up_to = np.cumsum(self._counts).tolist()
        yield HistogramMetricFamily(
            self._name,
            self._documentation,
            buckets=list(zip(bounds, up_to, strict=True)),
            sum_value=self._sum,
        )


JUDGED_LAG_SECONDS = Lags(
    "ringfence_judged_lag_seconds",
    "From a report's receipt to the commit of its judgement.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 240, 900),
)
REPORTS_NOT_JUDGED = Counter(
    "ringfence_reports_not_judged",
    "Reports kept without judgement: nobody's, from the future, or set apart.",
    ["reason"],
)
WEARERS_REWOUND = Counter(
    "ringfence_wearers_rewound", "Times that a wearer was judged again from an earlier state."
)
