"""How pages say an instant, a span, a distance and a probability. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

YARDSTICK = (
    (0.075, "remote chance"),
    (0.225, "highly unlikely"),
    (0.375, "unlikely"),
    (0.525, "realistic possibility"),
    (0.775, "likely"),
    (0.925, "highly likely"),
    (1.0, "almost certain"),
)
"""Upper ends of the bands of the UK intelligence assessment's probability yardstick (PHIA 2019),
with each gap between two bands halved so that every number has a word."""

COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")

STATES = {
    "clear": "Clear",
    "possible": "Possible violation",
    "confirmed": "Confirmed violation",
    "no_data": "No data",
    "not_in_force": "Not in force now",
    "not_judged": "Not judged",
}

KINDS = {
    "exclusion": "Exclusion zone",
    "inclusion": "Inclusion zone",
    "restriction": "Restriction zone",
    "curfew": "Curfew",
    "attendance": "Attendance",
    "proximity": "Distance from a protected person",
    "trail": "Trail monitoring",
}


def london(at: datetime | None) -> str:
    """`DD/MM/YYYY HH:MM` by London's clock; a dash where there is no instant."""
    return "–" if at is None else at.astimezone(LONDON).strftime("%d/%m/%Y %H:%M")


def london_exact(at: datetime | None) -> str:
    """As `london`, with seconds."""
    return "–" if at is None else at.astimezone(LONDON).strftime("%d/%m/%Y %H:%M:%S")


def clock_time(at: datetime | None) -> str:
    """`HH:MM:SS` by London's clock."""
    return "–" if at is None else at.astimezone(LONDON).strftime("%H:%M:%S")


def iso(at: datetime) -> str:
    """For a `<time datetime>`: UTC with Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: float) -> str:
    """How long, short: “25 s”, “4 min”, “3 h 05 min”, “2 days 4 h”."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 24:
        return f"{hours} h {minutes % 60:02d} min"
    days = hours // 24
    return f"{days} {'day' if days == 1 else 'days'} {hours % 24} h"


def age(at: datetime | None, now_at: datetime) -> str:
    """How long ago: “4 min ago”, “never” without an instant."""
    return "never" if at is None else f"{span((now_at - at).total_seconds())} ago"


def metres(length_m: float | None) -> str:
    """A distance as people say it: “84 m”, “1.2 km”."""
    if length_m is None:
        return "–"
    if abs(length_m) < 995:
        return f"{length_m:.0f} m"
    return f"{length_m / 1000:.1f} km"


def probable(p: float | None) -> str:
    """A probability in words and numbers: “almost certain (99.8 %)”."""
    if p is None:
        return "not known"
    word = next(word for upper, word in YARDSTICK if p <= upper)
    # Never 100 % nor 0 %: a fix is a probability over places.
    percent = min(max(p * 100, 0.1), 99.9)
    digits = 1 if percent >= 99 or percent < 1 else 0
    return f"{word} ({percent:.{digits}f} %)"


def course(course_deg: float | None) -> str:
    """A course by compass: “north-east”."""
    if course_deg is None:
        return "–"
    return COMPASS[round(course_deg / 45) % 8]


def speed(speed_mps: float | None) -> str:
    """A speed in km/h, as the Ministry's pages show it."""
    return "–" if speed_mps is None else f"{speed_mps * 3.6:.0f} km/h"


def state(code: str) -> str:
    """A standing in words."""
    return STATES.get(code, code.replace("_", " ").capitalize())


def kind(code: str) -> str:
    """A condition's kind in words."""
    return KINDS.get(code, code.replace("_", " ").capitalize())
