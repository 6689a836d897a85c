"""Frames of made-up devices in made-up places, written after the makers' lists of fields."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC
from functools import reduce
from operator import xor
from typing import Any

from ringfence.engine.fix import Signal
from ringfence.gateway.frames import Codec, Conversation, DeviceModel, Heard

IMEI = "350000000000017"
AT_MS = 1_772_359_320_000  # 2026-03-01 10:02:00 UTC


def talk(codec: Codec, model: DeviceModel | None = None) -> Conversation:
    """A conversation in which every device is of one model, and what has no name is said."""
    chosen = model or DeviceModel("", UTC)
    return codec.talk(lambda _: chosen, True)


def hear(codec: Codec, data: bytes, model: DeviceModel | None = None) -> Heard:
    """The one frame in `data`."""
    heard = talk(codec, model).receive(data)
    assert len(heard) == 1
    return heard[0]


def names(heard: Heard) -> list[str]:
    """The signals of a frame's only report."""
    assert heard.error is None
    (report,) = heard.reports
    return Signal(report.signals).names()


def crc(data: bytes) -> int:
    """CRC-16/IBM bit by bit, as the maker's page draws it."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


def packet(records: Sequence[bytes], codec: int = 0x08) -> bytes:
    """A packet over TCP."""
    count = bytes([len(records)])
    data = bytes([codec]) + count + b"".join(records) + count
    return struct.pack(">II", 0, len(data)) + data + struct.pack(">I", crc(data))


def login(imei: str = IMEI) -> bytes:
    """The first bytes of a connection."""
    return b"\x00\x0f" + imei.encode()


Elements = Mapping[int, int]
PLACE = {"lon": -1_278_000, "lat": 515_072_000, "alt": 30, "course": 270, "sats": 9, "kmh": 36}


def record(
    groups: Sequence[Elements] = (),
    codec: int = 0x08,
    *,
    at_ms: int = AT_MS,
    long: Mapping[int, bytes] | None = None,
    sized: Mapping[int, bytes] | None = None,
    **place: Any,
) -> bytes:
    """A record; `groups` are elements of 1, 2, 4, 8 bytes by their ids."""
    p = PLACE | place
    ident, count = ("H" if codec != 0x08 else "B"), ("H" if codec == 0x8E else "B")
    total = sum(len(g) for g in groups) + len(long or {}) + len(sized or {})
    said = struct.pack(
        ">QBiihHBH", at_ms, 1, p["lon"], p["lat"], p["alt"], p["course"], p["sats"], p["kmh"]
    )
    said += struct.pack(">" + ident, 7) + (b"\x05" if codec == 0x10 else b"")
    said += struct.pack(">" + count, total)
    for elements, kind in zip([*groups, {}, {}, {}, {}][:4], "BHIQ", strict=True):
        said += struct.pack(">" + count, len(elements))
        for number, value in elements.items():
            said += struct.pack(f">{ident}{kind}", number, value)
    if long is not None:
        said += struct.pack(">" + count, len(long))
        for number, octets in long.items():
            said += struct.pack(">" + ident, number) + octets
    if codec == 0x8E:
        said += struct.pack(">H", len(sized or {}))
        for number, octets in (sized or {}).items():
            said += struct.pack(">HH", number, len(octets)) + octets
    return said


def gh(mask: int, shown: int, place: bytes, groups: bytes = b"") -> bytes:
    """A record of Codec 7: its masks, its place, its groups of elements."""
    seconds = AT_MS // 1000 - 1_167_609_600
    head = struct.pack(">IB", seconds | 1 << 30, mask)
    return head + (bytes([shown]) + place if mask & 1 else b"") + groups


MGV = (
    "$MGV002,350000000000025,,R,010326,100200,A,5130.43200,N,00007.66800,W,00,09,00,0.92,10.0,"
    "356.23,37.9,1.5,234,15,00FE,0F54,25,0000,0000,0,,,,,,01,087,Timer;!"
)
STX = (
    "STX,350000000000033,$GPRMC,100200.000,A,5130.4320,N,00007.6680,W,10.00,356.23,010326,,,A*46,"
    "F,Help,imei:350000000000033,09,37.9,Battery=52%,,1,234,15,00FE,0F54;"
)


def mgv(**said: str) -> bytes:
    """A frame of an ankle tag with some fields changed, and its length before it."""
    at = {"imei": 1, "flag": 3, "day": 4, "clock": 5, "valid": 6, "lat": 7, "lon": 9, "status": 32}
    at |= {"battery": 33, "alarm": 34}
    fields = MGV.removesuffix(";!").split(",")
    for name, value in said.items():
        fields[at[name]] = value
    body = ",".join(fields) + ";!"
    return f"{len(body):04d}{body}".encode()


def stx(line: str = STX) -> bytes:
    """An old line with NMEA's checksum in it and its own sum behind it."""
    head, _, rest = line.partition("$")
    sentence, _, rest = rest.partition("*")
    line = f"{head}${sentence}*{reduce(xor, sentence.encode()):02X}{rest[2:]}"
    return f"{line}{sum(line.encode()) & 0xFF:02X}\r\n".encode()


GPSD = "@GPSD,350000000000041,R,20260301,100200,51.50720,N,000.12780,W,36,270,30,87,L,$"
LBSD = "@LBSD,350000000000041,S,20260301,100200,234-15-00fe-0f54:-71,,,21,R,ULK$"
