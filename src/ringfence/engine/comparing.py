"""What differs between two judgements of the same trails. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from ringfence.engine.explain import said_time
from ringfence.engine.profiles import PROFILES, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ringfence.engine.conditions import Condition
    from ringfence.engine.events import Violation

A = TypeVar("A")
B = TypeVar("B")
FAR = datetime.max.replace(tzinfo=UTC)
INSTANTS = {"begin_at": "began", "confirmed_at": "confirmed", "end_at": "ended"}
VALUES = ("state", "how", "version", "ended_by", "probability", "depth_m", "fixes")
TEXTS = ("why", "doubts")
NO_CAUSE = (
    "The condition and the profile are the same: reports came, fittings changed, or the engine "
    "decides otherwise since then."
)
RuleKey = tuple[str, str, int]
"""Wearer, id and version of a condition."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One violation that two judgements do not agree on."""

    old: Violation | None
    """None = only the new judgement finds it."""
    new: Violation | None
    """None = only the old one does."""
    changed: tuple[str, ...]
    """Which fields differ, where both find it."""
    why: str
    """The reason, in plain words."""

    @property
    def what(self) -> str:
        """`only_old`, `only_new` or `changed`."""
        return "only_new" if self.old is None else "only_old" if self.new is None else "changed"

    @property
    def told(self) -> Violation:
        """The newer saying, or else the old one."""
        found = self.new or self.old
        if found is None:
            raise ValueError("a difference is about a violation: give the old or the new one")
        return found

    @property
    def alerts(self) -> bool:
        """Whether a person would notice: something confirmed comes, goes, or moves."""
        told = self.old is not None and self.old.state == "confirmed"
        tells = self.new is not None and self.new.state == "confirmed"
        return told != tells or (told and bool({*INSTANTS, "how"} & {*self.changed}))


@dataclass(frozen=True, slots=True)
class Law:
    """By what a judgement was made."""

    conditions: Mapping[RuleKey, Condition]
    profile: str = ""
    """Empty = by what each violation says."""


def rules_of(conditions: Sequence[Condition]) -> dict[RuleKey, Condition]:
    """Conditions by what names them."""
    return {(c.wearer, c.id, c.version): c for c in conditions}


def differences(
    old: Sequence[Violation], new: Sequence[Violation], *, was: Law | None, now: Law
) -> list[Difference]:
    """Everything on which two judgements of the same trails differ.

    Violations are the same if they begin at one instant, or else overlap, and are about one matter:
    wearer, condition, kind and part (a ring, a signal).

    Args:
        old: what was found.
        new: what is found now.
        was: by what `old` was judged; None = only its violations are known.
        now: by what `new` was.

    Returns:
        In order of begin.
    """
    found = [
        Difference(a, b, changed, _why(a, b, was, now))
        for a, b in _pairs(old, new)
        if (changed := _changed(a, b)) or a is None or b is None
    ]
    return sorted(found, key=lambda d: (d.told.begin_at, *d.told.key[:-1], d.what))


def _pairs(
    old: Sequence[Violation], new: Sequence[Violation]
) -> list[tuple[Violation | None, Violation | None]]:
    by_matter: dict[tuple[str, ...], tuple[list[Violation], list[Violation]]] = {}
    for side, violations in enumerate((old, new)):
        for one in sorted(violations, key=lambda v: v.begin_at):
            by_matter.setdefault(_matter(one), ([], []))[side].append(one)
    return [pair for left, right in by_matter.values() for pair in _paired(left, right)]


def _paired(
    left: list[Violation], right: list[Violation]
) -> list[tuple[Violation | None, Violation | None]]:
    """Of one matter: first what begins alike, then what overlaps; each once."""
    pairs: list[tuple[Violation | None, Violation | None]] = []
    for same in (_begin_alike, _overlap):
        alike, right = take_alike(left, right, same)
        pairs += alike
    return [*pairs, *((v, None) for v in left), *((None, v) for v in right)]


def take_alike(
    pool: list[A], asked: Sequence[B], same: Callable[[A, B], bool]
) -> tuple[list[tuple[A, B]], list[B]]:
    """Take out of `pool` what matches, each once: the pairs, and what was asked for in vain."""
    pairs, left = [], []
    for one in asked:
        found = next((other for other in pool if same(other, one)), None)
        if found is None:
            left.append(one)
        else:
            pool.remove(found)
            pairs.append((found, one))
    return pairs, left


def _matter(violation: Violation) -> tuple[str, str, str, str]:
    part = "ring" if violation.how == "approached" else ""
    part = violation.how if violation.condition is None else part
    return (violation.wearer, violation.condition or "", violation.kind, part)


