"""Judge files: what `ringfence evaluate` does between reading its arguments and printing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ringfence.engine import (
    Batch,
    ConditionError,
    Kind,
    compile_plan,
    evaluate,
    find_profile,
    initial_state,
    plausible_span,
    violations,
    with_victims,
)
from ringfence.trail.conditions_file import ConditionsFileError, read_conditions
from ringfence.trail.instants import InstantError, from_ms, read_instant, to_ms
from ringfence.trail.readers import read_fixes, read_signals
from ringfence.trail.rows import Fixes
from ringfence.trail.table import FixesFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from ringfence.engine import Condition, Profile, Violation


T = TypeVar("T")


class InputError(ValueError):
    """Input that can't be used; `faults` holds one line per fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Files:
    """The input of one judgement."""

    conditions: tuple[Condition, ...]
    fixes: Fixes
    signals: Fixes
    profile: Profile
    until_at: datetime | None
    """None = the last instant in the input."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found."""

    violations: tuple[Violation, ...]
    wearers: int
    after_until: int
    """Fixes and signals later than `until`, which were not judged."""
    misdated: int
    """Fixes and signals dated years apart from all others, which were not judged."""


def read_files(
    conditions: Path,
    fixes: Path | None,
    *,
    signals: Path | None = None,
    profile: str = "standard",
    until: str | None = None,
) -> Files:
    """Read all the input, and collect every fault before giving up.

    Args:
        conditions: GeoJSON.
        fixes: of any format; None = they are read elsewhere.
        signals: CSV.
        profile: its name.
        until: ISO 8601; None = the last instant in the input.

    Raises:
        InputError: one line per fault.
    """
    faults: list[str] = []
    known = _try(faults, "--profile", lambda: find_profile(profile))
    until_at = _try(faults, "--until", lambda: read_instant(until) if until else None)
    rules = _try(faults, str(conditions), lambda: read_conditions(conditions))
    found = _try(faults, str(fixes), lambda: read_fixes(fixes) if fixes else NO_FIXES)
    said = _try(faults, str(signals), lambda: read_signals(signals) if signals else NO_FIXES)
    if faults or rules is None or known is None or found is None or said is None:
        raise InputError(faults)
    return Files(tuple(rules), found, said, known, until_at)


def judge(files: Files) -> Judgement:
    """Judge what was read.

    Raises:
        InputError: conditions that can't be judged together.
    """
    refuse_roles(files)
    people = sorted({*files.fixes.wearers, *files.signals.wearers} - {*files.fixes.victims})
    items = Batch.concat([files.fixes.numbered(people), files.signals.numbered(people)])
    if not len(items):
        return Judgement((), 0, 0, 0)
    first_ms, last_ms = plausible_span(items.time_ms)
    until_ms = last_ms if files.until_at is None else to_ms(files.until_at)
    misdated = (items.time_ms < first_ms) | (items.time_ms > last_ms)
    after = ~misdated & (items.time_ms > until_ms)
    items = items.take(~misdated & ~after)
    start_ms = min(first_ms, until_ms)
    try:
        plan = compile_plan(
            files.conditions,
            files.profile,
            start_at=from_ms(start_ms),
            end_at=from_ms(until_ms),
            wearers=people,
        )
    except ConditionError as error:
        raise InputError([str(error)]) from None
    items = with_victims(plan, _renumbered(items, people, plan.wearers))
    result = evaluate(plan, initial_state(plan), items, until_ms, in_place=True)
    found = violations(plan, result.events, result.state)
    return Judgement(tuple(found), len(people), int(after.sum()), int(misdated.sum()))


NO_FIXES = Fixes(Batch.empty(), ())


def refuse_roles(files: Files) -> None:
    """Refuse a device whose role in the fixes is not its role in the conditions."""
    victims = {c.victim: c.id for c in files.conditions if c.kind is Kind.PROXIMITY and c.victim}
    faults = [
        f"{name}: a wearer by the conditions, and a victim by the fixes: correct its role"
        for name in sorted({c.wearer for c in files.conditions} & {*files.fixes.victims})
    ] + [
        f"{name}: the victim of condition {victims[name]!r}, and a wearer by the fixes: give its "
        "rows the role victim"
        for name in sorted(victims.keys() & {*files.fixes.wearers})
    ]
    if faults:
        raise InputError(faults)


def _renumbered(items: Batch, people: Sequence[str], wearers: Sequence[str]) -> Batch:
    return Fixes(items, tuple(people)).numbered(wearers)


def _try(faults: list[str], where: str, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ConditionsFileError as error:
        faults += [f"{where}: {fault}" for fault in error.faults]
    except (FixesFileError, InstantError, ValueError) as error:
        faults.append(f"{where}: {error}")
    except OSError as error:
        faults.append(f"{where}: {error.strerror or 'can not be read'}")
    return None
