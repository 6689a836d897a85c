"""A batch as the kernel reads it, and the last item read, so that its repeat is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ringfence.engine.compiling import inner
from ringfence.engine.order import KEY_COLUMNS, plain_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Items(NamedTuple):
    """A batch in canonical order: by wearer, time, and all else; no row twice."""

    rows_from: NDArray[np.int64]
    """(wearers + 1): where each wearer's rows begin."""
    time_ms: NDArray[np.int64]
    lat_e7: NDArray[np.int32]
    lon_e7: NDArray[np.int32]
    accuracy_m: NDArray[np.float32]
    accuracy_bits: NDArray[np.int32]
    source: NDArray[np.int8]
    speed_mps: NDArray[np.float32]
    speed_bits: NDArray[np.int32]
    course_bits: NDArray[np.int32]
    signals: NDArray[np.int32]
    victim: NDArray[np.int32]
    """0 = the wearer's own tag, else the number of a victim's device."""
    until_ms: NDArray[np.int64]
    """(wearers,): where to advance each clock in the end; `NEVER` = no further than its items."""
    late: NDArray[np.bool_]
    """(rows,): written: older than the wearer's clock, so not read."""
    doubts: NDArray[np.int32]
    """(rows,): written: `Doubt` bits of each position that was read."""


@inner
def key_of(items: Items, row: int, column: int) -> int:
    """One column of an item, as bits, in the order in which `order` sorts."""
    if column < 2:
        return int(items.victim[row] if column == 0 else items.lat_e7[row])
    if column == 2:
        return int(items.lon_e7[row])
    if column == 3:
        return plain_bits(items.accuracy_bits[row])
    if column == 4:
        return int(items.source[row])
    if column == 5:
        return plain_bits(items.speed_bits[row])
    return plain_bits(items.course_bits[row]) if column == 6 else int(items.signals[row])


@inner
def compared(me: np.record, items: Items, row: int) -> int:
    """−1, 0, 1: an item at the instant of the last one read comes before it, is it, comes after."""
    for column in range(KEY_COLUMNS):
        key, last = key_of(items, row, column), me.item_key[column]
        if key != last:
            return -1 if key < last else 1
    return 0


@inner
def is_read(me: np.record, items: Items, row: int) -> bool:
    """Whether the clock has passed an item: read before, or too late to be."""
    at_ms = items.time_ms[row]
    if at_ms != me.item_ms:
        return bool(at_ms < me.clock_ms)
    return at_ms < me.clock_ms or compared(me, items, row) <= 0


@inner
def remember_item(me: np.record, items: Items, row: int) -> None:
    """Keep the last item read; none where `row` is negative."""
    if row < 0:
        return
    for column in range(KEY_COLUMNS):
        me.item_key[column] = key_of(items, row, column)