def _begin_alike(a: Violation, b: Violation) -> bool:
    return a.begin_at == b.begin_at and not (a.version and b.version and a.version != b.version)


def _overlap(a: Violation, b: Violation) -> bool:
    return a.begin_at <= (b.end_at or FAR) and b.begin_at <= (a.end_at or FAR)


def _changed(old: Violation | None, new: Violation | None) -> tuple[str, ...]:
    if old is None or new is None:
        return ()
    names = [n for n in (*INSTANTS, *VALUES) if _differ(old, new, n)]
    # Texts follow from all that; alone they differ where the words were changed.
    return tuple(names or [n for n in TEXTS if getattr(old, n) != getattr(new, n)])


def _differ(old: Violation, new: Violation, name: str) -> bool:
    """Whether a field differs; what a file of violations leaves out is not known, and does not."""
    a, b = getattr(old, name), getattr(new, name)
    if name in ("version", "ended_by") and not (a and b):
        return False
    return bool(a != b)


def _why(old: Violation | None, new: Violation | None, was: Law | None, now: Law) -> str:
    told = new or old
    if told is None:
        raise ValueError("a difference is about a violation: give the old or the new one")
    said = _said(old, new)
    key = (told.wearer, told.condition or "", told.version)
    causes = []
    if told.condition is not None:
        causes += _of_conditions(key, was, now)
    profile = now.profile or (new.profile if new else "")
    if old is not None and profile and old.profile != profile:
        causes.append(_of_profiles(old.profile, profile))
    if old is None and was is not None and was.profile and was.profile != profile:
        causes.append(_of_profiles(was.profile, profile))
    if not causes:
        causes = [NO_CAUSE]
    return " ".join([said, *causes])


def _said(old: Violation | None, new: Violation | None) -> str:
    """What differs, with both values."""
    if old is None and new is not None:
        return f"Found only now: {new.state}, {_chance(new)}."
    if new is None and old is not None:
        return f"Not found any more: it was {old.state}, {_chance(old)}."
    if old is None or new is None:
        raise ValueError("a difference is about a violation: give the old or the new one")
    parts = [
        f"{word} {_instant(getattr(old, n))} → {_instant(getattr(new, n))}"
        for n, word in INSTANTS.items()
        if getattr(old, n) != getattr(new, n)
    ]
    parts += [
        f"{name.replace('_', ' ')} {_value(getattr(old, name))} → {_value(getattr(new, name))}"
        for name in VALUES
        if _differ(old, new, name)
    ]
    text = ", ".join(parts) or "only the words differ"
    return f"{text[0].upper()}{text[1:]}."


def _of_conditions(key: RuleKey, was: Law | None, now: Law) -> list[str]:
    versions = sorted(k for k in now.conditions if k[:2] == key[:2])
    if not key[2] and versions:
        key = versions[-1]  # a file of violations names no version
    rule = now.conditions.get(key)
    if rule is None:
        if not versions:
            return [f"Condition {key[1]} is not among those that it is judged by now."]
        return [f"Version {key[2]} of condition {key[1]} is not in force any more."]
    before = None if was is None else was.conditions.get(key)
    if was is None:
        return []
    if before is None:
        return [f"Condition {key[1]}, version {key[2]}, is new."]
    names = [f.name for f in fields(rule) if f.compare and _of(rule, f.name) != _of(before, f.name)]
    if not names:
        return []
    words = ", ".join(n.removesuffix("_m").removesuffix("_at").replace("_", " ") for n in names)
    return [f"Condition {key[1]} says something else now: {words}."]


def _of(rule: Condition, name: str) -> object:
    return getattr(rule, name)


def _of_profiles(old: str, new: str) -> str:
    a, b = PROFILES.get(old), PROFILES.get(new)
    if a is None or b is None:
        return f"Judged by {new}, not {old}."
    if a.geometric or b.geometric:
        geometric = a if a.geometric else b
        return f"Judged by {new}, not {old}: {geometric.name} is geometry alone."
    return f"Judged by {new}, not {old}: {_thresholds(a, b)}."


def _thresholds(a: Profile, b: Profile) -> str:
    skipped = {"name", "summary", "source"}
    parts = [
        f"{f.name} {_value(getattr(a, f.name))} → {_value(getattr(b, f.name))}"
        for f in fields(a)
        if f.name not in skipped and getattr(a, f.name) != getattr(b, f.name)
    ]
    return ", ".join(parts) or "no threshold differs"


def _chance(violation: Violation) -> str:
    return f"{100 * violation.probability:.1f} % probable"


def _instant(at: datetime | None) -> str:
    return "never" if at is None else said_time(round(at.timestamp() * 1000))


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "/".join(f"{v:g}" for v in value)
    if value is None or value == "":
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
