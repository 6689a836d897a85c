"""What a wearer's page says of conditions and of the tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.desk.alerts.models import Alert, AlertState
from ringfence.desk.cases.models import ConditionVersion, Tag, Wearer
from ringfence.desk.cases.queries import tag_of
from ringfence.desk.kit.words import kind
from ringfence.desk.monitoring.queries import LiveWearer, TrailPoint
from ringfence.desk.monitoring.zones import versions_in_force, zone_label
from ringfence.engine.conditions import Kind

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = {
    "mon": "Mondays",
    "tue": "Tuesdays",
    "wed": "Wednesdays",
    "thu": "Thursdays",
    "fri": "Fridays",
    "sat": "Saturdays",
    "sun": "Sundays",
}
KEPT_ONLY = ("not_judged", "The trail is kept for those who may see it; nothing in it is judged")
UNJUDGED = ("no_data", "Not judged yet: no report has come in since it was made")
STRAP_SIGNALS = ("strap_cut", "strap_ok", "case_open")


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition in force, and how the wearer stands to it."""

    version: ConditionVersion
    label: str
    kind: str
    times: str
    state: str
    probability: float | None
    distance_m: float | None
    why: str


@dataclass(frozen=True, slots=True)
class TagHealth:
    """Whether the tag can be trusted to speak."""

    tag: Tag | None
    battery_pct: float | None
    last_report_at: datetime | None
    last_received_at: datetime | None
    strap: str
    strap_alerts: list[Alert]


def conditions_of(wearer: Wearer, live: LiveWearer, at: datetime) -> list[ConditionRow]:
    """The conditions that hold at `at`, each with the engine's standing."""
    standings = {(s["condition"], s["version"]): s for s in live.standings}
    rows = []
    for version in versions_in_force(at, [wearer.pk]):
        said: dict[str, Any] = standings.get((version.condition.key, version.version), {})
        unsaid = KEPT_ONLY if version.condition.kind == Kind.TRAIL else UNJUDGED
        rows.append(
            ConditionRow(
                version=version,
                label=zone_label(version),
                kind=kind(version.condition.kind),
                times=times_in_words(version.when),
                state=said.get("state", unsaid[0]),
                probability=said.get("probability"),
                distance_m=said.get("distance_m"),
                why=said.get("why", unsaid[1]),
            )
        )
    return rows


def tag_health(
    wearer: Wearer, live: LiveWearer, points: Sequence[TrailPoint], at: datetime
) -> TagHealth:
    """The tag now on, its battery, its last word, and what it said of its strap.

    Args:
        wearer: whose tag.
        live: the wearer as on the live map.
        points: the last day's reports; empty where the reader may not see them.
        at: now.
    """
    # A tamper that cleared itself is not cleared (docs/alerts.md): only a person closes it.
    open_tampers = list(
        Alert.objects.filter(wearer=wearer, kind="tamper")
        .exclude(state=AlertState.CLOSED)
        .order_by("-event_at")
    )
    return TagHealth(
        tag=tag_of(wearer, at),
        battery_pct=live.battery_pct,
        last_report_at=live.last_report_at,
        last_received_at=live.last_received_at,
        strap=_strap(points),
        strap_alerts=open_tampers,
    )


def times_in_words(when: Sequence[dict[str, Any]]) -> str:
    """“Every day, 19:00 to 07:00”; “Always” for a condition without times."""
    return "; ".join(_weekly(said) for said in when) if when else "Always"


def _weekly(said: dict[str, Any]) -> str:
    days = [day for day in WEEK if day in said["days"]]
    if len(days) == len(WEEK):
        named = "Every day"
    elif days == list(WEEK[:5]):
        named = "Monday to Friday"
    elif days == list(WEEK[5:]):
        named = "Saturday and Sunday"
    else:
        named = ", ".join(DAYS[day] for day in days)
    return f"{named}, {said['start']} to {said['end']}"


def _strap(points: Sequence[TrailPoint]) -> str:
    for point in reversed(points):
        said = [signal for signal in STRAP_SIGNALS if signal in point.signals]
        if said:
            return said[0]
    return ""
