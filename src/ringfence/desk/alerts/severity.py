"""How soon a person must look: one table, by what was found and by the wearer's risk. Pure."""

from __future__ import annotations

from enum import IntEnum


class Grade(IntEnum):
    """The same four grades as `alerts.models.Severity`, without Django."""

    INFORM = 1
    ATTENTION = 2
    URGENT = 3
    CRITICAL = 4


RISKS = ("low", "medium", "high", "very_high")

_GRADES = {"i": Grade.INFORM, "a": Grade.ATTENTION, "u": Grade.URGENT, "c": Grade.CRITICAL}

TABLE: dict[tuple[str, str], str] = {
    # (kind, how): one letter for each of RISKS. `*` is any other `how` of the kind.
    ("exclusion", "approached"): "aauu",
    ("exclusion", "*"): "uucc",
    ("proximity", "approached"): "uuuu",
    ("proximity", "*"): "cccc",
    ("restriction", "approached"): "iiaa",
    ("restriction", "*"): "auuc",
    ("inclusion", "approached"): "iiaa",
    ("inclusion", "*"): "aauu",
    ("curfew", "*"): "aauu",
    ("attendance", "late"): "iiaa",
    ("attendance", "*"): "aaau",
    # A cut strap comes before anything that it was cut for: never less than urgent.
    ("tamper", "*"): "uucc",
    ("suspected_jamming", "*"): "aauu",
    ("suspected_spoofing", "*"): "aauu",
    ("silence", "*"): "aauu",
    ("no_fix", "*"): "iaau",
    ("battery", "battery_critical"): "aauu",
    ("battery", "*"): "iiaa",
}

FALLBACK = "auuc"
"""For a kind that the table does not know yet: a person looks, rather than nobody."""


def grade_of(kind: str, how: str, risk: str) -> Grade:
    """The severity of a violation of `kind`, begun by `how`, of a wearer at `risk`."""
    row = TABLE.get((kind, how)) or TABLE.get((kind, "*")) or FALLBACK
    return _GRADES[row[RISKS.index(risk) if risk in RISKS else -1]]


PRESSING = frozenset(kind for (kind, _), row in TABLE.items() if _GRADES[row[0]] >= Grade.URGENT)
"""Kinds of which something is urgent even at low risk: their alerts wait for no others."""


def table_markdown() -> str:
    """The table as `docs/alerts.md` shows it."""
    head = ["kind", "how", *(risk.replace("_", " ") for risk in RISKS)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for (kind, how), row in TABLE.items():
        grades = [_GRADES[letter].name.lower() for letter in row]
        lines.append("| " + " | ".join([kind, "any other" if how == "*" else how, *grades]) + " |")
    return "\n".join(lines)
