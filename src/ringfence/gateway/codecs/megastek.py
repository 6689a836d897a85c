"""Megastek's tags: `$MGV…!` as ankle tags speak it, and the older `STX…` and `LOGSTX…` lines.

Fields after the maker's list "GPRS uploading data format"; what that leaves open is named in
docs/protocols.md. A position marked V is the tag's last, not a fix: the rest of its frame counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, tzinfo
from functools import lru_cache, reduce
from operator import xor
from typing import Any, NamedTuple

from ringfence.engine.fix import E7, Signal, Source
from ringfence.gateway.frames import Codec, DeviceModel, Heard, ModelOf
from ringfence.gateway.report import KNOT_MPS, Report, seal
from ringfence.gateway.sentences import (
    Cutter,
    device_of,
    instant_ms,
    number,
    positive,
)


class Table(NamedTuple):
    """What a model's alarm words and accessory digits mean."""

    words: dict[str, int]
    belt: bool = True
    """The second digit of the accessories tells which belts are closed; 0 = none."""


_WORDS: dict[str, int] = {
    **dict.fromkeys(
        ("beltoff", "beltopen", "beltcut", "strapoff", "strapcut"), int(Signal.STRAP_CUT)
    ),
    **dict.fromkeys(("belton", "strapon"), int(Signal.STRAP_OK)),
    **dict.fromkeys(("caseopen", "coveropen", "tamper", "dismantle"), int(Signal.CASE_OPEN)),
    **dict.fromkeys(("lowbattery", "lowbat", "batterylow"), int(Signal.BATTERY_LOW)),
    **dict.fromkeys(("pwon", "poweron", "restart", "psr"), int(Signal.POWER_ON)),
    **dict.fromkeys(("pwoff", "poweroff", "shutdown", "psd"), int(Signal.POWER_OFF)),
    **dict.fromkeys(("sos", "help"), int(Signal.SOS)),
    **dict.fromkeys(("jamming", "gpsjamming", "gnssjamming"), int(Signal.GNSS_JAMMED)),
    "gpscut": int(Signal.GNSS_LOST),
}
TABLES: tuple[tuple[re.Pattern[str], Table], ...] = (
    (re.compile(r"GVT|MT-?(90|100|400)\b", re.IGNORECASE), Table(_WORDS, belt=False)),
    (re.compile(""), Table(_WORDS)),
)
"""By the model's name; the first that matches counts. Vehicles and pendants have no belt."""
_BELT = re.compile(r"belt|strap")
_WORD = re.compile(r"[^|/&+]+")
_LETTERS = re.compile(r"[^a-z]")
_DEGREES = re.compile(rb"(\d{1,3})(\d\d\.\d{1,9})").fullmatch
_SIDES = {b"N": 1, b"S": -1, b"E": 1, b"W": -1}
_CHARGING, _STRAP_OK = int(Signal.CHARGING), int(Signal.STRAP_OK)
_STRAP_CUT = int(Signal.STRAP_CUT)
_GNSS, _UNSURE = int(Source.GNSS), int(Source.UNKNOWN)

# The sixteen characters of an old id may be followed by any two bytes, an end mark among them.
_FRAME = re.compile(rb"(?:(?=STX[^,][\s\S]{18})(?:STX[\s\S]{18}(?=\$))?+|(?!STX[^,]))[^!\n]*+[!\n]")
_UNREADABLE = "no frame of a Megastek tag: check that this port serves Megastek tags only"
_UNDATED = (
    "the frame has no date and time that exist: set the tag's clock; its alarms count from when "
    "it came"
)
_UNPLACED = (
    "the frame says that it has a fix, and its place can't be read; the rest is taken, and its "
    "bytes are kept"
)
_SHORT = "the frame is cut short: the tag should send it again"
_NAMES = (
    *("mileage", "mcc", "mnc", "lac", "cell", "gsm", "input", "output", "analog_1", "analog_2"),
    *("analog_3", "temperature_1", "temperature_2", "rfid", "accessories"),
)
"""Fields of `$MGV` from the eighteenth on that have no name of ours."""


_Place = tuple[
    int | None, int | None, None, int, float | None, float | None, float | None
]  # fmt: skip
"""Latitude, longitude, accuracy, source, speed, course, altitude, as a report has them."""
_NOWHERE: _Place = (None, None, None, 0, None, None, None)


class _Status(NamedTuple):
    """What an old frame's own fields say."""

    battery_pct: float | None
    signals: int
    satellites: int | None = None
    altitude: bytes = b""


