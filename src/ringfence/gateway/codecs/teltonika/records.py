"""The records of Codec 8, 8 Extended and 16.

A record holds a head with the place, then groups of elements of 1, 2, 4 and 8 bytes, each with its
AVL id. Codec 16 has ids of two bytes; 8 Extended also counts of two bytes and elements of any
length.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from ringfence.engine.fix import E7, Source
from ringfence.gateway.codecs.teltonika.meanings import BATTERY_PCT, HDOP, Codes, signals_of
from ringfence.gateway.report import Report, seal

LATEST_MS = 253_402_300_799_999  # year 9999
_GNSS = int(Source.GNSS)
_NOWHERE = (None, None, None, 0, None, None, None)


class BrokenError(Exception):
    """The records are not what their codec says."""


class Form(NamedTuple):
    """How a codec writes a record."""

    head: Callable[[bytes, int], tuple[int, ...]]
    """Time, priority, longitude, latitude, altitude, course, satellites, km/h, event, …"""
    head_size: int
    wide: bool
    """Counts of elements are two bytes, and elements of any length come last."""
    pairs: tuple[tuple[int, Callable[[bytes], Any]], ...]
    """For elements of 1, 2, 4, 8 bytes: their size with the id, and a reader of (id, value)."""


def _form(tail: str, ident: str, *, wide: bool) -> Form:
    head = struct.Struct(">QBiihHBH" + tail)
    pairs = [struct.Struct(f">{ident}{kind}") for kind in "BHIQ"]
    readers = tuple((pair.size, pair.iter_unpack) for pair in pairs)
    return Form(head.unpack_from, head.size, wide, readers)


# After the place: event, how the record came about (Codec 16), count of all elements.
FORMS = {
    0x08: _form("BB", "B", wide=False),
    0x8E: _form("HH", "H", wide=True),
    0x10: _form("HBB", "H", wide=False),
}
Unnamed = list[dict[str, Any]]


def read(data: bytes, form: Form, codes: Codes, unnamed: Unnamed | None) -> list[Report]:
    """Read a packet's records.

    Args:
        data: codec, count, records, count.
        form: that codec's.
        codes: what ids mean to us.
        unnamed: for each report what has no name of ours is added here; None = not asked for.

    Returns:
        A report for each record, but none for one with a time beyond `LATEST_MS`.

    Raises:
        BrokenError: the records don't fill the packet.
    """
    # Some firmware adds a group of elements of 16 bytes without saying so: one way fills it.
    for long in (False, True):
        reports: list[Report] = []
        told: Unnamed | None = None if unnamed is None else []
        at = 2
        try:
            for _ in range(data[1]):
                at = _record(data, at, (form, codes, long), reports, told)
        except (IndexError, struct.error):
            continue
        if at == len(data) - 1:
            if unnamed is not None and told is not None:
                unnamed += told
            return reports
    raise BrokenError


def _record(
    data: bytes,
    at: int,
    how: tuple[Form, Codes, bool],
    reports: list[Report],
    unnamed: Unnamed | None,
) -> int:
    """Read the record at `at` into `reports`; return where it ends."""
    form, codes, long = how
    head = form.head(data, at)
    at += form.head_size
    groups = []
    for size, pairs in form.pairs:
        if form.wide:
            begin = at + 2
            at = begin + (data[at] << 8 | data[at + 1]) * size
        else:
            begin = at + 1
            at = begin + data[at] * size
        groups.append((pairs, data[begin:at]))
    begin = at
    if long or form.wide:
        at = _long_elements(data, at, form, long=long, into=None)
    pairs, said = groups[0]
    ones = dict(pairs(said))
    pairs, said = groups[1]
    twos = dict(pairs(said))
    quality = (head[6], twos.get(HDOP), ones.get(BATTERY_PCT))
    report = _sealed(head, quality, signals_of(ones, codes))
    if report is None:
        return at
    reports.append(report)
    if unnamed is not None:
        elements: dict[int, Any] = dict(twos)
        for pairs, said in groups[2:]:
            elements |= pairs(said)
        if long or form.wide:
            _long_elements(data, begin, form, long=long, into=elements)
        unnamed.append(_unnamed(head, report, rest(ones, codes) | elements))
    return at


def _long_elements(
    data: bytes, at: int, form: Form, *, long: bool, into: dict[int, Any] | None
) -> int:
    """Walk over the elements of 16 bytes, then over those that say how long they are."""
    ident = form.pairs[0][0] - 1
    if long:
        width = 2 if form.wide else 1
        count = int.from_bytes(data[at : at + width], "big")
        at += width
        for _ in range(count):
            begin = at + ident
            if into is not None:
                into[int.from_bytes(data[at:begin], "big")] = data[begin : begin + 16].hex()
            at = begin + 16
    if form.wide:
        count = data[at] << 8 | data[at + 1]
        at += 2
        for _ in range(count):
            begin = at + 4
            after = begin + (data[at + 2] << 8 | data[at + 3])
            if into is not None:
                into[data[at] << 8 | data[at + 1]] = data[begin:after].hex()
            at = after
    return at


def _sealed(
    head: tuple[int, ...], quality: tuple[int, int | None, int | None], signals: int
) -> Report | None:
    time_ms, _, lon_e7, lat_e7, altitude_m, course_deg, satellites, kmh = head[:8]
    if time_ms > LATEST_MS:
        return None
    _, hdop_10, level = quality
    battery_pct = float(level) if level is not None and level <= 100 else None
    hdop = hdop_10 / 10 if hdop_10 else None
    if not satellites or not is_place(lat_e7, lon_e7):
        return seal((None, time_ms, *_NOWHERE, satellites, hdop, battery_pct, signals))
    course = float(course_deg) if course_deg <= 360 else None
    place = (lat_e7, lon_e7, None, _GNSS, kmh / 3.6, course, float(altitude_m))
    return seal((None, time_ms, *place, satellites, hdop, battery_pct, signals))


def is_place(lat_e7: int, lon_e7: int) -> bool:
    """On Earth, and not the 0°, 0° that stands for unknown."""
    if not lat_e7 and not lon_e7:
        return False
    return -900_000_000 <= lat_e7 <= 900_000_000 and -1_800_000_000 <= lon_e7 <= 1_800_000_000


def rest(ones: dict[int, int], codes: Codes) -> dict[int, Any]:
    """The elements of one byte that became no signal."""
    return {i: v for i, v in ones.items() if v not in codes.get(i, ())}


def _unnamed(head: tuple[int, ...], report: Report, elements: dict[int, Any]) -> dict[str, Any]:
    if report.battery_pct is not None:
        elements.pop(BATTERY_PCT)
    if report.hdop is not None:
        elements.pop(HDOP)
    said: dict[str, Any] = {"priority": head[1], "event": head[8]}
    if report.lat_e7 is None:
        said |= {"stale_lat": head[3] / E7, "stale_lon": head[2] / E7}
    return said | {str(ident): value for ident, value in elements.items()}
