"""What a correction keeps: what a violation said, what it says now, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ringfence.desk.monitoring.models import Correction, Violation

INSTANTS = (
    "begin_at",
    "confirmed_at",
    "end_at",
    "withdrawn_at",
    "first_fix_at",
    "confirming_fix_at",
    "deepest_fix_at",
    "last_fix_at",
)
FIGURES = (
    "state",
    "how",
    "version",
    "kind",
    "ended_by",
    "probability",
    "depth_m",
    "fixes",
    "profile",
)
TEXTS = ("why", "doubts")
Facts = dict[str, Any]
EVIDENCE = "evidence_changed"
"""A correction of figures and words alone: nothing that a person would act upon."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows are written again; without words it is no correction: the engine only went on."""

    why: str = ""
    what: Mapping[str, Any] = field(default_factory=dict)
    punctual: bool = False
    """Two devices' reports overtook one another by seconds: only contradictions are corrected."""

    def __bool__(self) -> bool:
        return bool(self.why)


ON_TIME = Cause()


def facts_of(row: Violation) -> Facts:
    """What a correction keeps of a row: states, instants, figures and words, no place."""
    instants = {
        name: value.isoformat() if (value := getattr(row, name)) else None for name in INSTANTS
    }
    return instants | {name: getattr(row, name) for name in (*FIGURES, *TEXTS)}


def correction_rows(
    row: Violation, whats: Sequence[str], because: Cause, before: Facts, at: datetime
) -> list[Correction]:
    """One row for each thing that changed in `row`, not written yet.

    Args:
        row: as it is now.
        whats: by name, what matters most first.
        because: by what it was changed.
        before: `facts_of` it before; empty = it is new.
        at: the present.
    """
    after = facts_of(row)
    same = [text for text in TEXTS if before.get(text) == after[text]]  # long, and mostly the same
    was = {name: value for name, value in before.items() if name not in same}
    now = {name: value for name, value in after.items() if name not in same}
    return [
        Correction(
            violation=row,
            at=at,
            what=what,
            why=because.why,
            cause=dict(because.what),
            before=was,
            after=now,
        )
        for what in whats
    ]
