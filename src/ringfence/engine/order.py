"""One order for every batch: by wearer, time, and all else; the same item once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ringfence.geo.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.engine.fix import Batch

KEY_COLUMNS = 8


def canonical_rows(batch: Batch) -> NDArray[np.intp] | None:
    """Row numbers in canonical order without repeats; None where they are so already."""
    if is_ascending(batch.wearer, batch.time_ms):
        return None
    rows = np.lexsort((batch.time_ms, batch.wearer))
    if is_ascending(batch.wearer[rows], batch.time_ms[rows]):
        return rows  # no two items of a wearer at one instant: nothing else need be compared
    keys = _keys(batch)
    rows = np.lexsort((*keys[::-1], batch.time_ms, batch.wearer))
    fresh = np.zeros(len(rows), np.bool_)
    fresh[:1] = True
    columns: list[NDArray[np.integer]] = [batch.wearer, batch.time_ms, *keys]
    for column in columns:
        sorted_column = column[rows]
        fresh[1:] |= sorted_column[1:] != sorted_column[:-1]
    return rows[fresh]


def _keys(batch: Batch) -> list[NDArray[np.integer]]:
    """Every column but wearer and time, as bits: equal in all of them are equal items."""
    return [
        batch.victim,  # the wearer's own first
        batch.lat_e7,
        batch.lon_e7,
        _bits(batch.accuracy_m),
        batch.source,
        _bits(batch.speed_mps),
        _bits(batch.course_deg),
        batch.signals,
    ]


@compiled
def is_ascending(wearer: NDArray[np.int32], time_ms: NDArray[np.int64]) -> bool:
    """Whether rows ascend strictly by wearer and time: then none can repeat another."""
    for i in range(1, len(wearer)):
        if wearer[i] < wearer[i - 1]:
            return False
        if wearer[i] == wearer[i - 1] and time_ms[i] <= time_ms[i - 1]:
            return False
    return True


@compiled
def plain_bits(bits: int) -> int:
    """Bits of a float32, with one NaN and one zero, so that equal values have equal bits."""
    if bits & 0x7FFFFFFF > 0x7F800000:
        return 0x7FC00000
    return 0 if bits & 0x7FFFFFFF == 0 else bits


def _bits(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """`plain_bits` of a column."""
    same = np.where(np.isnan(values), np.float32(np.nan), values + np.float32(0))
    return same.astype(np.float32).view(np.int32)
