"""What a tag says: where it was, how sure it is, and what happened to it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

E7 = 10_000_000
"""Units of a stored coordinate in one degree: 1e-7° is at most 1.1 cm on the ground."""

NO_POSITION = np.int32(-(2**31))
"""In `lat_e7` and `lon_e7`: the report held no position."""


class Source(IntEnum):
    """How a position was found."""

    UNKNOWN = 0
    GNSS = 1
    WIFI = 2
    CELL = 3
    RF = 4

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read a source's name; `gps` and `lbs` are aliases. Unknown names are a `ValueError`."""
        name = {"gps": "gnss", "lbs": "cell", "": "unknown"}.get(text.lower(), text.lower())
        try:
            return cls[name.upper()]
        except KeyError:
            raise ValueError(f"source {text!r} is none of gnss, gps, wifi, cell, lbs, rf") from None


class Signal(IntFlag):
    """What a tag says of itself. A report carries a set of them."""

    STRAP_CUT = 1 << 0
    STRAP_OK = 1 << 1
    CASE_OPEN = 1 << 2
    BATTERY_LOW = 1 << 3
    BATTERY_CRITICAL = 1 << 4
    CHARGING = 1 << 5
    POWER_OFF = 1 << 6
    POWER_ON = 1 << 7
    GNSS_JAMMED = 1 << 8
    GNSS_LOST = 1 << 9
    BEACON_SEEN = 1 << 10
    MOTION = 1 << 11
    NO_MOTION = 1 << 12
    SOS = 1 << 13
    TAMPER_INSPECTED = 1 << 14
    """A person looked at the tag and found it sound: ends tampers. Never said by a tag, so not
    parsed: the desk writes it, with its author, as an item of its own."""
    NETWORK_JAMMED = 1 << 15
    """The mobile network, not the satellites: the tag's way to us."""
    MOCK_POSITION = 1 << 16
    """The phone says that an app made this report's position up (Android's mock location)."""
    POWER_CUT = 1 << 17
    """Its outside supply is gone; it goes on by its own battery."""

    @classmethod
    def parse(cls, text: str) -> Signal:
        """Read one signal's name, as in the contract. Unknown names are a `ValueError`."""
        signal = cls.__members__.get(text.upper())
        if signal is None or signal is cls.TAMPER_INSPECTED:
            known = ", ".join(s.name.lower() for s in cls if s.name and s != cls.TAMPER_INSPECTED)
            raise ValueError(f"signal {text!r} is none of {known}")
        return signal

    def names(self) -> list[str]:
        """The names in this set, in the order of their bits."""
        return [s.name.lower() for s in Signal if s in self and s.name]


def victim_number(device: str) -> int:
    """What stands for a victim's device in `Batch.victim`: the same in every plan and batch.

    Args:
        device: its id, as in `Condition.victim`.

    Returns:
        31 bits of the id's CRC-32 (ISO 3309), never 0; `compile_plan` refuses two ids with one.
    """
    return zlib.crc32(device.encode()) & 0x7FFF_FFFF or 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Reports as arrays of one length, one row a report, in any order.

    A row may hold a position, signals, or both. `NaN` means unknown.
    """

    wearer: NDArray[np.int32]
    """Index into `Plan.wearers`; -1 = nobody with a condition (not judged)."""
    time_ms: NDArray[np.int64]
    """When it happened, by the tag: UTC epoch milliseconds."""
    lat_e7: NDArray[np.int32]
    lon_e7: NDArray[np.int32]
    accuracy_m: NDArray[np.float32]
    """Radius of the 95 % confidence circle; NaN, 0 or negative = unknown, never perfect."""
    source: NDArray[np.int8]
    speed_mps: NDArray[np.float32]
    course_deg: NDArray[np.float32]
    signals: NDArray[np.int32]
    """`Signal` bits."""
    victim: NDArray[np.int32]
    """Whose device: 0 = the wearer's own tag; else the `victim_number` of a victim's, whose place
    this wearer's proximity conditions need. `with_victims` hands such rows to the wearers."""

    def __len__(self) -> int:
        """Count the reports."""
        return len(self.time_ms)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Batch:
        """Rows by position, mask or slice."""
        return Batch(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @classmethod
    def empty(cls, rows: int = 0) -> Batch:
        """A batch of `rows` reports with nothing in them, to be filled."""
        return cls(
            wearer=np.full(rows, -1, np.int32),
            time_ms=np.zeros(rows, np.int64),
            lat_e7=np.full(rows, NO_POSITION, np.int32),
            lon_e7=np.full(rows, NO_POSITION, np.int32),
            accuracy_m=np.full(rows, np.nan, np.float32),
            source=np.zeros(rows, np.int8),
            speed_mps=np.full(rows, np.nan, np.float32),
            course_deg=np.full(rows, np.nan, np.float32),
            signals=np.zeros(rows, np.int32),
            victim=np.zeros(rows, np.int32),
        )

    @classmethod
    def concat(cls, batches: list[Batch]) -> Batch:
        """One batch after the other."""
        if not batches:
            return cls.empty()
        return cls(
            **{f.name: np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(cls)}
        )
