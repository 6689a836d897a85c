"""One order for every batch: by wearer, time, and all else; the same item once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ringfence.geo.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.engine.fix import Batch

KEY_COLUMNS = 7


def item_keys(batch: Batch) -> NDArray[np.int32]:
    """Every column but wearer and time, as bits, shape (n, 7): equal rows are equal items."""
    keys = np.empty((len(batch), KEY_COLUMNS), np.int32)
    keys[:, 0], keys[:, 1] = batch.lat_e7, batch.lon_e7
    keys[:, 2], keys[:, 3] = _bits(batch.accuracy_m), batch.source
    keys[:, 4], keys[:, 5] = _bits(batch.speed_mps), _bits(batch.course_deg)
    keys[:, 6] = batch.signals
    return keys


def canonical_rows(batch: Batch, keys: NDArray[np.int32]) -> NDArray[np.intp] | None:
    """Row numbers in canonical order without repeats; None where they are so already."""
    if is_ascending(batch.wearer, batch.time_ms):
        return None
    rows = np.lexsort((*keys.T[::-1], batch.time_ms, batch.wearer))
    if len(rows) < 2:
        return rows
    wearer, time_ms, key = batch.wearer[rows], batch.time_ms[rows], keys[rows]
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = (
        (wearer[1:] != wearer[:-1])
        | (time_ms[1:] != time_ms[:-1])
        | (key[1:] != key[:-1]).any(axis=1)
    )
    return rows[fresh]


@compiled
def is_ascending(wearer: NDArray[np.int32], time_ms: NDArray[np.int64]) -> bool:
    """Whether rows ascend strictly by wearer and time: then none can repeat another."""
    for i in range(1, len(wearer)):
        if wearer[i] < wearer[i - 1]:
            return False
        if wearer[i] == wearer[i - 1] and time_ms[i] <= time_ms[i - 1]:
            return False
    return True


def _bits(values: NDArray[np.float32]) -> NDArray[np.int32]:
    # One NaN and one zero, so that equal values have equal bits.
    same = np.where(np.isnan(values), np.float32(np.nan), values + np.float32(0))
    return same.astype(np.float32).view(np.int32)
