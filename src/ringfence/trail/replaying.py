"""What judging an archive again comes to: totals, and every violation that differs. Pure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringfence.trail.instants import write_instant
from ringfence.trail.violations_file import violation_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from ringfence.engine import Condition, Difference, Violation

WEEK_S = 7 * 86_400.0
MARKS = {"only_old": "-", "only_new": "+", "changed": "~"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """Two judgements of one archive, side by side."""

    wearers: int
    reports: int
    wearer_weeks: float
    """From each wearer's first judged report to the last, summed; 0 = not known (a long file)."""
    before: Counter[str]
    """Violations by state."""
    after: Counter[str]
    differences: tuple[Difference, ...]

    def __add__(self, other: Replayed) -> Replayed:
        return Replayed(
            self.wearers + other.wearers,
            self.reports + other.reports,
            self.wearer_weeks + other.wearer_weeks,
            self.before + other.before,
            self.after + other.after,
            (*self.differences, *other.differences),
        )


NOTHING = Replayed(0, 0, 0.0, Counter(), Counter(), ())


def changed_rules(
    recorded: Iterable[Condition], given: Sequence[Condition], without: Collection[str] = ()
) -> list[Condition]:
    """Conditions with some in the place of those of the same id, some new, and some left out.

    What takes another's place stands for all of its versions, under the number of the last.
    """
    rules, versions = [], dict[tuple[str, str], int]()
    replaced = {(c.wearer, c.id) for c in given}
    for rule in recorded:
        versions[rule.wearer, rule.id] = rule.version
        if (rule.wearer, rule.id) not in replaced and rule.id not in without:
            rules.append(rule)
    rules += [replace(c, version=versions.get((c.wearer, c.id), c.version)) for c in given]
    return rules


def within(
    violations: Iterable[Violation], from_at: datetime | None, to_at: datetime | None
) -> list[Violation]:
    """Those that last at any time from one instant on and before another."""
    return [
        v
        for v in violations
        if (to_at is None or v.begin_at < to_at)
        and (from_at is None or v.end_at is None or v.end_at >= from_at)
    ]


def as_json(replayed: Replayed) -> str:
    """All of it, for machines."""
    said = {
        "wearers": replayed.wearers,
        "reports": replayed.reports,
        "wearer_weeks": round(replayed.wearer_weeks, 3),
        "before": _totals(replayed.before, replayed.wearer_weeks),
        "after": _totals(replayed.after, replayed.wearer_weeks),
        "differences": [_difference(d) for d in replayed.differences],
    }
    return json.dumps(said, ensure_ascii=False, indent=2)


def _totals(states: Counter[str], weeks: float) -> dict[str, Any]:
    confirmed = states["confirmed"]
    return {
        "confirmed": confirmed,
        "possible": states["possible"],
        "confirmed_per_wearer_week": round(confirmed / weeks, 4) if weeks else None,
    }


def _difference(found: Difference) -> dict[str, Any]:
    names = {"only_old": "only_before", "only_new": "only_after", "changed": "changed"}
    return {
        "what": names[found.what],
        "alerts": found.alerts,
        "changed": list(found.changed),
        "why": found.why,
        "before": json.loads(violation_line(found.old)) if found.old else None,
        "after": json.loads(violation_line(found.new)) if found.new else None,
    }


def as_text(replayed: Replayed) -> str:
    """All of it, for people: what an operator would notice first."""
    return "\n".join(_lines(replayed))


def _lines(replayed: Replayed) -> Iterator[str]:
    weeks = replayed.wearer_weeks
    counted = f", wearer-weeks: {weeks:,.2f}" if weeks else ""
    yield f"wearers: {replayed.wearers:,}, reports: {replayed.reports:,}{counted}"
    yield f"{'':<24}{'before':>10}{'after':>10}"
    for state in ("confirmed", "possible"):
        yield f"{state:<24}{replayed.before[state]:>10,}{replayed.after[state]:>10,}"
    if weeks:
        rates = [c["confirmed"] / weeks for c in (replayed.before, replayed.after)]
        yield f"{'confirmed a wearer-week':<24}{rates[0]:>10.3f}{rates[1]:>10.3f}"
    counts = Counter(d.what for d in replayed.differences)
    noticed = [d for d in replayed.differences if d.alerts]
    rest = [d for d in replayed.differences if not d.alerts]
    yield (
        f"differences: {len(replayed.differences):,} (only before: {counts['only_old']:,}, "
        f"only after: {counts['only_new']:,}, changed: {counts['changed']:,})"
    )
    for title, found in (("A person would notice", noticed), ("Figures and possibilities", rest)):
        if found:
            yield from ("", f"{title}: {len(found):,}")
            yield from (_line(d) for d in found)


def _line(found: Difference) -> str:
    told = found.told
    about = told.condition or told.how
    return (
        f"{MARKS[found.what]} {told.wearer} {about} {told.kind} "
        f"{write_instant(told.begin_at)}: {found.why}"
    )
