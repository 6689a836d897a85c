"""The records of Codec 7, as the personal devices GH1201 to GH4000 send them.

A record says by masks what it holds. Coordinates are single floats: about a metre and a half.
"""

from __future__ import annotations

import struct
from typing import Any

from ringfence.engine.fix import E7, Source
from ringfence.gateway.codecs.teltonika.meanings import (
    GH3000,
    GH3000_BATTERY_PCT,
    GH3000_HDOP,
    signals_of,
)
from ringfence.gateway.codecs.teltonika.records import BrokenError, Unnamed, is_place, rest
from ringfence.gateway.report import Report, quantise, seal

CODEC_7 = 0x07
_EPOCH_S = 1_167_609_600  # 2007-01-01
_PLACE = (
    *((0x02, "altitude_m", 2), (0x04, "course", 1), (0x08, "kmh", 1), (0x10, "satellites", 1)),
    *((0x20, "cell", 4), (0x40, "gsm", 1), (0x80, "operator", 4)),
)
"""Bit of the place's mask, name, bytes."""
_GROUPS = tuple(
    (bit, pair.size, pair.iter_unpack)
    for bit, pair in (
        (2, struct.Struct(">BB")),
        (4, struct.Struct(">BH")),
        (8, struct.Struct(">BI")),
    )
)
"""Bit of the record's mask, size of an element with its id, and a reader of (id, value)."""


def read(data: bytes, unnamed: Unnamed | None) -> list[Report]:
    """Read a packet's records; see `records.read`. Raises `BrokenError`."""
    reports: list[Report] = []
    told: Unnamed = []
    at = 2
    try:
        for _ in range(data[1]):
            at = _record(data, at, reports, told)
    except (IndexError, struct.error):
        raise BrokenError from None
    if at != len(data) - 1:
        raise BrokenError
    if unnamed is not None:
        unnamed += told
    return reports


def _record(data: bytes, at: int, reports: list[Report], unnamed: Unnamed) -> int:
    stamp, mask = struct.unpack_from(">IB", data, at)
    at += 5
    place: dict[str, int] = {}
    lat_e7 = lon_e7 = 0
    if mask & 1:
        shown = data[at]
        at += 1
        if shown & 1:
            lat_e7, lon_e7 = _coordinates(data, at)
            at += 8
        for bit, name, size in _PLACE:
            if shown & bit:
                place[name] = int.from_bytes(data[at : at + size], "big")
                at += size
    groups: dict[int, dict[int, int]] = {2: {}, 4: {}, 8: {}}
    for bit, size, pairs in _GROUPS:
        if mask & bit:
            begin = at + 1
            at = begin + data[at] * size
            groups[bit] = dict(pairs(data[begin:at]))
    reports.append(_sealed(stamp, (lat_e7, lon_e7), place, groups))
    unnamed.append(_unnamed(stamp, place, reports[-1], groups))
    if reports[-1].lat_e7 is None and is_place(lat_e7, lon_e7):
        unnamed[-1] |= {"stale_lat": lat_e7 / E7, "stale_lon": lon_e7 / E7}
    return at


def _coordinates(data: bytes, at: int) -> tuple[int, int]:
    """1e-7 degrees; 0, 0 = none."""
    lat, lon = struct.unpack_from(">ff", data, at)
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):  # NaN is neither
        return 0, 0
    return quantise(lat), quantise(lon)


def _sealed(
    stamp: int,
    where: tuple[int, int],
    place: dict[str, int],
    groups: dict[int, dict[int, int]],
) -> Report:
    time_ms = ((stamp & 0x3FFF_FFFF) + _EPOCH_S) * 1000
    level, hdop_10 = groups[2].get(GH3000_BATTERY_PCT), groups[4].get(GH3000_HDOP)
    satellites = place.get("satellites")
    status = (
        satellites,
        hdop_10 / 10 if hdop_10 else None,
        float(level) if level is not None and level <= 100 else None,
        signals_of(groups[2], GH3000),
    )
    if satellites == 0 or not is_place(*where):
        return seal((None, time_ms, None, None, None, 0, None, None, None, *status))
    kmh, course, altitude_m = (place.get(name) for name in ("kmh", "course", "altitude_m"))
    motion = (
        kmh / 3.6 if kmh is not None else None,
        course * 360 / 256 if course is not None else None,
        float(altitude_m) if altitude_m is not None else None,
    )
    return seal((None, time_ms, *where, None, int(Source.GNSS), *motion, *status))


def _unnamed(
    stamp: int, place: dict[str, int], report: Report, groups: dict[int, dict[int, int]]
) -> dict[str, Any]:
    elements = rest(groups[2], GH3000) | groups[4] | groups[8]
    if report.battery_pct is not None:
        elements.pop(GH3000_BATTERY_PCT)
    if report.hdop is not None:
        elements.pop(GH3000_HDOP)
    said: dict[str, Any] = {"priority": stamp >> 30}
    said |= {n: place[n] for n in ("cell", "gsm", "operator") if n in place}
    return said | {str(ident): value for ident, value in elements.items()}