class _Talk:
    """One connection of Megastek tags."""

    __slots__ = ("_cutter", "_login", "_model_of", "_say_unnamed")

    def __init__(self, model_of: ModelOf, say_unnamed: bool) -> None:  # noqa: FBT001 - Codec.talk
        self._cutter = Cutter(_FRAME, b"!\n")
        self._login: str | None = None
        self._model_of = model_of
        self._say_unnamed = say_unnamed

    @property
    def unfinished(self) -> int:
        return self._cutter.unfinished

    def receive(self, data: bytes) -> list[Heard]:
        return [self._hear(raw) for raw in self._cutter.cut(data)]

    def _hear(self, raw: bytes) -> Heard:
        # The last beginning counts: what stands before belongs to a frame that was cut short.
        new, old = raw.rfind(b"$MG"), raw.rfind(b"STX")
        if old > new and raw.find(b"$GPRMC", old) > 0:
            begin = old - 3 if raw[old - 3 : old] == b"LOG" else old
            return self._hear_old(raw, raw[begin:])
        if new >= 0:
            return self._hear_new(raw, raw[new:])
        # A request for satellite data holds no fix of its own.
        return Heard(raw, self._login, error=None if raw[:4] == b"cmd=" else _UNREADABLE)

    def _hear_new(self, raw: bytes, said: bytes) -> Heard:
        fields = said.rstrip(b"!").split(b",")
        device = device_of(fields[1]) if len(fields) > 1 else None
        if len(fields) == 3 and fields[2].startswith(b"Hello"):
            self._login = device
            return Heard(raw, device)
        device = device or self._login
        if len(fields) < 16:
            return Heard(raw, device, error=_SHORT)
        model = self._model_of(device) if device else DeviceModel()
        report = _read_new(fields, model)
        if report is None:
            return Heard(raw, device, error=_UNDATED, undated=_signals_new(fields, model))
        unnamed = (_unnamed_new(fields, model),) if self._say_unnamed else ()
        lost = None if fields[6] == b"V" else _lost(report, *fields[7:11])
        # By tuple's own maker, see `report.seal`.
        return tuple.__new__(Heard, (raw, device, (report,), unnamed, b"", lost, 0, (), 0))

    def _hear_old(self, raw: bytes, said: bytes) -> Heard:
        begin = said.find(b"$GPRMC")
        fields = said[begin:].split(b",")
        head = said[:begin].split(b",")
        name = head[1] if len(head) > 1 else said[3:19]
        at = _imei_at(fields)
        device = device_of(fields[at][5:]) if at else None
        device = device or device_of(name) or self._login
        if len(fields) < 10:
            return Heard(raw, device, error=_SHORT)
        model = self._model_of(device) if device else DeviceModel()
        report = _read_old(said, fields, model)
        if report is None:
            return Heard(raw, device, error=_UNDATED, undated=_status(fields, model).signals)
        unnamed = (_unnamed_old(said, fields, model),) if self._say_unnamed else ()
        lost = None if fields[2] == b"V" else _lost(report, *fields[3:7])
        return Heard(raw, device, (report,), unnamed, error=lost)


def _read_new(fields: list[bytes], model: DeviceModel) -> Report | None:
    time_ms = _time_ms(fields[4], fields[5], model.zone)
    if time_ms is None:
        return None
    satellites, rest = _aligned(fields)
    signals = _accessories(rest[18], model.name)[0] | _alarm(rest[20], model.name)[0]
    quality = (satellites, positive(rest[0]), positive(rest[19].strip(), 100))
    if fields[6] != b"A":
        return seal((None, time_ms, *_NOWHERE, *quality, _sound(signals)))
    place = _place(fields[7:11], (rest[1], rest[2], rest[3]), _GNSS)
    return seal((None, time_ms, *place, *quality, _sound(signals)))


def _signals_new(fields: list[bytes], model: DeviceModel) -> int:
    rest = _aligned(fields)[1]
    return _sound(_accessories(rest[18], model.name)[0] | _alarm(rest[20], model.name)[0])


def _unnamed_new(fields: list[bytes], model: DeviceModel) -> dict[str, Any]:
    rest = _aligned(fields)[1]
    unnamed = _said(zip(_NAMES, rest[4:19], strict=True))
    if not _accessories(rest[18], model.name)[1]:
        unnamed.pop("accessories", None)
    if _alarm(rest[20], model.name)[1]:
        unnamed["alarm"] = rest[20].partition(b";")[0].strip().decode("latin-1")
    unnamed |= _said((("name", fields[2]), ("wifi", b",".join(rest[21:]).strip(b",;"))))
    if fields[3] == b"S":
        unnamed["stored"] = True
    if fields[6] != b"A":
        unnamed |= _stale(*fields[7:11])
    return unnamed


