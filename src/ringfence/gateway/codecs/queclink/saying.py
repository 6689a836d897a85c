"""What a Queclink frame says, in whatever form it came, and the reports that are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ringfence.engine.fix import Signal, Source
from ringfence.gateway.report import Report, seal

GNSS: Final = int(Source.GNSS)
JAMMED: Final = int(Signal.GNSS_JAMMED)
NETWORK_JAMMED: Final = int(Signal.NETWORK_JAMMED)
GNSS_LOST: Final = int(Signal.GNSS_LOST)
BATTERY_LOW: Final = int(Signal.BATTERY_LOW)
MOTION_STATES: Final = {
    **dict.fromkeys(("12", "22", "42", "16", "1A"), int(Signal.MOTION)),
    **dict.fromkeys(("11", "21", "41"), int(Signal.NO_MOTION)),
}
"""The maker's states: ignition off 1x, on 2x, no ignition wired 4x, being towed 16 and 1A."""
JAMMING_CRITICAL: Final = 3
"""0 unknown, 1 none, 2 a warning (there is a fix), 3 critical (there is none)."""

_MINUTES_MS: Final = {f"{n // 60:02d}{n % 60:02d}": n * 60_000 for n in range(1440)}
_SECONDS_MS: Final = {f"{n:02d}": n * 1_000 for n in range(60)}


class Position(NamedTuple):
    """One located time. `last_known`: the device had no fix and repeats the one it had."""

    time_ms: int
    lat_e7: int
    lon_e7: int
    speed_mps: float | None = None
    course_deg: float | None = None
    altitude_m: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    last_known: bool = False


class Said(NamedTuple):
    """One frame, read."""

    device: str | None
    number: int | None
    """The device's own count of its frames, 0 to 65,535, then from 0 again."""
    positions: Sequence[Position] = ()
    sent: str = ""
    """YYYYMMDDHHMMSS by the device's clock, which may show local time; empty = not said."""
    battery_pct: float | None = None
    signals: int = 0
    reply: bytes = b""
    buffered: bool = False
    reported: bool = True
    """False = it answers a command, or is a heartbeat."""
    unread: int = 0
    """At least so many positions are in it that can't be read."""
    raw: dict[str, Any] = {}  # noqa: RUF012 -- a tuple's default, never changed
    """What has no name of ours; only if asked for."""


class UnusableError(Exception):
    """The frame can't be used; the text says why."""


class UndatedError(UnusableError):
    """It says no time, so that nothing of it is a report but its signals."""


def reports(said: Said, zone: tzinfo, newest: Report | None) -> list[Report]:
    """The reports that a frame comes to.

    A last known position is no new fix: it is reported for its own time, as it was reported before
    if it was (so that it is stored once, however often it is repeated). What the device says of
    itself is then reported for the time at which it was sent, without a position.

    Args:
        said: the frame.
        zone: in which the device's clock speaks.
        newest: the last position that this device reported.

    Raises:
        UndatedError: it holds neither a position nor a time.
    """
    made = []
    for position in said.positions:
        if not position.last_known:
            made.append(located(position, said.number))
        elif newest is not None and newest[2:5] == position[:3]:
            made.append(newest)
        else:
            made.append(located(position, None))
    sent_ms = _local_ms(said.sent, zone)
    if said.positions and (not said.positions[-1].last_known or sent_ms is None):
        made[-1] = located(said.positions[-1], said.number, said.battery_pct, said.signals)
    elif sent_ms is not None:
        nothing = (None, None, None, 0, None, None, None, None, None)
        made.append(seal((said.number, sent_ms, *nothing, said.battery_pct, said.signals)))
    else:
        raise UndatedError(
            "it says no time: set the device's clock from its satellites; its alarms count from "
            "when it came"
        )
    return made


def located(
    position: Position, number: int | None, battery_pct: float | None = None, signals: int = 0
) -> Report:
    """The report of one position."""
    time_ms, lat_e7, lon_e7, speed, course, altitude, satellites, hdop, _ = position
    return seal(
        (
            number,
            time_ms,
            lat_e7,
            lon_e7,
            None,
            GNSS,
            speed,
            course,
            altitude,
            satellites,
            hdop,
            battery_pct,
            signals,
        )
    )


def _local_ms(text: str, zone: tzinfo) -> int | None:
    """When a frame was sent; None if that is not said, or is no time: its positions count."""
    try:
        wall_ms = utc_ms(text)
    except ValueError:
        return None
    if zone is UTC:
        return wall_ms
    wall = datetime.fromtimestamp(wall_ms // 1000, UTC)
    # When clocks go back, an hour happens twice: the first of the two is meant, as fold=0 says.
    return int(wall.replace(tzinfo=zone).timestamp()) * 1000


def utc_ms(text: str) -> int:
    """YYYYMMDDHHMMSS in UTC as epoch milliseconds. `ValueError` if it is no such time."""
    try:
        return _day_ms(text[:8]) + _MINUTES_MS[text[8:12]] + _SECONDS_MS[text[12:14]]
    except KeyError:
        raise ValueError("no time of day") from None


@lru_cache(maxsize=1024)
def _day_ms(text: str) -> int:
    day = datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), tzinfo=UTC)
    return int(day.timestamp()) * 1000
