"""Queclink's @Track protocol in binary: `+RSP`, `+EVT`, `+INF`, `+HBD` …, and the newer records.

A mask says which fields a frame holds, each model has its own list. As in text, positions are found
by their form, and send time and count by the end. Sums are checked (CRC-16/CCITT from the type on).
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from datetime import UTC, datetime
from struct import Struct
from typing import Final

from ringfence.gateway.codecs.queclink.saying import (
    BATTERY_LOW,
    GNSS_LOST,
    JAMMED,
    JAMMING_CRITICAL,
    NETWORK_JAMMED,
    Position,
    Said,
    UnusableError,
    utc_ms,
)

_TAIL: Final = 4
"""Checksum and CR LF."""
_POSITION = Struct(">BHBHhii")
"""Accuracy, km/h and tenths, course, altitude, longitude, latitude; the time follows."""
_POSITION_BYTES: Final = 23
_COMPRESSED: Final = 100
_PLACED = Struct(">ii")
_FIRST = Struct(">iiI")
_RECORDS_FROM: Final = 19
_LOCATED = Struct(">xiiI")
_GB100: Final = 0x45
"""The device type of which it is known what stands between its id and the position."""
_NAME = re.compile(rb"[A-Za-z0-9_-]{2,8}\0*\Z")
_DEVICE_AT: Final = {b"INF": 9, b"BNF": 9, b"ACK": 12, b"LGN": 15, b"CRD": 13, b"BRD": 13}
"""Where the id stands, if it is not at the 16 of reports and events."""
_BPL, _GSS, _GPJ, _JDS = 6, 21, 31, 33
"""Types of `+EVT` that are proven by frames; the others' numbers differ between manuals."""


def read(raw: bytes, *, with_raw: bool) -> Said:
    """Read one binary frame of the older series.

    Raises:
        UnusableError: its checksum is wrong, or it is shorter than what it must hold.
    """
    if crc_hqx(raw[4:-_TAIL], 0xFFFF) != int.from_bytes(raw[-_TAIL:-2], "big"):
        raise UnusableError("the checksum is wrong: the frame was damaged on its way")
    kind = raw[1:4]
    number, sent = int.from_bytes(raw[-6:-4], "big"), _instant(raw[-13:-6])
    if kind == b"HBD":
        reply = b"+SACK:GTHBD,,%04X$" % number
        return Said(_device(raw[-21:-13]), number, reply=reply, reported=False)
    event = kind in (b"EVT", b"BVT")
    at = _DEVICE_AT.get(kind, 16)
    said = Said(
        _device(raw[at : at + 8]),
        number,
        sent=sent,
        reply=b"+SACK:%04X$" % number,
        buffered=kind[0] == ord("B"),
        raw={"report": kind.decode(), "body": raw[4:-13].hex()} if with_raw else {},
    )
    if kind in (b"ACK", b"LGN"):
        return said._replace(reply=b"", reported=False)
    if kind in _DEVICE_AT:
        return said
    if len(raw) < 50:
        raise UnusableError("the frame is shorter than what it must hold")
    compressed = not event and raw[4] == _COMPRESSED
    positions, unread = _compressed(raw) if compressed else _positions(raw)
    return said._replace(
        positions=positions,
        unread=unread,
        battery_pct=float(raw[24]) if raw[11] == _GB100 and raw[24] <= 100 else None,
        signals=_signals(raw) if event else 0,
    )


def read_records(raw: bytes, *, with_raw: bool) -> Said:
    """Read one frame of the newer series: records of items, each with its length.

    Of the items only the two that hold a position are known; the rest stays as it is.

    Raises:
        UnusableError: its lengths do not add up.
    """
    device = raw[5:13].hex().lstrip("0") or None
    at = _RECORDS_FROM + raw[_RECORDS_FROM - 1]
    positions: list[Position] = []
    said: list[str] = []
    number, sent, unread = None, "", 0
    while at < len(raw) - 3:
        length, at = raw[at], at + 1
        if length & 0x80:
            length, at = (length & 0x7F) << 8 | raw[at], at + 1
        record = raw[at : at + length]
        if length < 8 or at + length > len(raw) - 3:
            raise UnusableError("the lengths of its records do not add up")
        at += length
        generated = datetime.fromtimestamp(int.from_bytes(record[:4], "big"), UTC)
        sent = f"{generated:%Y%m%d%H%M%S}"
        number = int.from_bytes(record[4:6], "big")
        unread += _recorded(record, positions)
        said.append(record.hex())
    if not sent:
        raise UnusableError("it holds no record")
    held = {"report": "records", "records": said} if with_raw else {}
    return Said(device, number, positions, sent, buffered=raw[:1] == b"-", unread=unread, raw=held)


def _recorded(record: bytes, positions: list[Position]) -> int:
    """Read a record's positions; return how many can't be read."""
    at, unread = 8, 0
    while at + 2 <= len(record):
        item, end = record[at], at + 2 + record[at + 1]
        if item in (0x51, 0x52):
            whole = end - at >= 15 and end <= len(record)
            lon, lat, time_s = _LOCATED.unpack_from(record, at + 2) if whole else (1, 1, 0)
            if time_s and _on_earth(lon, lat):
                positions.append(Position(time_s * 1000, lat * 10, lon * 10))
            else:
                unread += lon != 0 or lat != 0
        at = end
    return unread