def _aligned(fields: list[bytes]) -> tuple[int | None, list[bytes]]:
    """How many satellites were used, and the fields from HDOP on."""
    size, satellites = _counts(*fields[11:14])
    rest = fields[11 + size :]
    return satellites, rest if len(rest) > 20 else rest + [b""] * (21 - len(rest))


@lru_cache(maxsize=512)
def _counts(beidou: bytes, gps: bytes, glonass: bytes) -> tuple[int, int | None]:
    """How many of these fields count satellites, and their sum: older models have one only."""
    counts: list[int] = []
    for said in (beidou, gps, glonass):
        if not said.isdigit() or len(said) > 2:
            break
        counts.append(int(said))
    return len(counts), sum(counts) if counts else None


@lru_cache(maxsize=512)
def _accessories(said: bytes, model: str) -> tuple[int, bool]:
    """Charging and belts, from the first two digits; and whether more is said than that."""
    said = said.strip()
    if not said.isdigit() or said[:1] not in (b"0", b"1"):
        return 0, bool(said)
    signals = _CHARGING if said[:1] == b"1" else 0
    if not _table(model).belt or len(said) < 2:
        return signals, len(said) > 1
    belt = _STRAP_CUT if said[1:2] == b"0" else _STRAP_OK
    return signals | belt, len(said) > 2


def _read_old(said: bytes, fields: list[bytes], model: DeviceModel) -> Report | None:
    """$GPRMC,time,A|V,lat,N|S,lon,E|W,knots,course,date, its checksum, and the tag's own fields."""
    # NMEA 0183: the clock of this sentence is the satellites', so UTC whatever the tag's zone is.
    time_ms = _time_ms(fields[9].partition(b"*")[0], fields[1], UTC)
    if time_ms is None:
        return None
    status = _status(fields, model)
    quality = (status.satellites, None, status.battery_pct)
    if fields[2] != b"A":
        return seal((None, time_ms, *_NOWHERE, *quality, _sound(status.signals)))
    # Makes differ in how they sum, so a wrong checksum refuses nothing: but it is no sure fix.
    source = _GNSS if _intact(said) else _UNSURE
    place = _place(fields[3:7], (fields[7], fields[8], status.altitude), source)
    return seal((None, time_ms, *place, *quality, _sound(status.signals)))


def _status(fields: list[bytes], model: DeviceModel) -> _Status:
    at = _imei_at(fields)
    return _by_name(fields, at, model) if at else _by_order(fields, model)


def _by_name(fields: list[bytes], at: int, model: DeviceModel) -> _Status:
    """F|L,alarm,imei:…,satellites,altitude,Battery=…%,[,]charger,mcc,mnc,lac,cell."""
    rest = fields[at + 1 :] + [b""] * 5
    signals = _alarm(fields[at - 1], model.name)[0]
    if (rest[3] or rest[4]) == b"1":
        signals |= _CHARGING
    battery = rest[2][8:].rstrip(b"%") if rest[2].startswith(b"Battery=") else b""
    # "0/6" is a count of two things that no public list explains, so it stays unnamed.
    satellites = int(rest[0]) if rest[0].isdigit() and len(rest[0]) <= 2 else None
    return _Status(positive(battery, 100), signals, satellites, rest[1])


def _by_order(fields: list[bytes], model: DeviceModel) -> _Status:
    """After the checksum: mcc,mnc,lac,cell,gsm,battery,flags,inputs,…,alarm;sum."""
    rest = _after_checksum(fields)
    if len(rest) < 9:
        return _Status(None, 0)
    return _Status(positive(rest[5], 100), _alarm(rest[-1], model.name)[0])


def _unnamed_old(said: bytes, fields: list[bytes], model: DeviceModel) -> dict[str, Any]:
    unnamed: dict[str, Any] = {} if _intact(said) else {"checksum": "wrong"}
    if said[:3] == b"LOG":
        unnamed["stored"] = True
    if fields[2] != b"A":
        unnamed |= _stale(*fields[3:7])
    at = _imei_at(fields)
    if at:
        alarm, rest = fields[at - 1], [*fields[at + 1 :], b""]
        if b"/" in rest[0]:
            unnamed["satellites"] = rest[0].decode("latin-1")
        cells = b",".join(rest[4:]).partition(b";")[0].strip(b",")
        unnamed |= _said((("fix_flag", fields[at - 2]), ("cells", cells)))
    else:
        rest = _after_checksum(fields)
        alarm = rest[-1] if rest else b""
        unnamed |= _said(zip(("mcc", "mnc", "lac", "cell", "gsm"), rest, strict=False))
        unnamed |= _said((("inputs", b",".join(rest[6:-1])),))
    if _alarm(alarm, model.name)[1]:
        unnamed["alarm"] = alarm.partition(b";")[0].strip().decode("latin-1")
    return unnamed


