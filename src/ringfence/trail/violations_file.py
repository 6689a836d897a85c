"""Violations as the contract's JSON Lines."""

from __future__ import annotations

import json
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from ringfence.engine.events import Violation
from ringfence.trail.instants import read_instant, write_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path


_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def violation_line(violation: Violation) -> str:
    """One violation as one line of JSON (no line end), fields in the contract's order.

    Probabilities have at most four decimals and metres two, so that a line shows no digits that
    mean nothing.
    """
    depth_m = violation.depth_m
    return _JSON.encode(
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
        }
    )


def read_violations(path: Path) -> list[Violation]:
    """Violations of a file of such lines; what a line does not say (a version) is not known.

    Raises:
        ValueError: a line that is none, by number.
        OSError: the file can't be read.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(_read(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"line {number}: not a violation as `ringfence evaluate` writes them ({error})"
            ) from None
    return found


def _read(said: dict[str, Any]) -> Violation:
    return Violation(
        wearer=said["wearer"],
        condition=said["condition"],
        version=0,
        begin_at=read_instant(said["begin"]),
        confirmed_at=_instant(said["confirmed_at"]),
        end_at=_instant(said["end"]),
        ended_by=None,
        why=tuple(said["why"]),
        doubts=tuple(said["doubts"]),
        **{name: said[name] for name in _AS_SAID},
    )


_AS_SAID = ("kind", "state", "how", "probability", "depth_m", "fixes", "profile")


def violation_lines(violations: Iterable[Violation]) -> str:
    """All of them, each line ended, by begin and then by everything else that is said."""
    return "".join(each_line(violations))


def each_line(violations: Iterable[Violation]) -> Iterator[str]:
    """The same one by one: of very many, all lines at once would need more than all else."""
    begun = attrgetter("begin_at")
    for _, together in groupby(sorted(violations, key=begun), begun):
        yield from (line + "\n" for line in sorted(map(violation_line, together)))


def _instant(said: str | None) -> datetime | None:
    return None if said is None else read_instant(said)


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else write_instant(at)
