"""Times that a file gives without saying of which zone: read by the zone that a person names.

A night's clock change makes some of them ambiguous (01:30 happens twice when the clock goes back)
and others impossible (01:30 never happens when it goes forward). An impossible one is refused: no
instant bears that name. An ambiguous one is refused too, unless a person said which of the two is
meant; then it is taken, and named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from ringfence.trail.instants import EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MINUTE_MS: Final = 60_000
"""Since 1972 every zone changes its clock on a whole minute."""
_DAY_FIRST: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})[ T]+(.+)")


class Twice(StrEnum):
    """Which is meant of a local time that happens twice."""

    REFUSE = "refuse"
    FIRST = "first"
    SECOND = "second"


class ZoneError(ValueError):
    """No such time zone; the text says what to give."""


class Instants(NamedTuple):
    """Local times as UTC epoch milliseconds; where a row is `impossible`, `ms` means nothing."""

    ms: NDArray[np.int64]
    impossible: NDArray[np.bool_]
    ambiguous: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WallClock:
    """A zone's clock on the wall, and what is meant when it shows the same time twice."""

    zone: ZoneInfo
    twice: Twice = Twice.REFUSE

    @classmethod
    def of(cls, zone: str, twice: Twice = Twice.REFUSE) -> WallClock:
        """The clock of a named zone.

        Raises:
            ZoneError: there is no such zone.
        """
        try:
            return cls(ZoneInfo(zone), twice)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ZoneError(
                f"{zone!r} is not a time zone: give a name such as Europe/London or UTC"
            ) from None

    def instants(self, local_ms: NDArray[np.int64]) -> Instants:
        """What instants these times are, each as milliseconds of the wall clock since 1970.

        Each different minute is looked up once.
        """
        minutes, where = np.unique(local_ms // MINUTE_MS, return_inverse=True)
        told = [self._offsets_ms(int(minute)) for minute in minutes]
        first, second, real = (np.array(column) for column in zip(*told, strict=True))
        offset = second if self.twice is Twice.SECOND else first
        return Instants(
            local_ms - offset[where].astype(np.int64),
            ~real[where].astype(np.bool_),
            (real & (first != second))[where].astype(np.bool_),
        )

    def _offsets_ms(self, minute: int) -> tuple[int, int, bool]:
        """Milliseconds ahead of UTC the first and the second time, and whether it happens."""
        naive = (EPOCH + timedelta(minutes=minute)).replace(tzinfo=None)
        first = naive.replace(tzinfo=self.zone, fold=0)
        back = first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None)
        return _offset_ms(first), _offset_ms(first.replace(fold=1)), back == naive


def read_local(text: str) -> datetime | None:
    """A date and time without a zone: ISO 8601, or `01/03/2026 10:02:00` (the day first).

    None where it is neither. One with an offset comes back aware.
    """
    text = text.strip()
    british = _DAY_FIRST.fullmatch(text)
    if british:
        day, month, year, rest = british.groups()
        text = f"{year}-{int(month):02d}-{int(day):02d}T{rest.strip()}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def wall_ms(times: Sequence[datetime]) -> NDArray[np.int64]:
    """Naive times as milliseconds of the wall clock since 1970, rounded down."""
    naive = EPOCH.replace(tzinfo=None)
    return np.array([(at - naive) // timedelta(milliseconds=1) for at in times], np.int64)


def _offset_ms(at: datetime) -> int:
    offset = at.utcoffset()
    return 0 if offset is None else offset // timedelta(milliseconds=1)
