"""Everything that may be written about people, orders and conditions."""

from __future__ import annotations

from datetime import datetime

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import Actor, permitted
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import (
    Condition,
    ConditionVersion,
    Order,
    OrderType,
    Relationship,
    Risk,
    Victim,
    Wearer,
)
from ringfence.desk.cases.versions import columns_of
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import now
from ringfence.engine.conditions import Condition as Rule
from ringfence.engine.conditions import Kind
from ringfence.engine.fix import victim_number

EDIT = Permission.EDIT_CONDITIONS


@action
def add_wearer(
    *,
    by: Actor,
    crn: str,
    name: str = "",
    risk: str = Risk.MEDIUM,
    relationship: str = "",
    officer: User | None = None,
) -> Wearer:
    """Record a person who is to be tagged.

    Raises:
        CaseError: the CRN is empty, too long or taken; an unknown risk or relationship.
    """
    actor = permitted(by, EDIT)
    _check_id("crn", crn, 16)
    _check_choice("risk", risk, Risk.values)
    _check_choice("relationship", relationship, ["", *Relationship.values])
    if Wearer.objects.filter(crn=crn).exists():
        raise CaseError(f"crn {crn} is recorded already: use that wearer")
    wearer = Wearer(
        crn=crn,
        name=name,
        risk=risk,
        relationship=relationship,
        officer=officer,
        created_at=now(),
    )
    wearer.save()
    record(by=actor, event=Event.WEARER_ADDED, subject=f"wearer:{wearer.public_id}")
    return wearer


@action
def add_victim(*, by: Actor, label: str, name: str = "") -> Victim:
    """Record a person to be protected; others' pages show `label` only.

    Raises:
        CaseError: the label is empty, too long, taken, or one with another's number.
    """
    actor = permitted(by, EDIT)
    _check_id("label", label, 16)
    labels = {
        victim_number(other): other for other in Victim.objects.values_list("label", flat=True)
    }
    other = labels.get(victim_number(label))
    if other is not None:
        # The engine knows a victim by her label's number: two with one would stop all judging.
        clash = "is taken" if other == label else f"has the same number as {other}"
        raise CaseError(f"label {label} {clash}: choose another")
    victim = Victim(label=label, name=name, created_at=now())
    victim.save()
    record(by=actor, event=Event.VICTIM_ADDED, subject=f"victim:{victim.public_id}")
    return victim


@action
def add_order(
    *,
    by: Actor,
    wearer: Wearer,
    reference: str,
    type: str,  # noqa: A002 -- the field's word
    from_at: datetime,
    to_at: datetime | None = None,
) -> Order:
    """Record what a wearer's conditions hang on.

    Raises:
        CaseError: the reference is empty or taken; an unknown type; it ends before it begins.
    """
    actor = permitted(by, EDIT)
    _check_id("reference", reference, 32)
    _check_choice("type", type, OrderType.values)
    if to_at is not None and to_at <= from_at:
        raise CaseError("to_at is not later than from_at: give the order a later end, or none")
    if Order.objects.filter(reference=reference).exists():
        raise CaseError(f"reference {reference} is taken: use that order")
    order = Order(reference=reference, wearer=wearer, type=type, from_at=from_at, to_at=to_at)
    order.save()
    record(
        by=actor,
        event=Event.ORDER_ADDED,
        subject=f"wearer:{wearer.public_id}",
        detail={"order": order.pk, "type": type},
    )
    return order


@action
def add_condition(
    *, by: Actor, order: Order, rule: Rule, title: str = "", victim: Victim | None = None
) -> Condition:
    """Record an enforceable rule of `order`, with its first version.

    Args:
        by: who.
        order: what it hangs on.
        rule: what it says, valid by birth; `rule.id` becomes the condition's key.
        title: for people; never an address of a victim.
        victim: whom it protects.

    Raises:
        CaseError: the rule is another wearer's or about another victim, or its id is taken.
    """
    actor = permitted(by, EDIT)
    _check_id("condition id", rule.id, 64)
    _check_victim(rule, victim)
    if rule.wearer != order.wearer.crn:
        raise CaseError(f"condition {rule.id} is for {rule.wearer}, the order for another wearer")
    if Condition.objects.filter(key=rule.id).exists():
        raise CaseError(f"condition {rule.id} is recorded already: change it, or choose another id")
    condition = Condition(
        key=rule.id,
        order=order,
        kind=str(rule.kind),
        title=title,
        victim=victim,
        created_at=now(),
    )
    condition.save()
    version = _add_version(actor, condition, rule, rule.from_at)
    _record_version(actor, Event.CONDITION_ADDED, version)
    return condition


