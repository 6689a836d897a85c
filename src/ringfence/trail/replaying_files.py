"""Judge files again: what `ringfence replay CONDITIONS FIXES` does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.engine import Law, differences, find_profile, rules_of
from ringfence.trail.by_piece import judge_files
from ringfence.trail.conditions_file import ConditionsFileError, read_conditions
from ringfence.trail.judging import Files, InputError
from ringfence.trail.replaying import WEEK_S, Replayed, changed_rules, within
from ringfence.trail.violations_file import read_violations

if TYPE_CHECKING:
    from ringfence.engine import Condition, Violation


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be other than it was."""

    profile: str = ""
    """Empty = the same."""
    conditions: tuple[Condition, ...] = ()
    without: tuple[str, ...] = ()
    wearer: str | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None

    def rules(self, recorded: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """The conditions to judge by now."""
        return tuple(changed_rules(recorded, self.conditions, self.without))


def read_change_conditions(path: Path) -> tuple[Condition, ...]:
    """Conditions that take others' places.

    Raises:
        InputError: the file can't be used.
    """
    try:
        return tuple(read_conditions(path))
    except ConditionsFileError as error:
        raise InputError([f"{path}: {fault}" for fault in error.faults]) from None
    except OSError as error:
        raise InputError([f"{path}: {error.strerror}"]) from None


def replay_files(
    conditions: Path,
    fixes: Path,
    change: Change,
    *,
    signals: Path | None = None,
    was: str = "standard",
    decisions: Path | None = None,
) -> Replayed:
    """Judge files as they were judged, and with a change.

    Args:
        conditions: GeoJSON, as it was in force.
        fixes: of any format.
        change: what is other now.
        signals: CSV.
        was: the profile of before.
        decisions: JSON Lines of what was decided; None = judged here by `was`.

    Raises:
        InputError: one line per fault.
    """
    files, judged = judge_files(conditions, fixes, signals=signals, profile=was)
    old, law = list(judged.violations), Law(rules_of(files.conditions), files.profile.name)
    if decisions is not None:
        old = _decided(decisions)
    try:
        profile = find_profile(change.profile or was)
    except ValueError as error:
        raise InputError([f"--profile: {error}"]) from None
    rules = change.rules(files.conditions)
    if rules == files.conditions and profile == files.profile:
        new = list(judged.violations)
    else:

        def changed(read: Files) -> Files:
            return replace(read, conditions=rules, profile=profile)

        _, again = judge_files(conditions, fixes, signals=signals, profile=was, change=changed)
        new = list(again.violations)
    old, new = _asked(old, change), _asked(new, change)
    found = differences(
        old,
        new,
        was=None if decisions else law,
        now=Law(rules_of(rules), profile.name),
    )
    seconds = _span_s(files)
    return Replayed(
        wearers=judged.wearers,
        reports=files.fixes.read,
        wearer_weeks=seconds / WEEK_S,
        before=Counter(str(v.state) for v in old),
        after=Counter(str(v.state) for v in new),
        differences=tuple(found),
    )


def _decided(path: Path) -> list[Violation]:
    try:
        return read_violations(path)
    except ValueError as error:
        raise InputError([f"{path}: {error}"]) from None
    except OSError as error:
        raise InputError([f"{path}: {error.strerror}"]) from None


def _asked(violations: list[Violation], change: Change) -> list[Violation]:
    mine = [v for v in violations if change.wearer in (None, v.wearer)]
    return within(mine, change.from_at, change.to_at)


def _span_s(files: Files) -> float:
    """Known for files that were read whole; a long one is judged a piece at a time."""
    batch = files.fixes.batch
    total = 0.0
    for number in range(len(files.fixes.wearers)):
        times = batch.time_ms[batch.wearer == number]
        total += (int(times.max()) - int(times.min())) / 1000 if len(times) else 0.0
    return total