def _positions(raw: bytes) -> tuple[list[Position], int]:
    """Every place at which 24 bytes read as a position, from the device's id to the send time.

    Also counts what has a position's time and place, and else what no position has.
    """
    positions: list[Position] = []
    at, last, unread = 24, len(raw) - 13 - _POSITION_BYTES, 0
    satellites = raw[28] if raw[11] == _GB100 and raw[4] != 8 and raw[28] <= 64 else None
    while at <= last:
        # What is cheap is asked first: a frame may be made of times.
        if (
            raw[at + 16] not in (7, 8)
            or not _on_earth(*_PLACED.unpack_from(raw, at + 8))
            or (time_ms := _time_ms(raw, at + 16)) is None
        ):
            at += 1
            continue
        position = _position(raw, at, time_ms, satellites)
        if position is None:
            unread += 1
            at += 1
        else:
            positions.append(position)
            at += _POSITION_BYTES
    return positions, unread


def _time_ms(raw: bytes, at: int) -> int | None:
    try:
        return utc_ms(_instant(raw[at : at + 7]))
    except ValueError:
        return None


def _position(raw: bytes, at: int, time_ms: int, satellites: int | None) -> Position | None:
    """The position whose place and time were found to be such; None if the rest is none's."""
    hdop, kmh, tenths, course, altitude, lon, lat = _POSITION.unpack_from(raw, at)
    if hdop > 50 or kmh > 999 or tenths > 9 or course > 360:
        return None
    return Position(
        time_ms,
        lat * 10,
        lon * 10,
        (kmh + tenths / 10) / 3.6,
        float(course),
        float(altitude),
        satellites,
        float(hdop) or None,
        hdop == 0,
    )


def _compressed(raw: bytes) -> tuple[list[Position], int]:
    """A position a second: the first in full, then what changed; each says which it is.

    Returns:
        The positions, and how many of them can't be read.
    """
    at, end, count = 31, len(raw) - 13, int.from_bytes(raw[29:31], "big")
    positions: list[Position] = []
    time_s = lon = lat = speed = course = unread = 0
    for index in range(count):
        time_s += index > 0
        if at >= end:
            raise UnusableError("it holds fewer positions than it says")
        how = raw[at] >> 6
        if how == 1:
            word = int.from_bytes(raw[at : at + 3], "big")
            speed, course = word >> 9 & 0xFFF, word & 0x1FF
            lon, lat, first_s = _FIRST.unpack_from(raw, at + 3) if at + 15 <= end else (0, 0, 0)
            # The manual's example repeats no time with a later full position.
            at += 15 if not positions else 11
            time_s = time_s if positions else first_s
        elif how == 2:
            word = int.from_bytes(raw[at : at + 5], "big")
            speed += _signed(word >> 30, 7)
            course += _signed(word >> 23, 7)
            lon += _signed(word >> 11, 12)
            lat += _signed(word, 11)
            at += 5
        else:
            at += 1
            continue
        if _on_earth(lon, lat) and time_s:
            positions.append(
                Position(
                    time_s * 1000,
                    lat * 10,
                    lon * 10,
                    speed / 36 if speed >= 0 else None,
                    float(course % 360),
                )
            )
        else:
            unread += lon != 0 or lat != 0
    return positions, unread


def _signals(raw: bytes) -> int:
    event, value = raw[4], raw[29:31]
    signals = BATTERY_LOW if event == _BPL else 0
    if raw[11] == _GB100:  # others have inputs where this one says what happened
        if event == _GSS:
            signals = GNSS_LOST if value[0] == 0 else 0
        elif event == _GPJ:
            signals = JAMMED if value[1] == JAMMING_CRITICAL else 0
        elif event == _JDS:
            signals = NETWORK_JAMMED if value[0] == 2 else 0
    return signals


def _signed(bits: int, width: int) -> int:
    bits &= (1 << width) - 1
    return bits - (1 << width) if bits >> (width - 1) else bits


def _on_earth(lon_e6: int, lat_e6: int) -> bool:
    return abs(lon_e6) <= 180_000_000 and abs(lat_e6) <= 90_000_000 and (lon_e6 or lat_e6) != 0


def _device(raw: bytes) -> str | None:
    """An IMEI, two digits a byte and one in the last; or a name of up to eight letters."""
    if _NAME.match(raw):
        return raw.rstrip(b"\0").decode()
    if len(raw) < 8 or max(raw[:7]) > 99 or raw[7] > 9 or not any(raw):
        return None
    return "".join(f"{pair:02d}" for pair in raw[:7]) + str(raw[7])


def _instant(raw: bytes) -> str:
    """A year of two bytes, and five of one, as YYYYMMDDHHMMSS."""
    return f"{int.from_bytes(raw[:2], 'big'):04d}" + "".join(f"{part:02d}" for part in raw[2:7])
