"""What goes wrong with the platform or its tags, not with a wearer: each becomes a system alert.

Pure: facts in, troubles out; `system` writes them down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.desk.alerts.severity import Grade

WINDOW_MIN = 10
"""What is over for as long is over."""
QUARANTINE_LIMIT = 100
"""Inputs set apart in `WINDOW_MIN`: a tag that sends one bad frame a minute makes ten."""
FAILED_IN_A_ROW = 5
"""A stage that failed so often has tried for six seconds and more: it is no hiccup."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong now."""

    matter: str
    """What it is about: two of the same are one alert."""
    severity: Grade
    title: str
    """Plain words; no person, no place. A tag may be named."""
    text: str
    """What was seen, and what to do."""


def looping(tag_id: int, name: str) -> Trouble:
    """A tag sends more reports than a tag may."""
    return Trouble(
        f"looping:{tag_id}",
        Grade.ATTENTION,
        f"Tag {name} sends without end",
        "It sends more reports than a tag may, and is read at the pace that a tag may. Its newest "
        "reports come late. Look at the tag: a loop in its firmware, a wrong interval, or a buffer "
        "that it sends again and again.",
    )


def cloned(tag_id: int, name: str) -> Trouble:
    """Two devices report as one tag."""
    return Trouble(
        f"cloned:{tag_id}",
        Grade.URGENT,
        f"Suspected spoofing: two devices report as tag {name}",
        "Reports came by turns over two connections, and from places too far apart to travel "
        "between. One of the two is not the tag. Both are kept and judged; do not rely on either. "
        "Find the tag, give it a new token, or take the device's id off the list.",
    )


def quarantine(counts: Mapping[str, int]) -> Trouble | None:
    """Too much input is set apart.

    Args:
        counts: inputs set apart of late, by reason.
    """
    total = sum(counts.values())
    if total < QUARANTINE_LIMIT:
        return None
    reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items(), key=_most_first))
    return Trouble(
        "quarantine",
        Grade.ATTENTION,
        "Much of what comes in can’t be used",
        f"In {WINDOW_MIN} minutes were set apart: {reasons}. A firmware that changed, a tag with "
        "an old token, or a stranger who tries.",
    )


def failing(stage: str, failures: int) -> Trouble | None:
    """A stage of the watch loop fails again and again."""
    if failures < FAILED_IN_A_ROW:
        return None
    return Trouble(
        f"stage:{stage}",
        Grade.CRITICAL,
        f"The platform’s stage {stage} fails",
        "It failed several times in a row, and tries again. Until it works, nothing passes it: "
        "alerts may be missing. The log names the error (stage_failed).",
    )


def undelivered(count: int) -> Trouble | None:
    """Alerts that reached nobody."""
    if not count:
        return None
    return Trouble(
        "undelivered",
        Grade.URGENT,
        "Alerts reach nobody",
        f"Notices have waited for more than {WINDOW_MIN} minutes without being delivered. See that "
        "somebody has the control room open.",
    )


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
