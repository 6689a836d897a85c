"""Queclink frames written from the maker's field lists: made-up devices, places out at sea."""

from __future__ import annotations

from binascii import crc_hqx
from struct import pack

IMEI = "350000000000017"
FIX_MS = 1_772_359_320_000
"""2026-03-01T10:02:00Z"""
PLACE = "1,3.6,271,12.5,-9.123456,48.654321,20260301100200"
CELL = "0234,0010,00AB,1234,00"
SENT = "20260301100203"


def text(report: str, fields: str, count: int = 0x11F0, version: str = "1A0900") -> bytes:
    return f"+RESP:GT{report},{version},{IMEI},Tag,{fields},{SENT},{count:04X}$".encode()


def fri(place: str = PLACE, count: int = 0x11F0, battery: str = "83") -> bytes:
    return text("FRI", f"0,0,1,{place},{CELL},{battery}", count)


def packed_imei(imei: str = IMEI) -> bytes:
    return bytes([*(int(imei[i : i + 2]) for i in range(0, 14, 2)), int(imei[14])])


def instant(year: int, *rest: int) -> bytes:
    return pack(">H5B", year, *rest)


def located(
    *, accuracy: int = 1, kmh: float = 3.6, lon_e6: int = -9_123_456, minute: int = 2
) -> bytes:
    whole, tenths = divmod(round(kmh * 10), 10)
    at = instant(2026, 3, 1, 10, minute, 0)
    place = pack(">BHBHhii", accuracy, whole, tenths, 271, 12, lon_e6, 48_654_321)
    return place + at + pack(">HHHHB", 234, 10, 0xAB, 0x1234, 0)


def closed(header: bytes, body: bytes, count: int = 0x11F0) -> bytes:
    """A frame of the older series with its length, send time, count and checksum."""
    rest = instant(2026, 3, 1, 10, 2, 3) + pack(">H", count)
    length = len(header) + 2 + len(body) + len(rest) + 4
    frame = header + pack(">H", length) + body + rest
    return frame + pack(">H", crc_hqx(frame[4:], 0xFFFF)) + b"\r\n"


def binary(kind: bytes, number: int, body: bytes, count: int = 0x11F0) -> bytes:
    device = b"\x45\x01\x02\x02\x09" + packed_imei() + b"\x50\x0e\xd8\x42\x07"
    return closed(kind + bytes([number]) + b"\x00\xfc\x1f\xbf", device + body, count)


def records(*items: bytes, time_s: int = FIX_MS // 1000, count: int = 7) -> bytes:
    """A frame of the newer series with one record."""
    record = pack(">IHBB", time_s, count, 0x50, 0) + b"".join(items) + b"\x01"
    body = b"\x00" + bytes.fromhex("0" + IMEI) + b"\x82\x03\x00\x03\x00\x00"
    body += bytes([len(record)]) + record
    return b"+\x00" + pack(">H", len(body) + 7) + body + b"\x0f\xf8$"


def placed(lon_e6: int = -9_123_456) -> bytes:
    return bytes([0x51, 15, 0x09]) + pack(">iiIH", lon_e6, 48_654_321, FIX_MS // 1000, 0)


EVERY_KIND = (
    fri(),
    text("SOS", f"0,0,1,{PLACE},{CELL},83", 0x11F1),
    text("JDR", f"0,{PLACE[2:]},{CELL}", 0x11F2),
    b"+BUFF" + text("STT", f"42,{PLACE},{CELL}", 0x11F3)[5:],
    f"+ACK:GTHBD,1A0401,{IMEI},,{SENT},11F4$".encode(),
    binary(b"+RSP", 7, b"\x01" + located()),
    binary(b"+EVT", 6, b"\x0e\xd8\x01" + located()),
    binary(b"+RSP", 3, b"\x01" + located()),
    records(placed()),
)
"""One of each form, for splitting, joining and damaging."""
