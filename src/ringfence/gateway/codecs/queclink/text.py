"""Queclink's @Track protocol in text: `+RESP:GTFRI,VERSION,IMEI,NAME,…,SEND TIME,COUNT$`.

The maker has a field list for each model and version; they agree on the form of a position
(accuracy, speed, course, altitude, longitude, latitude, time), on what stands round it, and on the
end. So positions are found by their form, and what depends on the model by its own form or by the
device type, the first digits of the version.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from ringfence.engine.fix import E7, Signal
from ringfence.gateway.codecs.queclink.saying import (
    BATTERY_LOW,
    GNSS_LOST,
    JAMMED,
    JAMMING_CRITICAL,
    MOTION_STATES,
    NETWORK_JAMMED,
    Position,
    Said,
    UnusableError,
    utc_ms,
)

SIGNALS: Final = {
    "SOS": int(Signal.SOS),
    "PNA": int(Signal.POWER_ON),
    "PFA": int(Signal.POWER_OFF),
    "BPL": BATTERY_LOW,
    "BTC": int(Signal.CHARGING),
    "EPN": int(Signal.CHARGING),
    "MPN": int(Signal.CHARGING),
    "JDR": NETWORK_JAMMED,
}
"""Reports that are a signal by their name alone."""

_HAND_HELD: Final = frozenset(
    # GL200, GL100, GL500, GT200, GL300 and kin, GT50x, GL53x, GL50, GL320M, GL300M
    ("02", "07", "11", "12", "1A", "21", "28", "2C", "30", "40", "42", "44", "52", "55", "C3", "F5")
)
"""Device types whose position reports end with the battery's charge."""
_CHARGE_LAST: Final = _HAND_HELD - {"C3"}
_WITH_MODE: Final = frozenset(("2E", "DE"))
"""GL505, GL500M: charge, mode and motion stand after the network's signal strength."""
_WITH_MASK: Final = frozenset(("6E", "74"))
"""GV310LAU, GV350CEU, and all with versions of ten digits: a mask after the cell says what is
appended, satellites first."""
_END_WITH_CHARGE: Final = frozenset(
    ("FRI", "GEO", "SPD", "SOS", "RTL", "PNL", "NMR", "DIS", "DOG", "IGL", "TMP", "ERI", "WIF")
)
_CHARGE_FIRST: Final = frozenset(("11", "40", "44"))
"""GL500, GL530: the reports of their rhythm (GTSTR, GTCTN) say the charge before the position."""
_DEGREES: Final = re.compile(r"-?\d{1,3}\.\d{1,9}").fullmatch
_PLACES: Final = re.compile(
    r",(?!-?0\.0+,-?0\.0+,)-?\d{1,3}\.\d{5,9},-?\d{1,3}\.\d{5,9}(?=,)"
).findall
"""What is a longitude and a latitude, by its form alone, and not the 0, 0 of no fix."""
_MAYBE_PLACES: Final = re.compile(r"\.\d{5,9},-?\d{1,3}\.\d{5,9}(?=,)").findall
"""All of them and some more, in a sixth of the time."""
_PLAIN: Final = re.compile(
    r"\+(RESP|BUFF):GT([A-Z]{3}),([0-9A-F]{2})[0-9A-F]{4},(\d{15}),[^,]*+,"
    r"(?:[0-9A-Fa-f]{0,4}+,){3,4}?(\d{0,2}(?:\.\d)?),(\d{0,3}(?:\.\d)?),(\d{0,3}),(-?\d{1,5}\.\d|),"
    r"(-?\d{1,3}\.\d{6}),(-?\d{1,3}\.\d{6}),(\d{14}),"
    r"(?:[0-9A-Fa-f]{0,8}+,){4,6}?(\d{0,3}),(\d{14}),([0-9A-F]{4})\$",
    re.ASCII,
).fullmatch
"""What most frames are: one position of a hand-held device, its cell, its charge. See `_plain`."""
_NO_PLACES: Final = frozenset(("INF",))
"""Reports with a time that is no position's: that of the last fix."""


def read(raw: bytes, *, with_raw: bool) -> Said:
    """Read one text frame, with or without its closing `$`.

    Raises:
        UnusableError: it is not of the @Track protocol.
    """
    text = raw.decode("latin-1")
    if not with_raw and (plain := _PLAIN(text)) and (said := _plain(plain)):
        return said
    text = text.rstrip("$")
    fields = text.split(",")
    header = fields[0]
    report = header[-3:]
    if len(fields) < 4 or header[-6:-3] != ":GT":
        raise UnusableError("not a frame of @Track: it begins with +RESP:GTxxx, +BUFF or +ACK")
    version, device, name_at = fields[1], fields[2], 3
    if len(version) == 15 and version.isdigit():  # GT300 and kin say no version
        version, device, name_at = "", version, 2
    sent = fields[-2]
    if len(sent) != 14 or not sent.isdigit():
        if _is_time(fields[-3]):
            del fields[-1]  # they also end with their version
        sent = fields[-2] if _is_time(fields[-2]) else ""
    number = _number_of_frame(fields[-1])
    if header[1] == "A":
        reply = b""
        if report == "HBD" and number is not None:
            reply = f"+SACK:GTHBD,{version},{fields[-1]}$".encode("latin-1")
        return Said(_device(device), number, reply=reply, reported=False)
    positions, ends, unread = _positions(fields, version, report)
    after = ends[-1] if ends else name_at + 1
    told = (
        _device(device),
        number,
        positions,
        sent,
        _battery(fields, report, version, after),
        SIGNALS.get(report, 0) or _signals(fields, report, after, version),
        b"+SACK:%s$" % fields[-1].encode("latin-1") if number is not None else b"",
        header[1] == "B",
        True,
        unread or _unlocated(text, len(positions)),
        _raw(fields, version, name_at, ends) if with_raw else {},
    )
    return tuple.__new__(Said, told)  # see `report.seal`


