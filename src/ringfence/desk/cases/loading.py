"""Takes conditions in from a file, with the people and orders that they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.desk.accounts.permission import Actor, actor_name, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.actions import (
    add_condition,
    add_order,
    add_victim,
    add_wearer,
    change_condition,
)
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Condition, Order, OrderType, Victim, Wearer
from ringfence.desk.cases.queries import engine_conditions
from ringfence.desk.kit.acting import action
from ringfence.engine.conditions import Condition as Rule
from ringfence.trail.conditions_file import read_features

Versions = list[Rule]


class LoadError(CaseError):
    """Conditions that can't be taken in; `faults` holds one line per fault, nothing was written."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load made."""

    wearers: int
    orders: int
    conditions: int
    known: int
    """Conditions that were recorded before, and said the same."""


@action
def load_conditions(
    collection: object, *, by: Actor, order_type: str = OrderType.LICENCE
) -> Loaded:
    """Record every condition of a FeatureCollection (contract: evaluate), all or none.

    A wearer who is not known is added under the file's name for them, with one order if there is
    none. A condition that is recorded already and says the same is left alone.

    Args:
        collection: the file's content, as parsed from JSON.
        by: who.
        order_type: of orders that have to be made.

    Raises:
        ConditionsFileError: faults of the file, by feature number.
        LoadError: what clashes with what is recorded, or does not fit.
    """
    permitted(by, Permission.EDIT_CONDITIONS)
    by_key: dict[str, Versions] = defaultdict(list)
    for rule in read_features(collection):
        by_key[rule.id].append(rule)
    faults = _clashes(by_key)
    if faults:
        raise LoadError(faults)
    before = _counts()
    orders = {w: _order_of(by, w, by_key, order_type) for w in _wearers(by_key)}
    known = set(Condition.objects.filter(key__in=by_key).values_list("key", flat=True))
    for key, rules in by_key.items():
        if key not in known:
            add_versions(rules, by=by, order=orders[rules[0].wearer])
    wearers, made, conditions = (a - b for a, b in zip(_counts(), before, strict=True))
    loaded = Loaded(wearers, made, conditions, known=len(known))
    record(
        by=actor_name(by),
        event=Event.CONDITIONS_IMPORTED,
        subject="conditions",
        detail={"added": loaded.conditions, "known": loaded.known},
    )
    return loaded


@action
def add_versions(rules: Versions, *, by: Actor, order: Order) -> Condition:
    """Record one condition with all its versions, in order of time.

    `title` and `protects` (a victim's label) among a feature's further properties are kept.
    """
    first, *later = sorted(rules, key=lambda rule: rule.from_at)
    label = first.victim or first.extra.get("protects")
    condition = add_condition(
        by=by,
        order=order,
        rule=first,
        title=str(first.extra.get("title", "")),
        victim=_victim(by, str(label)) if label else None,
    )
    for rule in later:
        change_condition(
            by=by,
            condition=condition,
            rule=rule,
            effective_at=rule.from_at,
            reason="loaded from a file with several versions",
        )
    return condition


def _counts() -> tuple[int, int, int]:
    return Wearer.objects.count(), Order.objects.count(), Condition.objects.count()


def _wearers(by_key: dict[str, Versions]) -> list[str]:
    return sorted({rule.wearer for rules in by_key.values() for rule in rules})


def _order_of(by: Actor, crn: str, by_key: dict[str, Versions], order_type: str) -> Order:
    wearer = Wearer.objects.filter(crn=crn).first() or add_wearer(by=by, crn=crn)
    order: Order | None = Order.objects.filter(wearer=wearer).order_by("-from_at").first()
    if order is not None:
        return order
    theirs = [r.from_at for rules in by_key.values() for r in rules if r.wearer == crn]
    return add_order(
        by=by, wearer=wearer, reference=f"{crn}-1", type=order_type, from_at=min(theirs)
    )


def _victim(by: Actor, label: str) -> Victim:
    found: Victim | None = Victim.objects.filter(label=label).first()
    return found or add_victim(by=by, label=label)


def _clashes(by_key: dict[str, Versions]) -> list[str]:
    faults = []
    recorded = defaultdict(list)
    for rule in engine_conditions():
        recorded[rule.id].append(rule)
    keys = set(Condition.objects.filter(key__in=by_key).values_list("key", flat=True))
    for key, rules in by_key.items():
        wearers = sorted({rule.wearer for rule in rules})
        if len(wearers) > 1:
            faults.append(f"condition {key}: for {' and '.join(wearers)}: give each its own id")
        faults += [
            f"wearer {w}: longer than 16 characters, or with spaces: use the CRN"
            for w in wearers
            if len(w) > 16 or any(c.isspace() for c in w)
        ]
        if key in keys and not _same(recorded[key], rules):
            faults.append(
                f"condition {key}: recorded already and says something else: change it on the "
                "wearer's page, or give the new one its own id"
            )
    return list(dict.fromkeys(faults))


def _same(recorded: Versions, rules: Versions) -> bool:
    ordered = sorted(rules, key=lambda rule: rule.from_at)
    return [_plain(rule) for rule in recorded] == [_plain(rule) for rule in ordered]


def _plain(rule: Rule) -> Rule:
    # Whom it protects is the desk's to know, and may have been added since.
    return replace(rule, version=1, victim=None) if rule.kind != "proximity" else rule
