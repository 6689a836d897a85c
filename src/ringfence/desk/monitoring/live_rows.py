"""The live table's rows. The map is drawn from the same rows, so that both say the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from ringfence.desk.cases.models import Wearer
from ringfence.desk.kit.words import age, course, london_exact, metres, state
from ringfence.desk.monitoring.models import Violation
from ringfence.desk.monitoring.queries import LiveFix, LiveWearer, tampered

GRAVITY = {"confirmed": 0, "possible": 1, "no_data": 2, "clear": 3}
MOVING_MPS = 0.5
"""Below this, what a receiver calls course is noise."""
STALE_FEED = timedelta(minutes=15)
"""The Ministry's map warns of a stale feed after as long."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One wearer, as the live table says it."""

    wearer: Wearer
    standing: str
    why: str
    fix: LiveFix | None
    fix_age: str
    point: str | None
    """The same for the map, as JSON; None without a fix."""
    last_received_at: datetime | None
    battery_pct: float | None


def live_rows(live: list[LiveWearer], at: datetime) -> list[LiveRow]:
    """Rows of the live table, gravest first."""
    rows = [_row(one, at) for one in heeding_tampers(live)]
    return sorted(rows, key=lambda r: (GRAVITY.get(r.standing, 9), r.wearer.crn))


def is_stale(live: list[LiveWearer], at: datetime) -> bool:
    """Whether nothing at all has come in for so long that the feed itself is to be doubted."""
    received = [one.last_received_at for one in live if one.last_received_at]
    return bool(live) and (not received or at - max(received) > STALE_FEED)


def gravest_why(standings: list[dict[str, Any]]) -> str:
    """The reason of the gravest standing, in the engine's own words."""
    ordered = sorted(standings, key=lambda s: GRAVITY.get(s["state"], 9))
    return str(ordered[0]["why"]) if ordered else ""


def heeding_tampers(live: list[LiveWearer]) -> list[LiveWearer]:
    """The same wearers, those confirmed whose tag says that it was tampered with.

    Where a tag lies says little of its wearer once the strap is cut.
    """
    cut = tampered()
    return [_heeding(one, cut.get(one.wearer.pk)) for one in live]


def _heeding(one: LiveWearer, violation: Violation | None) -> LiveWearer:
    if violation is None:
        return one
    why = f"{violation.how.replace('_', ' ').capitalize()} at {london_exact(violation.begin_at)}"
    said = {
        "condition": "",
        "version": 0,
        "state": "confirmed",
        "why": f"{why}: the tag may not be where the wearer is",
    }
    return replace(one, standing="confirmed", standings=[said, *one.standings])


def _row(one: LiveWearer, at: datetime) -> LiveRow:
    fix_age = age(one.fix.at, at) if one.fix else "no fix yet"
    return LiveRow(
        wearer=one.wearer,
        standing=one.standing,
        why=gravest_why(one.standings),
        fix=one.fix,
        fix_age=fix_age,
        point=json.dumps(_point(one, one.fix, fix_age)) if one.fix else None,
        last_received_at=one.last_received_at,
        battery_pct=one.battery_pct,
    )


def _point(one: LiveWearer, fix: LiveFix, fix_age: str) -> dict[str, Any]:
    moving = fix.speed_mps is not None and fix.speed_mps >= MOVING_MPS
    way = f", heading {course(fix.course_deg)}" if moving and fix.course_deg is not None else ""
    return {
        "id": one.wearer.public_id,
        "label": one.wearer.crn,
        "name": f"{one.wearer.name or one.wearer.crn} ({one.wearer.crn})",
        "url": reverse("wearer", args=[one.wearer.public_id]),
        "lon": fix.lon,
        "lat": fix.lat,
        "accuracy_m": fix.accuracy_m,
        "course_deg": fix.course_deg,
        "moving": moving,
        "state": one.standing,
        "state_text": state(one.standing),
        "age": fix_age.removesuffix(" ago"),
        "fix_text": f"Fix {fix_age}, circle {metres(fix.accuracy_m)}{way}",
    }
