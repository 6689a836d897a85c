"""What the ids of AVL elements mean to us, by the device's model.

After the maker's lists of AVL ids (wiki.teltonika-gps.com). All that is not here stays unnamed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ringfence.engine.fix import Signal

Codes = Mapping[int, Mapping[int, int]]
"""AVL id of an element of one byte → its value → `Signal` bits."""

_JAMMED = int(Signal.GNSS_JAMMED)
_ALL: Codes = {
    69: {2: int(Signal.GNSS_LOST)},  # on, without a fix; off and asleep are no loss
    236: {1: int(Signal.SOS)},
    240: {0: int(Signal.NO_MOTION), 1: int(Signal.MOTION)},
    249: {1: int(Signal.NETWORK_JAMMED)},
    252: {1: int(Signal.POWER_CUT)},  # unplugged: it goes on by its own battery
    318: {1: _JAMMED, 2: _JAMMED},
}
_WORN: Codes = {
    # What a person wears is taken off its charger every day: that is no cut of a supply.
    **{ident: values for ident, values in _ALL.items() if ident != 252},
    116: {1: int(Signal.CHARGING)},  # in vehicles 116 is something else
}
TABLES: tuple[tuple[re.Pattern[str], Codes], ...] = (
    (re.compile(r"TMT|GH52|TAT|TST|TFT", re.IGNORECASE), _WORN),
    (re.compile(""), _ALL),
)
"""By the model's name; the first that matches counts."""

BATTERY_PCT: Final = 113
HDOP: Final = 182
"""In tenths, two bytes."""

GH3000: Codes = {222: {1: int(Signal.SOS)}, 240: _ALL[240]}
"""Codec 7 has ids of its own."""
GH3000_BATTERY_PCT: Final = 1
GH3000_HDOP: Final = 20


@lru_cache(maxsize=256)
def codes_of(model: str) -> Codes:
    """The table of a model, by its name."""
    return next(codes for pattern, codes in TABLES if pattern.match(model))


def signals_of(elements: Mapping[int, int], codes: Codes) -> int:
    """The signals that elements of one byte say."""
    signals = 0
    for ident in codes.keys() & elements.keys():
        signals |= codes[ident].get(elements[ident], 0)
    return signals
