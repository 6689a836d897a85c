"""What a round of detection tells `/metrics` and the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import structlog

from ringfence.desk.monitoring.late import Late
from ringfence.desk.monitoring.metrics import (
    JUDGED_LAG_SECONDS,
    REPORTS_NOT_JUDGED,
    WEARERS_REWOUND,
)
from ringfence.desk.monitoring.recording import Judged
from ringfence.desk.monitoring.rows import is_future

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = structlog.get_logger(__name__)


def count(rows: NDArray[np.void], judged: Sequence[Judged], poison: int) -> None:
    """Tell the metrics; a log line only where a run was out of the ordinary."""
    future, unjudged = is_future(rows), rows["wearer"] == 0
    nobodys = unjudged & (rows["victim"] == 0)
    hers = unjudged & ~nobodys
    kept = {"future": future, "nobody": nobodys & ~future, "victim": hers & ~future}
    for reason, mask in kept.items():
        REPORTS_NOT_JUDGED.labels(reason).inc(int(mask.sum()))
    REPORTS_NOT_JUDGED.labels("poison").inc(poison)
    rewound = sum(1 for one in judged if one.rewound is not None)
    WEARERS_REWOUND.inc(rewound)
    again = sum(1 for one in judged if one.rewound is not None and not one.punctual)
    if again or future.any() or nobodys.any():
        log.info(
            "judged",
            reports=len(rows),
            future=int(future.sum()),
            nobodys=int(nobodys.sum()),
            wearers_rewound=again,
        )


def count_lags(rows: NDArray[np.void], taken_up: Sequence[Late], at_ms: int) -> None:
    """Observe from receipt to judgement; what had waited, by the first of it that came.

    Args:
        rows: new reports that do not wait.
        taken_up: what had waited.
        at_ms: the present.
    """
    received_ms = np.concatenate(
        [
            rows["received_ms"],
            np.repeat(
                np.array([one.received_ms for one in taken_up], np.int64),
                np.array([one.reports for one in taken_up], np.int64),
            ),
        ]
    )
    JUDGED_LAG_SECONDS.observe_each(np.maximum(0, at_ms - received_ms) / 1000)
