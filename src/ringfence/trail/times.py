"""A table's instants: with an offset, or by the wall clock of the zone that a person named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.trail.columns import as_instants_ms, as_ints, plain
from ringfence.trail.rows import EARLIEST_MS, LATEST_MS
from ringfence.trail.table import Columns, FixesFileError, Refusal, Sieve
from ringfence.trail.wall_clock import Twice, WallClock, read_local, wall_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

DAY_MS: Final = 86_400_000
NO_ZONE: Final = (
    "its times say no time zone: give --zone Europe/London if they are British local time, --zone "
    "UTC if they are UTC; ask whoever made the file, it is not guessed"
)


class NoZoneError(FixesFileError):
    """Times without a zone, and nobody said which."""


@dataclass(slots=True)
class Times:
    """Reads the instants of one piece of a file."""

    columns: Columns
    sieve: Sieve
    clock: WallClock | None
    """For times without a zone; None = there must be none."""
    noted: list[Refusal] = field(default_factory=list)
    """Rows that are taken, with what was decided about their times."""

    def happened_ms(self) -> Ints:
        """When each fix was, in UTC epoch milliseconds; rows without an instant are refused.

        Raises:
            FixesFileError: there is no column of times.
            NoZoneError: a time says no zone, and there is no clock.
        """
        name, column = self.columns.need("time_ms", "time")
        ms, absent = self._read(name, column)
        other = self.columns.find("time")
        if name == "time_ms" and other is not None:
            # JSON's features may say it either way.
            others_ms, none = self._read("time", other)
            ms, absent = np.where(absent, others_ms, ms), absent & none
        self.sieve.refuse(absent, f"no {name}: a fix needs its instant")
        self.sieve.refuse(
            (ms < EARLIEST_MS) | (ms > LATEST_MS),
            f"{name} is outside 1980…2100: give UTC, and time_ms in milliseconds since 1970",
        )
        return np.where(self.sieve.kept, ms, 0)

    def received_ms(self) -> tuple[Ints, Mask]:
        """When each was received, and where the file says so; errors as `happened_ms`."""
        for name in ("received_ms", "received"):
            column = self.columns.find(name)
            if column is not None:
                ms, absent = self._read(name, column)
                beyond = ~absent & ((ms < EARLIEST_MS) | (ms > LATEST_MS))
                self.sieve.refuse(beyond, f"{name} is outside 1980…2100")
                return np.where(self.sieve.kept, ms, 0), ~absent
        nothing = np.zeros(len(self.sieve.numbers), np.int64)
        return nothing, nothing != 0

    def _read(self, name: str, column: pa.Array) -> tuple[Ints, Mask]:
        """UTC epoch milliseconds and where there are none; what can't be read is refused."""
        if name.endswith("_ms"):
            read = as_ints(column)
            self.sieve.refuse(read.faulty, f"{name} is not a whole number of milliseconds")
            return read.values, read.absent
        column = plain(column)
        naive = _all_naive(column)
        if naive is not None:
            absent = naive.is_null().to_numpy(zero_copy_only=False)
            wall_us = naive.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
            return self._by_the_clock(name, wall_us // 1000, ~absent), absent
        read, faults = as_instants_ms(column)
        if not faults:
            return read.values, read.absent
        texts = column.cast(pa.string()).to_pylist()
        ms, local = self._local(name, {i: texts[i] for i in faults}, read.values.copy())
        return self._by_the_clock(name, ms, local), read.absent

    def _local(self, name: str, texts: dict[int, str], ms: Ints) -> tuple[Ints, Mask]:
        """Puts texts without an offset into `ms` as the wall clock's milliseconds; where it did."""
        read = {i: read_local(text) for i, text in texts.items()}
        naive = {i: at for i, at in read.items() if at is not None and at.tzinfo is None}
        self.sieve.refuse(
            _at(list(texts.keys() - naive.keys()), len(ms)),
            f"{name} is not an instant: write 2026-03-01T10:02:00Z, or 01/03/2026 10:02:00",
        )
        ms[list(naive)] = wall_ms(list(naive.values()))
        return ms, _at(list(naive), len(ms))

    def _by_the_clock(self, name: str, ms: Ints, local: Mask) -> Ints:
        """Wall clock's milliseconds as UTC's, where `local`."""
        # A day's margin, so that no zone can lead out of what the calendar holds.
        local = local & (ms > EARLIEST_MS - DAY_MS) & (ms < LATEST_MS + DAY_MS)
        where = np.flatnonzero(local)
        if not len(where):
            return ms
        if self.clock is None:
            raise NoZoneError(NO_ZONE)
        found = self.clock.instants(ms[where])
        ms = ms.copy()
        ms[where] = found.ms
        zone = self.clock.zone.key
        self.sieve.refuse(
            _at(where[found.impossible], len(ms)),
            f"{name} never was: the clock in {zone} went forward over it",
        )
        twice = where[found.ambiguous]
        if self.clock.twice is Twice.REFUSE:
            self.sieve.refuse(
                _at(twice, len(ms)),
                f"{name} happened twice, when the clock in {zone} went back: give --twice first "
                "or --twice second, or a file in UTC",
            )
        else:
            why = f"{name} happened twice, when the clock went back: the {self.clock.twice} taken"
            self.noted += [Refusal(int(self.sieve.numbers[i]), why) for i in twice]
        return ms


def _all_naive(column: pa.Array) -> pa.Array | None:
    """The column as microseconds without a zone, if it has none throughout; quick for many rows."""
    try:
        if pa.types.is_timestamp(column.type):
            return None if column.type.tz else pc.cast(column, pa.timestamp("us"), safe=False)
        texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
        known = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        return pc.cast(known, pa.timestamp("us"))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _at(where: list[int] | NDArray[np.intp], length: int) -> Mask:
    mask = np.zeros(length, np.bool_)
    mask[np.asarray(where, np.intp)] = True
    return mask
