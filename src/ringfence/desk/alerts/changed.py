"""What changed of a violation since it was first told: what matters first, figures folded. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from ringfence.desk.kit.clock import from_ms
from ringfence.desk.kit.words import london, london_exact
from ringfence.desk.monitoring.models import Correction

HEADLINES = {
    "withdrawn": "Withdrawn: what is known now does not show it",
    "reinstated": "Reinstated: what is known now shows it again",
    "found_late": "Found only now",
    "confirmed_late": "Confirmed, having been only possible",
    "only_possible": "Only possible now, having been confirmed",
    "confirmed_earlier": "Confirmed earlier",
    "confirmed_later": "Confirmed later",
    "begin_moved": "Began at another instant",
    "end_moved": "Ended at another instant",
    "reopened": "Not over after all",
    "how_changed": "Began in another way",
}
"""In the order of what a person must know first; what else changed is folded."""
INSTANTS = {
    "confirmed_earlier": "confirmed_at",
    "confirmed_later": "confirmed_at",
    "begin_moved": "begin_at",
    "end_moved": "end_at",
}
FOLDED = {
    "probability": "Probability",
    "depth_m": "Greatest depth, metres",
    "fixes": "Fixes that carry it",
    "begin_at": "Began",
    "confirmed_at": "Confirmed",
    "end_at": "Ended",
    "ended_by": "Ended by",
    "first_fix_at": "First fix",
    "confirming_fix_at": "Confirming fix",
    "deepest_fix_at": "Deepest fix",
    "last_fix_at": "Last fix",
    "version": "Version of the condition",
    "profile": "Profile",
    "why": "Reasons",
    "doubts": "Doubts",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One value, as it was told and as it is now."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changed:
    """All that one cause changed of a violation at one instant."""

    at: datetime
    headlines: tuple[str, ...]
    """Empty: nothing but figures and words changed."""
    cause: str
    figures: tuple[Figure, ...]


def changes(corrections: Sequence[Correction]) -> list[Changed]:
    """A violation's corrections in order, one for each cause, as its page tells them."""
    grouped = groupby(corrections, key=lambda c: (c.at, c.why))
    return [_changed(list(rows)) for _, rows in grouped]


def _changed(rows: list[Correction]) -> Changed:
    first, last = rows[0], rows[-1]
    order = list(HEADLINES)
    told = sorted({r.what for r in rows} & set(order), key=order.index)
    headlines = tuple(_headline(what, first.before, last.after) for what in told)
    figures = () if first.before == {} else tuple(_figures(first.before, last.after))
    return Changed(first.at, headlines, _cause(first), figures)


def _headline(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    name = INSTANTS.get(what)
    if name is None:
        return HEADLINES[what]
    was, now = _said(name, before.get(name)), _said(name, after.get(name))
    return f"{HEADLINES[what]}: {now}, not {was}"


def _figures(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Figure]:
    for name, label in FOLDED.items():
        was, now = before.get(name), after.get(name)
        if was != now:
            yield Figure(label, _said(name, was), _said(name, now))


def _said(name: str, value: Any) -> str:
    if value in (None, ""):
        return "none"
    if name.endswith("_at"):
        return london_exact(datetime.fromisoformat(value))
    if name == "probability":
        return f"{100 * value:.2f} %"
    return " ".join(value) if isinstance(value, list) else str(value).replace("_", " ")


def _cause(correction: Correction) -> str:
    cause = correction.cause
    parts = [correction.why]
    if "recorded_by" in cause:
        at = london(datetime.fromisoformat(cause["recorded_at"]))
        parts.append(f"{_recorded(cause)}, recorded by {cause['recorded_by']} on {at}")
    if "late" in cause:
        ids = ", ".join(str(n) for n in cause["reports"])
        more = ", …" if cause["late"] > len(cause["reports"]) else ""
        named = f" ({ids}{more})" if ids else ""
        came = london_exact(from_ms(cause["received_ms"]))
        word = "report" if cause["late"] == 1 else "reports"
        parts.append(f"{cause['late']} {word}{named}, received up to {came}")
    return ": ".join(parts)


def _recorded(cause: Mapping[str, Any]) -> str:
    if "condition" in cause:
        return f"{cause['condition']}, version {cause['version']}"
    if "carrying" in cause:
        return f"carrying {cause['carrying']} {'ended' if cause['ended'] else 'began'}"
    return f"tag {cause['tag']} {'taken off' if cause['ended'] else 'fitted'}"