def _plain(found: re.Match[str]) -> Said | None:
    """What `read` makes of this frame, in half the time; None = it takes a closer look.

    With `with_raw` the long way is always taken: the tests compare the two.
    """
    groups = found.groups()
    way, report, kind, device = groups[:4]
    charge, sent, number = groups[11:]
    if kind not in _CHARGE_LAST or report not in _END_WITH_CHARGE:
        return None
    try:
        position = _position(groups[4:11])
    except ValueError:
        return None
    told: tuple[Any, ...] = (
        device,
        int(number, 16),
        (position,),
        sent,
        _percent(charge),
        SIGNALS.get(report, 0),
        b"+SACK:%s$" % number.encode(),
        way == "BUFF",
        True,
        0,
        {},
    )
    return tuple.__new__(Said, told)


def _positions(
    fields: list[str], version: str, report: str
) -> tuple[list[Position], list[int], int]:
    """The positions, for each where the fields after its time begin; how many can't be read."""
    positions: list[Position] = []
    ends: list[int] = []
    unread = 0
    sent = len(fields) - 2
    at = min(8, sent)
    appends = _appends(version)
    lengths = [*map(len, fields), 14]  # the 14 that ends the search
    while (at := lengths.index(14, at + 1)) < sent:
        # Six decimals: no length, level or temperature has them. Others by all that is round them.
        if not (fields[at - 2][-7:-6] == "." == fields[at - 1][-7:-6]) and (
            report in _NO_PLACES or not _has_form(fields, at)
        ):
            continue
        try:
            satellites = _satellites(fields, at + 5) if appends else None
            positions.append(_position(fields[at - 6 : at + 1], satellites))
        except ValueError:
            unread += fields[at - 2].strip("-0.") != "" or fields[at - 1].strip("-0.") != ""
            continue
        ends.append(at + 1)
    return positions, ends, unread


def _unlocated(text: str, found: int) -> int:
    """How many places are said beyond those that were found: one without its time, say."""
    return len(_PLACES(text)) - found if len(_MAYBE_PLACES(text)) > found else 0


def _has_form(fields: list[str], at: int) -> bool:
    """Whether the fields before a time, and the cell's country after it, are a position's."""
    accuracy, speed, course, altitude, lon, lat, time, country = fields[at - 6 : at + 2]
    return (
        time.isdigit()
        and ("." in lon or "." in lat or ("." in speed and "." in altitude))
        and len(accuracy) <= 4
        and all(_number(text) is not None for text in (accuracy, speed, course, altitude) if text)
        and (len(country) <= 4 or _is_time(country))
    )


def _position(fields: Sequence[str], satellites: int | None = None) -> Position:
    """The position of its seven fields. Raises `ValueError` if it is none."""
    accuracy, speed, course, altitude, lon, lat, time = fields
    if not _DEGREES(lon) or not _DEGREES(lat):
        raise ValueError("no degrees")
    lon_deg, lat_deg = float(lon), float(lat)
    if not (-180 <= lon_deg <= 180 and -90 <= lat_deg <= 90) or lon_deg == lat_deg == 0:
        raise ValueError("no place on earth")
    hdop, speed_kmh, course_deg = _number(accuracy), _number(speed), _number(course)
    said = (
        utc_ms(time),
        round(lat_deg * E7),  # `quantise`, without the calls
        round(lon_deg * E7),
        None if speed_kmh is None or speed_kmh < 0 else speed_kmh / 3.6,
        None if course_deg is None or not 0 <= course_deg <= 360 else course_deg,
        _number(altitude),
        satellites,
        None if hdop is None or hdop <= 0 else hdop,
        hdop == 0,
    )
    return tuple.__new__(Position, said)


def _appends(version: str) -> bool:
    """Whether the type says by a mask after the cell what it appends."""
    return len(version) == 10 or version[:2] in _WITH_MASK


def _satellites(fields: list[str], at: int) -> int | None:
    mask = fields[at : at + 2]
    if len(mask) == 2 and len(mask[0]) == 2 and mask[0][1] in "13579BDF":
        return int(mask[1]) if mask[1].isdigit() and len(mask[1]) <= 2 else None
    return None


@lru_cache(maxsize=8192)  # few values come again and again, each with one decimal
def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -100_000 < value < 100_000 else None


