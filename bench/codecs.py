"""Frames a second that each codec reads on one core, what has no name left aside.

Typical frames of made-up devices out at sea, one a call as from a connection, no two alike.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from struct import pack
from typing import NamedTuple

from nacl.secret import SecretBox

from bench.row import Row, best_cpu_s
from ringfence.gateway.codecs import osmand, owntracks, ringfence_json, traccar
from ringfence.gateway.frames import DeviceModel
from ringfence.gateway.report import Decoded
from ringfence.gateway.tcp_codecs import CODECS

FRAMES = 5_000
TARGET = 50_000
"""Twelve thousand devices after a day without network, each with 1,440 fixes, in six minutes."""
ROUNDS = 10
ENCRYPTED = "owntracks, encrypted"
IMEI = "350000000000017"
BEGIN_AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


class Place(NamedTuple):
    """Where a made-up device is, once a minute."""

    number: int
    at: datetime
    lat: float
    lon: float
    kmh: float
    course: int

    @property
    def epoch_s(self) -> int:
        """When, as protocols with whole seconds say it."""
        return int(self.at.timestamp())


def run() -> list[Row]:
    places = list(way())
    works = {
        name: device_work(name, [make(place) for place in places]) for name, make in DEVICES.items()
    }
    for name, make, decode in REQUESTS:
        works[name] = request_work(name, [make(place) for place in places], decode)
    box = SecretBox(b"k" * 32)
    sealed = [sealed_body(box, phone(place)) for place in places]
    works[ENCRYPTED] = request_work(ENCRYPTED, sealed, partial(owntracks.decode, box=box))
    # By turns: a shared machine has seconds at half its speed, which should meet none alone.
    best_s = dict.fromkeys(works, math.inf)
    for _ in range(ROUNDS):
        for name, work in works.items():
            best_s[name] = min(best_s[name], best_cpu_s(work, 1))
    return [
        Row(name, FRAMES / took_s, "frames/s a core", None if name == ENCRYPTED else TARGET)
        for name, took_s in best_s.items()
    ]


def way() -> Iterator[Place]:
    for n in range(FRAMES):
        at = BEGIN_AT + timedelta(minutes=n)
        yield Place(n, at, 48.6 + n / 1e5, -9.1 - n / 1e5, n % 300 / 10, n % 360)


def device_work(name: str, frames: list[bytes]) -> Callable[[], None]:
    def work() -> None:
        receive = CODECS[name].talk(lambda _: DeviceModel(), False).receive  # noqa: FBT003
        reports = sum(len(heard.reports) for frame in frames for heard in receive(frame))
        if reports != len(frames):
            raise RuntimeError(f"{name}: {reports} reports of {len(frames)} frames")

    return work


def request_work(
    name: str, bodies: list[bytes], decode: Callable[[bytes], Decoded]
) -> Callable[[], None]:
    def work() -> None:
        reports = sum(len(decode(body).reports) for body in bodies)
        if reports != len(bodies):
            raise RuntimeError(f"{name}: {reports} reports of {len(bodies)} bodies")

    return work


def queclink(place: Place) -> bytes:
    return (
        f"+RESP:GTFRI,1A0900,{IMEI},Tag,0,0,1,1,{place.kmh:.1f},{place.course},12.5,"
        f"{place.lon:.6f},{place.lat:.6f},{place.at:%Y%m%d%H%M%S},0234,0010,00AB,1234,00,83,"
        f"{place.at:%Y%m%d%H%M%S},{place.number:04X}$"
    ).encode()


def megastek(place: Place) -> bytes:
    lat, lon = degrees_minutes(place.lat), degrees_minutes(-place.lon)
    body = (
        f"$MGV002,{IMEI},Tag,R,{place.at:%d%m%y,%H%M%S},A,{lat:010.5f},N,{lon:011.5f},W,00,09,00,"
        f"1.06,{place.kmh / 1.852:.3f},{place.course}.5,12.3,,234,10,00AB,1234,5,0000,0000,0,,,,,,"
        f"10,083,Timer,,;!"
    )
    return f"{len(body):04d}{body}".encode()


def r16h(place: Place) -> bytes:
    return (
        f"@GPSD,{IMEI},R,{place.at:%Y%m%d,%H%M%S},{place.lat:.5f},N,{-place.lon:.5f},W,"
        f"{place.kmh:.0f},{place.course},36,72,L,\r\n"
    ).encode()


def teltonika(place: Place) -> bytes:
    """Codec 8, one record, ten elements, without log-in."""
    lon, lat = round(place.lon * 1e7), round(place.lat * 1e7)
    record = pack(">QBiihHBH", place.epoch_s * 1000, 0, lon, lat, 12, place.course, 9, 3)
    record += bytes([0, 10])
    record += bytes([5, 239, 0, 240, 1, 21, 4, 200, 0, 69, 1])
    record += bytes([4]) + b"".join(pack(">BH", i, v) for i, v in ((181, 11), (182, 6)))
    record += pack(">BH", 66, 14_233) + pack(">BH", 67, 3_976)
    record += bytes([1]) + pack(">BI", 16, place.number) + bytes([0])
    data = b"\x08\x01" + record + b"\x01"
    return pack(">II", 0, len(data)) + data + pack(">I", crc_ibm(data))


def phone(place: Place) -> bytes:
    said = {"_type": "location", "tst": place.epoch_s, "lat": place.lat, "lon": place.lon}
    said |= {"acc": 12, "alt": 40, "batt": 83, "vel": place.kmh, "cog": place.course, "tid": "T1"}
    return json.dumps(said).encode()


def client(place: Place) -> bytes:
    return (
        f"id=T1&timestamp={place.epoch_s}&lat={place.lat:.6f}&lon={place.lon:.6f}"
        f"&speed={place.kmh:.1f}&bearing={place.course}&altitude=40.0&accuracy=12.0&batt=83.0"
    ).encode()


def forwarded(place: Place) -> bytes:
    position = {"protocol": "osmand", "valid": True, "fixTime": place.at.isoformat()}
    position |= {"deviceTime": place.at.isoformat(), "outdated": False, "accuracy": 12.0}
    position |= {"latitude": place.lat, "longitude": place.lon, "altitude": 40.0}
    position |= {"speed": place.kmh, "course": place.course}
    position["attributes"] = {"batteryLevel": 83.0, "sat": 9, "motion": True, "distance": 3.1}
    return json.dumps({"position": position, "device": {"id": 1, "uniqueId": "T1"}}).encode()


def own(place: Place) -> bytes:
    report = {"seq": place.number, "time": place.at.isoformat(), "lat": place.lat}
    report |= {"lon": place.lon, "accuracy_m": 8, "source": "gnss", "battery_pct": 83}
    return json.dumps({"tag": "T1", "reports": [report]}).encode()


def sealed_body(box: SecretBox, body: bytes) -> bytes:
    data = b64encode(bytes(box.encrypt(body))).decode()
    return json.dumps({"_type": "encrypted", "data": data}).encode()


def degrees_minutes(degrees: float) -> float:
    whole = int(degrees)
    return whole * 100 + (degrees - whole) * 60


def crc_ibm(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


DEVICES = {
    "megastek": megastek,
    "queclink": queclink,
    "r16h": r16h,
    "teltonika": teltonika,
}
REQUESTS: tuple[tuple[str, Callable[[Place], bytes], Callable[[bytes], Decoded]], ...] = (
    ("osmand", client, lambda body: osmand.decode(body, 0)),
    ("owntracks", phone, owntracks.decode),
    ("ringfence", own, lambda body: ringfence_json.decode(body, ringfence_json.JSON)),
    ("traccar", forwarded, traccar.decode),
)
