"""Rows of a file become a batch; impossible ones are refused by number, and the rest is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from ringfence.engine.fix import NO_POSITION, Batch, Signal, Source, victim_number
from ringfence.trail.columns import Read, as_codes, as_floats, as_instants_ms, as_ints, as_texts
from ringfence.trail.table import Columns, FixesFileError, Refusal, Sieve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FUTURE_MS: Final = 120_000
"""A report dated further than this beyond its receipt is kept, but not judged (the gateway's
contract)."""

EARLIEST_MS: Final = 315_964_800_000
"""The epoch of GPS, 6 January 1980: no tag reported before."""
MOST: Final = 1e30
LATEST_MS: Final = 4_102_444_800_000
"""The year 2100: beyond it, somebody mixed up seconds, milliseconds and microseconds."""


@dataclass(frozen=True, slots=True)
class Fixes:
    """A file's fixes, ready to be judged."""

    batch: Batch
    """`wearer` counts in `wearers`; −1 = a victim's device, which `victim` names."""
    wearers: tuple[str, ...]
    victims: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    read: int = 0
    """Rows in the file, the refused ones included."""

    def numbered(self, wearers: Sequence[str]) -> Batch:
        """The batch with wearers numbered as in another list; −1 = not in it."""
        number = {name: i for i, name in enumerate(wearers)}
        # The last place answers for −1.
        renumber = np.array([*(number.get(w, -1) for w in self.wearers), -1], np.int32)
        return replace(self.batch, wearer=renumber[self.batch.wearer])


def to_fixes(table: pa.Table, numbers: NDArray[np.int64]) -> Fixes:
    """Read a table of fixes.

    Args:
        table: any columns of the contract, texts or typed.
        numbers: (rows,) each row's number as a person counts.

    Raises:
        FixesFileError: a column that is needed is missing, or stands twice.
    """
    columns, sieve = Columns(table), Sieve(numbers)
    batch = Batch.empty(len(numbers))
    names = _wearers(columns, sieve, batch)
    batch.time_ms[:] = _time_ms(columns, sieve)
    _refuse_future(columns, sieve, batch)
    batch.signals[:] = signal_bits(columns, sieve)
    batch.lat_e7[:], batch.lon_e7[:], _ = positions(columns, sieve)
    batch.source[:] = sources(columns, sieve)
    for name in ("accuracy_m", "course_deg"):
        getattr(batch, name)[:] = optional(columns, sieve, name)
    batch.speed_mps[:] = speeds(columns, sieve)
    victims = _victims(columns, sieve, batch)
    return _numbered(_kept(batch, sieve), names, victims, sieve)


def to_signals(table: pa.Table, numbers: NDArray[np.int64]) -> Fixes:
    """Read a table of signals: `wearer`, `time`, `kind`; arguments and errors as `to_fixes`."""
    columns, sieve = Columns(table), Sieve(numbers)
    batch = Batch.empty(len(numbers))
    names = _wearers(columns, sieve, batch)
    batch.time_ms[:] = _time_ms(columns, sieve)
    kinds, faults = as_codes(columns.need("kind")[1], lambda text: int(Signal.parse(text)))
    for code, why in faults.items():
        sieve.refuse(kinds == code, why)
    batch.signals[:] = kinds
    return _numbered(_kept(batch, sieve), names, set(), sieve)


def _kept(batch: Batch, sieve: Sieve) -> Batch:
    return batch if sieve.kept.all() else batch.take(sieve.kept)


def _numbered(batch: Batch, names: list[str], victims: set[int], sieve: Sieve) -> Fixes:
    """Give wearers the numbers of their names' order, so that the file's order means nothing."""
    seen = set(np.flatnonzero(np.bincount(batch.wearer, minlength=len(names))).tolist())
    wearers = sorted(names[code] for code in seen - victims)
    number = {name: i for i, name in enumerate(wearers)}
    renumber = np.array(
        [-1 if code in victims else number.get(name, -1) for code, name in enumerate(names)],
        np.int32,
    )
    hers = [victim_number(name) if code in victims else 0 for code, name in enumerate(names)]
    if len(batch):
        whose = np.array(hers, np.int32)[batch.wearer]
        batch = replace(batch, wearer=renumber[batch.wearer], victim=whose)
    refused = tuple(sorted(sieve.refused))
    victim_names = tuple(sorted(names[code] for code in seen & victims))
    return Fixes(batch, tuple(wearers), victim_names, refused, len(sieve.numbers))