@action
def change_condition(
    *, by: Actor, condition: Condition, rule: Rule, effective_at: datetime, reason: str
) -> ConditionVersion:
    """Let `condition` say something else from `effective_at` on. What it said before stays.

    Raises:
        CaseError: another id, wearer, kind or victim; not later than the version before; no reason.
    """
    actor = permitted(by, EDIT)
    if not reason.strip():
        raise CaseError("reason is empty: say why the condition changes")
    said = (rule.id, rule.wearer, str(rule.kind))
    if said != (condition.key, condition.order.wearer.crn, condition.kind):
        raise CaseError(
            f"condition {condition.key} keeps its id, wearer and kind: end it and add another"
        )
    _check_victim(rule, condition.victim)
    version = _add_version(actor, condition, rule, effective_at)
    _record_version(actor, Event.CONDITION_CHANGED, version, reason)
    return version


@action
def end_condition(
    *, by: Actor, condition: Condition, ended_at: datetime, reason: str
) -> ConditionVersion:
    """End `condition` at `ended_at`, by a last version that is in force no longer.

    Raises:
        CaseError: it ends before its latest version began; no reason.
    """
    actor = permitted(by, EDIT)
    if not reason.strip():
        raise CaseError("reason is empty: say why the condition ends")
    latest = _latest(condition)
    columns = {f: getattr(latest, f) for f in _COLUMNS} if latest else {}
    version = _save_version(actor, condition, {**columns, "to_at": ended_at}, ended_at)
    _record_version(actor, Event.CONDITION_ENDED, version, reason)
    return version


_COLUMNS = (
    "from_at", "to_at", "geometry", "radius_m", "width_m", "buffer_m", "when", "absences",
    "timezone", "distance_m", "except_places",
)  # fmt: skip


def _add_version(
    actor: str, condition: Condition, rule: Rule, effective_at: datetime
) -> ConditionVersion:
    return _save_version(actor, condition, columns_of(rule), effective_at)


def _save_version(
    actor: str, condition: Condition, columns: dict[str, object], effective_at: datetime
) -> ConditionVersion:
    latest = _latest(condition)
    if latest is not None and effective_at <= latest.effective_at:
        raise CaseError(
            f"effective_at is not later than version {latest.version} of {condition.key}, "
            f"which holds from {latest.effective_at:%d/%m/%Y %H:%M} UTC: choose a later instant"
        )
    version = ConditionVersion(
        condition=condition,
        version=latest.version + 1 if latest else 1,
        effective_at=effective_at,
        recorded_at=now(),
        recorded_by=actor,
        **columns,
    )
    version.save()
    return version


def _latest(condition: Condition) -> ConditionVersion | None:
    return condition.versions.order_by("-version").first()


def _record_version(actor: str, event: Event, version: ConditionVersion, reason: str = "") -> None:
    wearer = version.condition.order.wearer
    record(
        by=actor,
        event=event,
        subject=f"wearer:{wearer.public_id}",
        reason=reason,
        detail={"condition": version.condition.key, "version": version.version},
    )


def _check_id(field: str, text: str, longest: int) -> None:
    if not text or len(text) > longest or any(c.isspace() for c in text):
        raise CaseError(f"{field} must be 1 to {longest} characters without spaces")


def _check_choice(field: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise CaseError(f"{field} must be one of {', '.join(k for k in known if k)}")


def _check_victim(rule: Rule, victim: Victim | None) -> None:
    """What a proximity says of its victim is read back from her row: the two must be one."""
    if rule.kind is Kind.PROXIMITY and (victim is None or victim.label != rule.victim):
        raise CaseError(
            f"condition {rule.id} is about nearness to {rule.victim}: give that victim with it"
        )
