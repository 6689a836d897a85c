"""An alert's title: plain words, no name, no place. Pure."""

from __future__ import annotations

from datetime import timedelta

TITLES: dict[tuple[str, str], str] = {
    ("exclusion", "approached"): "Near exclusion zone, in its warning ring",
    ("exclusion", "present_at_start"): "Inside exclusion zone when it came into force",
    ("exclusion", "*"): "Entered exclusion zone",
    ("proximity", "approached"): "Coming near a protected person",
    ("proximity", "*"): "Near a protected person",
    ("restriction", "approached"): "Near the edge of restriction zone",
    ("restriction", "absent_at_start"): "Outside restriction zone when it came into force",
    ("restriction", "*"): "Left restriction zone",
    ("inclusion", "approached"): "Near the edge of inclusion zone",
    ("inclusion", "absent_at_start"): "Outside inclusion zone when it came into force",
    ("inclusion", "*"): "Left inclusion zone",
    ("curfew", "absent_at_start"): "Not at curfew address when curfew began",
    ("curfew", "*"): "Left curfew address during curfew",
    ("attendance", "late"): "Not at appointment when it began",
    ("attendance", "absent"): "Did not attend appointment",
    ("attendance", "*"): "Left appointment early",
    ("tamper", "strap_cut"): "Strap cut",
    ("tamper", "case_open"): "Tag case opened",
    ("tamper", "power_off"): "Tag switched off",
    ("tamper", "power_cut"): "Tag cut off from its supply",
    ("tamper", "*"): "Tag tampered with",
    ("battery", "battery_critical"): "Battery critical",
    ("battery", "*"): "Battery low",
    ("silence", "*"): "No report from tag",
    ("no_fix", "*"): "Tag reports without a position",
    ("suspected_jamming", "network_jammed"): "Suspected jamming of the mobile network",
    ("suspected_jamming", "*"): "Suspected jamming of satellite signals",
    ("suspected_spoofing", "mock_position"): "Phone reports made-up positions",
    ("suspected_spoofing", "*"): "Suspected false satellite signals",
}

INSIDE_IS_WRONG = frozenset({"exclusion"})
OUTSIDE_IS_WRONG = frozenset({"restriction", "inclusion", "curfew"})


def title_of(kind: str, how: str, depth_m: float | None) -> str:
    """Say what was found: “Entered exclusion zone, 84 m inside”."""
    text = TITLES.get((kind, how)) or TITLES.get((kind, "*"))
    if text is None:
        text = kind.replace("_", " ").capitalize()
    if depth_m is None or how == "approached" or depth_m < 1.0:
        return text
    if kind in INSIDE_IS_WRONG:
        return f"{text}, {_metres(depth_m)} inside"
    if kind in OUTSIDE_IS_WRONG:
        return f"{text}, {_metres(depth_m)} outside"
    return text


def _metres(depth_m: float) -> str:
    return f"{depth_m:.0f} m" if depth_m < 995 else f"{depth_m / 1000:.1f} km"


def lasted(span: timedelta) -> str:
    """How long, as people say it: “25 s”, “29 min”, “3 h 05 min”."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