def _wearers(columns: Columns, sieve: Sieve, batch: Batch) -> list[str]:
    codes, names = as_texts(columns.need("wearer")[1])
    batch.wearer[:] = codes
    empty = names.index("") if "" in names else -1
    sieve.refuse(codes == empty, "no wearer: say whose device this is")
    return names


def _time_ms(columns: Columns, sieve: Sieve) -> NDArray[np.int64]:
    name = columns.need("time_ms", "time")[0]
    read = _instants(columns, sieve, name)
    sieve.refuse(read.absent, f"no {name}: a fix needs its instant")
    beyond = (read.values < EARLIEST_MS) | (read.values > LATEST_MS)
    sieve.refuse(
        beyond, f"{name} is outside 1980…2100: give UTC, and time_ms in milliseconds since 1970"
    )
    return np.where(sieve.kept, read.values, 0)


def _instants(columns: Columns, sieve: Sieve, name: str) -> Read:
    column = columns.need(name)[1]
    if name.endswith("_ms"):
        read = as_ints(column)
        sieve.refuse(read.faulty, f"{name} is not a whole number of milliseconds")
        return read
    if str(column.type).startswith("timestamp") and column.type.tz is None:
        raise FixesFileError(f"column {name} has no time zone: store it as UTC, or use {name}_ms")
    read, faults = as_instants_ms(column)
    sieve.refuse(read.faulty, name, {i: f"{name} {why}" for i, why in faults.items()})
    return read


def _refuse_future(columns: Columns, sieve: Sieve, batch: Batch) -> None:
    for name in ("received_ms", "received"):
        if columns.find(name) is not None:
            received = _instants(columns, sieve, name)
            ahead = ~received.absent & (batch.time_ms - received.values > FUTURE_MS)
            sieve.refuse(ahead, "dated more than 2 minutes after it was received: not judged")
            return


def signal_bits(columns: Columns, sieve: Sieve) -> NDArray[np.int64]:
    """Each row's signals as `Signal` bits."""
    column = columns.find("signals")
    if column is None:
        return np.zeros(len(sieve.numbers), np.int64)
    bits, faults = as_codes(column, _parse_signals)
    for code, why in faults.items():
        sieve.refuse(bits == code, _said(sieve, why, "signals", "their names"))
    return bits


def _parse_signals(text: str) -> int:
    """Signals in one field are separated by spaces, or given as the number of their bits."""
    if text.isdecimal():
        return _parse_bits(int(text))
    bits = Signal(0)
    for name in text.replace(";", " ").replace("|", " ").split():
        # What a person found at the tag is in an export, though no tag ever says it.
        inspected = name == Signal.TAMPER_INSPECTED.names()[0]
        bits |= Signal.TAMPER_INSPECTED if inspected else Signal.parse(name)
    return int(bits)


def _parse_bits(bits: int) -> int:
    if bits > int(~Signal(0)):
        raise ValueError("signals: a number with bits that no signal has: give the names")
    return bits


def sources(columns: Columns, sieve: Sieve) -> NDArray[np.int64]:
    """Each row's `Source`, by our names or by the Ministry's mechanisms."""
    for name, parse, names in (
        ("source", _parse_source, "gnss, gps, wifi, cell, lbs, rf"),
        ("mechanism", _parse_mechanism, "GPS or 1, RF or 4, LBS or 5, WIFI or 6"),
    ):
        column = columns.find(name)
        if column is not None:
            numbers, faults = as_codes(column, parse)
            for code, why in faults.items():
                sieve.refuse(numbers == code, _said(sieve, why, name, names))
            return numbers
    return np.zeros(len(sieve.numbers), np.int64)


def _said(sieve: Sieve, why: str, name: str, what: str) -> str:
    """Why, with the text that stands there; discreetly, without."""
    return f"{name} can't be read: give {what}" if sieve.discreet else why


MECHANISMS: Final = {
    "": Source.UNKNOWN,
    **dict.fromkeys(("1", "gps"), Source.GNSS),
    **dict.fromkeys(("4", "rf"), Source.RF),
    **dict.fromkeys(("5", "lbs"), Source.CELL),
    **dict.fromkeys(("6", "wifi"), Source.WIFI),
}
"""How the Ministry of Justice's position rows say how a place was found."""


def _parse_mechanism(text: str) -> int:
    if text.lower() not in MECHANISMS:
        raise ValueError(f"mechanism {text!r} is none of GPS or 1, RF or 4, LBS or 5, WIFI or 6")
    return int(MECHANISMS[text.lower()])