def _imei_at(fields: list[bytes]) -> int:
    """Where `imei:…` stands; 0 = nowhere."""
    return next((i for i, f in enumerate(fields) if f[:5] == b"imei:"), 0)


def _after_checksum(fields: list[bytes]) -> list[bytes]:
    begin = next((i for i, f in enumerate(fields) if b"*" in f), len(fields))
    return fields[begin + 1 :]


def _stale(*where: bytes) -> dict[str, float]:
    """The place that the tag holds without a fix, in degrees."""
    lat_e7, lon_e7, *_ = _place(list(where), (b"", b"", b""), _GNSS)
    if lat_e7 is None or lon_e7 is None:
        return {}
    return {"stale_lat": lat_e7 / E7, "stale_lon": lon_e7 / E7}


def _lost(report: Report, *where: bytes) -> str | None:
    """Why a place that is said is none of the report's; zeros say none."""
    if report.lat_e7 is not None:
        return None
    return _UNPLACED if where[0].strip(b"0. ") or where[2].strip(b"0. ") else None


def _place(where: list[bytes], motion: tuple[bytes, bytes, bytes], source: int) -> _Place:
    """The columns of a place, from 5130.4320,N,00007.6680,W and the like; or of none."""
    lat, lon = _DEGREES(where[0]), _DEGREES(where[2])
    north, east = _SIDES.get(where[1]), _SIDES.get(where[3])
    if not lat or not lon or not north or not east:
        return _NOWHERE
    (lat_deg, lat_said), (lon_deg, lon_said) = lat.groups(), lon.groups()
    lat_min, lon_min = float(lat_said), float(lon_said)
    lat_e7 = north * round((int(lat_deg) + lat_min / 60) * E7)
    lon_e7 = east * round((int(lon_deg) + lon_min / 60) * E7)
    if abs(lat_e7) > 90 * E7 or abs(lon_e7) > 180 * E7 or (not lat_e7 and not lon_e7):
        return _NOWHERE
    if lat_min >= 60 or lon_min >= 60:
        source = _UNSURE  # as no receiver writes it
    knots, degrees, altitude = motion
    speed = positive(knots)
    speed_mps = speed * KNOT_MPS if speed is not None else None
    return lat_e7, lon_e7, None, source, speed_mps, positive(degrees, 360), number(altitude)


def _sound(signals: int) -> int:
    """One part says closed, another open: both can't be, and one is a danger."""
    return signals & ~_STRAP_OK if signals & _STRAP_CUT else signals


def _table(model: str) -> Table:
    return next(table for pattern, table in TABLES if pattern.match(model))


@lru_cache(maxsize=512)
def _alarm(said: bytes, model: str) -> tuple[int, bool]:
    """Signals of an alarm's words, and whether one of them has no name of ours."""
    signals, unknown = 0, False
    text = said.partition(b";")[0].strip()
    for word in _WORD.findall(text.decode("latin-1")) if text else ():
        key = _LETTERS.sub("", word.lower())
        signal = _table(model).words.get(key)
        if signal is None:
            unknown = True
            # A belt's alarm that nobody has explained is not taken for a closed belt.
            signal = _STRAP_CUT if _BELT.search(key) else 0
        signals |= signal
    return signals, unknown


def _time_ms(day: bytes, clock: bytes, zone: tzinfo) -> int | None:
    return instant_ms(_day(day), clock, zone)


@lru_cache(maxsize=1024)
def _day(said: bytes) -> bytes:
    """Yyyymmdd, of ddmmyy."""
    # 060180 is GPS's first day: what a clock shows that was never set.
    century = b"19" if said[4:] >= b"80" else b"20"
    return century + said[4:] + said[2:4] + said[:2]


def _intact(said: bytes) -> bool:
    """Whether a checksum that is there fits: the frame's sum, or else NMEA's over the sentence."""
    end = said.rfind(b";")
    if (
        end >= 0
        and len(said) >= end + 3
        and _hex(said[end + 1 : end + 3]) == (sum(said[: end + 1]) & 0xFF)
    ):
        return True
    begin, star = said.find(b"$") + 1, said.find(b"*")
    if star < 0:
        return end < 0 or not said[end + 1 :].strip()
    return _hex(said[star + 1 : star + 3]) == reduce(xor, said[begin:star], 0)


def _hex(said: bytes) -> int | None:
    try:
        return int(said, 16)
    except ValueError:
        return None


def _said(fields: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    return {name: value.strip().decode("latin-1") for name, value in fields if value.strip()}


CODEC = Codec("megastek", _Talk, log_in=lambda device: f"$MGV002,{device},Hello!".encode())
