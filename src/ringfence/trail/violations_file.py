"""Violations as the contract's JSON Lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ringfence.trail.instants import write_instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ringfence.engine.events import Violation


def violation_line(violation: Violation) -> str:
    """One violation as one line of JSON (no line end), fields in the contract's order.

    Probabilities have at most four decimals and metres two, so that a line shows no digits that
    mean nothing.
    """
    depth_m = violation.depth_m
    return json.dumps(
        {
            "wearer": violation.wearer,
            "condition": violation.condition,
            "kind": str(violation.kind),
            "state": str(violation.state),
            "begin": write_instant(violation.begin_at),
            "confirmed_at": _maybe(violation.confirmed_at),
            "end": _maybe(violation.end_at),
            "probability": round(violation.probability, 4),
            "depth_m": None if depth_m is None else round(depth_m, 2),
            "fixes": violation.fixes,
            "how": str(violation.how),
            "profile": violation.profile,
            "why": list(violation.why),
            "doubts": list(violation.doubts),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def violation_lines(violations: Iterable[Violation]) -> str:
    """All of them, each line ended, by begin and then by everything else that is said."""
    said = [(v.begin_at, violation_line(v)) for v in violations]
    return "".join(line + "\n" for _, line in sorted(said))


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else write_instant(at)