def _parse_source(text: str) -> int:
    return int(Source(int(text))) if text.isdecimal() else int(Source.parse(text))


def positions(
    columns: Columns, sieve: Sieve
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Latitudes and longitudes as whole 1e-7 degrees, and where there are none by right."""
    lat, no_lat = _degrees(columns, sieve, ("lat", "lat_e6", "lat_e7"), 90)
    lon, no_lon = _degrees(columns, sieve, ("lon", "lon_e6", "lon_e7"), 180)
    # A column `signals` marks a file of reports, and a report may hold no position.
    none = no_lat & no_lon if columns.find("signals") is not None else np.zeros_like(no_lat)
    sieve.refuse(no_lat & ~none, "no latitude")
    sieve.refuse(no_lon & ~none, "no longitude")
    lat_e7, lon_e7 = (np.where(none | ~sieve.kept, NO_POSITION, v) for v in (lat, lon))
    return lat_e7.astype(np.int32, copy=False), lon_e7.astype(np.int32, copy=False), none


def _degrees(
    columns: Columns, sieve: Sieve, names: tuple[str, ...], limit: int
) -> tuple[NDArray[np.float64] | NDArray[np.int32], NDArray[np.bool_]]:
    """Degrees × 1e7, rounded to the nearest as at the gateway, and where they are absent."""
    name, column = columns.need(*names)
    word = "latitude" if name.startswith("lat") else "longitude"
    if name.endswith("_e7") and pa.types.is_int32(column.type) and not column.null_count:
        whole = column.to_numpy()
        if len(whole) and max(-int(whole.min()), int(whole.max())) <= limit * 10_000_000:
            return whole, np.zeros(len(whole), np.bool_)  # as stored: nothing to round or refuse
    read = as_floats(column)
    sieve.refuse(read.faulty, f"{name} is not a number")
    scale = {"e6": 1e6, "e7": 1e7}.get(name[-2:], 1.0)
    said = read.values / scale
    sieve.refuse(~np.isfinite(said) & ~read.absent, f"{word} is NaN or infinite")
    beyond = ~read.absent & ~(np.abs(said) <= limit)
    sieve.refuse(
        beyond,
        f"{word} is outside −{limit}…{limit} degrees",
        {
            int(i): f"{word} {said[i]:g} is outside −{limit}…{limit} degrees"
            for i in np.flatnonzero(beyond)
        },
    )
    # 1e7 / 1e6 is exact, so whole numbers stay whole.
    known = np.where(beyond | read.absent | ~sieve.kept, 0.0, read.values)
    return np.rint(known * (1e7 / scale)), read.absent


def speeds(columns: Columns, sieve: Sieve) -> NDArray[np.float64]:
    """Metres a second, also from km/h; NaN = not known."""
    if columns.find("speed_mps") is None and columns.find("speed_kmh") is not None:
        return optional(columns, sieve, "speed_kmh") / 3.6
    return optional(columns, sieve, "speed_mps")


def optional(columns: Columns, sieve: Sieve, name: str) -> NDArray[np.float64]:
    """A column of numbers that may be absent; NaN = not known."""
    column = columns.find(name)
    if column is None:
        return np.full(len(sieve.numbers), np.nan)
    read = as_floats(column)
    sieve.refuse(read.faulty, f"{name} is not a number: correct it, or leave it empty")
    # Also NaN: no metres, metres a second or degrees that a 32-bit float can't hold are real.
    known = ~read.absent & (np.abs(read.values) < MOST)
    return np.where(known, read.values, np.nan)


def _victims(columns: Columns, sieve: Sieve, batch: Batch) -> set[int]:
    column = columns.find("role")
    if column is None:
        return set()
    roles, faults = as_codes(column, _parse_role)
    for code, why in faults.items():
        sieve.refuse(roles == code, why)
    victims = set(np.unique(batch.wearer[(roles == 1) & sieve.kept]).tolist())
    both = np.isin(batch.wearer, list(victims)) & (roles == 0)
    sieve.refuse(both, "role: this id is a victim's in other rows: give each device one role")
    return victims


def _parse_role(text: str) -> int:
    roles = {"": 0, "wearer": 0, "victim": 1}
    if text.lower() not in roles:
        raise ValueError(f"role {text!r} is none of wearer, victim")
    return roles[text.lower()]