def _battery(fields: list[str], report: str, version: str, after: int) -> float | None:
    """The battery's charge in percent, where this type of device has it in this report."""
    kind = version[:2]
    at = len(fields) - 3  # before the send time
    if kind in _CHARGE_LAST and report in _END_WITH_CHARGE:
        pass
    elif report == "LBS":
        at = 6
    elif report in {"STR", "CTN"}:
        at = 8 if kind in _CHARGE_FIRST else 0
    elif report == "INF":
        at = _after_last_fix(fields, kind)
    elif kind in _WITH_MODE:
        at = at - (4 if kind == "2E" else 3) if report in _END_WITH_CHARGE else 0
    elif kind == "C3" and report in _END_WITH_CHARGE:
        at = after + 5
    else:
        at = 0 if kind in _HAND_HELD else _before_vehicle_state(fields, after)
    return _percent(fields[at]) if 3 < at < len(fields) - 2 else None


def _before_vehicle_state(fields: list[str], after: int) -> int:
    """Vehicles: before the state of the vehicle, whose first two of six digits are a motion."""
    for at in range(after + 1, len(fields) - 2):
        if len(fields[at]) == 6 and fields[at][:2] in MOTION_STATES and len(fields[at - 1]) < 4:
            return at - 1
    return 0


def _after_last_fix(fields: list[str], kind: str) -> int:
    """GTINF: hand-held devices say the charge after the time of the last fix."""
    if kind in _HAND_HELD:
        for at in range(9, len(fields) - 3):
            if _is_time(fields[at]):
                return at + 1
    return 0


def _percent(text: str) -> float | None:
    # "00" is a reserved field, never a charge.
    if text.isdigit() and len(text) <= 3 and (text == "0" or text[0] != "0"):
        return float(text) if int(text) <= 100 else None
    return None


def _signals(fields: list[str], report: str, after: int, version: str) -> int:
    """What a report says by one of its fields."""
    said = fields[4] if len(fields) > 6 else ""
    signals = 0
    if report in {"FRI", "ERI"}:
        signals = _appended_jamming(fields, after + 4) if _appends(version) else 0
    elif report == "STT":
        signals = MOTION_STATES.get(said.upper(), 0)
    elif report == "INF":
        signals = MOTION_STATES.get(said.upper(), 0) | _charging(fields)
    elif report == "JDS":
        signals = NETWORK_JAMMED if said == "2" else 0
    elif report == "GSS":
        signals = GNSS_LOST if said == "0" else 0
    elif report == "GPJ":
        signals = JAMMED if fields[5] == str(JAMMING_CRITICAL) else 0
    return signals


def _appended_jamming(fields: list[str], at: int) -> int:
    """The state of jamming, last of what a mask after the cell announces."""
    try:
        mask = int(fields[at], 16) if len(fields[at]) == 2 else 0
        state = fields[at + (mask & 1) + (mask >> 1 & 1) + 1] if mask & 0x10 else ""
    except (IndexError, ValueError):
        return 0
    return JAMMED if state == str(JAMMING_CRITICAL) else 0


def _charging(fields: list[str]) -> int:
    """GTINF: after the battery's volts stands whether it is being charged."""
    for at in range(8, len(fields) - 2):
        volts = fields[at]
        if 3 <= len(volts) <= 4 and volts[1] == "." and volts[0] in "34":
            return int(Signal.CHARGING) if fields[at + 1] == "1" else 0
    return 0


def _number_of_frame(text: str) -> int | None:
    try:
        return int(text, 16) if len(text) == 4 else None
    except ValueError:
        return None


def _is_time(text: str) -> bool:
    return len(text) == 14 and text.isdigit()


def _device(text: str) -> str | None:
    return text if 5 <= len(text) <= 20 and text.isalnum() else None


def _raw(fields: list[str], version: str, name_at: int, ends: list[int]) -> dict[str, Any]:
    """All that is read by nobody, in the order of the frame."""
    said: dict[str, Any] = {"report": fields[0][1:], "version": version}
    if fields[name_at]:
        said["name"] = fields[name_at]
    said["before"] = fields[name_at + 1 : (ends[0] - 7 if ends else -2)]
    if ends:
        starts = [end - 7 for end in ends[1:]] + [-2]
        said["after"] = [fields[a:b] for a, b in zip(ends, starts, strict=True)]
        strange = [_unreadable(fields[end - 7 : end - 3]) for end in ends]
        if any(strange):
            said["unread"] = strange
    said["sent"], said["count"] = fields[-2], fields[-1]
    return said


def _unreadable(quality: list[str]) -> dict[str, str]:
    """Of accuracy, speed, course and altitude, what is said and means nothing to us."""
    limits = ((0.0, 1e5), (0.0, 1e5), (0.0, 360.0), (-1e5, 1e5))
    names = ("accuracy", "speed", "course", "altitude")
    strange = {}
    for name, text, (low, high) in zip(names, quality, limits, strict=True):
        value = _number(text)
        if text and (value is None or not low <= value <= high):
            strange[name] = text
    return strange
