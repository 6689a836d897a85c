"""A made-up world and made-up staff in the data folder: for the demo and for trying things out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from django.conf import settings

from ringfence.desk.accounts.actions import add_user, set_password
from ringfence.desk.accounts.models import User
from ringfence.desk.cases.actions import (
    add_order,
    add_victim,
    add_wearer,
    change_condition,
)
from ringfence.desk.cases.loading import add_versions
from ringfence.desk.cases.models import Condition, Order, Victim, Wearer
from ringfence.desk.cases.queries import engine_conditions, tag_by_name, tag_of
from ringfence.desk.cases.tag_actions import add_tag, fit_tag, rotate_tag_token
from ringfence.desk.config.errors import CantStartError
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import EPOCH, now
from ringfence.engine.conditions import Condition as Rule
from ringfence.sim.people import Tag
from ringfence.sim.world import World
from ringfence.trail.conditions_file import read_features

SYSTEM = "system:demo"
STAFF = (
    ("otto", "operator", "otto-watches-the-queue"),
    ("ola", "officer", "ola-supervises-wes"),
    ("eve", "equipment", "eve-fits-the-tags"),
    ("ada", "auditor", "ada-reads-the-log"),
)
"""Made-up people with passwords that everybody knows: `ringfence demo` alone makes them."""


@action
def load_world(world: World, by: str = SYSTEM) -> dict[str, str]:
    """Record a made-up world; what is recorded already is brought up to date.

    Args:
        world: from `sim.world.build_world`.
        by: the actor in the audit log.

    Returns:
        The token of each tag, by the tag's name. Tags that were known get a new one.

    Raises:
        CantStartError: somebody who is not made up has the number of somebody who is.
    """
    _refuse_real_people(world)
    for victim in world.victims:
        if not Victim.objects.filter(label=victim.id).exists():
            add_victim(by=by, label=victim.id, name=victim.name)
    for person in world.people:
        if not Wearer.objects.filter(crn=person.id).exists():
            add_wearer(
                by=by,
                crn=person.id,
                name=person.name,
                risk=person.risk,
                relationship=person.relationship,
            )
    _load_orders(world, by)
    _load_rules(read_features(world.conditions), by)
    tokens = {tag.id: _load_tag(tag, by) for tag in world.tags}
    path = settings.DATA / "streets.geojson"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(world.streets, separators=(",", ":")))
    part.replace(path)
    return tokens


@action
def load_staff(by: str = SYSTEM) -> None:
    """Let the demo's made-up staff sign in."""
    for username, role, password in STAFF:
        user = User.objects.filter(username=username).first()
        if user is None:
            add_user(by=by, username=username, role=role, password=password)
        elif not user.check_password(password):
            set_password(by=by, user=user, password=password)


def _refuse_real_people(world: World) -> None:
    names = {person.id: person.name for person in world.people}
    for crn, name in Wearer.objects.filter(crn__in=names).values_list("crn", "name"):
        if name != names[crn]:
            raise CantStartError(
                f"{crn} in this data folder is not the made-up wearer of that number: "
                "give the simulator a folder of its own with --data"
            )


def _load_orders(world: World, by: str) -> None:
    wearers = {wearer.crn: wearer for wearer in Wearer.objects.all()}
    known = set(Order.objects.values_list("reference", flat=True))
    for order in world.orders:
        if order.id not in known:
            add_order(
                by=by,
                wearer=wearers[order.wearer],
                reference=order.id,
                type=order.type,
                from_at=order.from_at,
                to_at=order.to_at,
            )


def _load_rules(rules: list[Rule], by: str) -> None:
    orders = {order.reference: order for order in Order.objects.select_related("wearer")}
    known = {c.key: c for c in Condition.objects.select_related("order__wearer", "victim")}
    latest = {rule.id: rule for rule in engine_conditions()}
    for rule in rules:
        condition = known.get(rule.id)
        if condition is None:
            add_versions([rule], by=by, order=orders[rule.extra["order"]])
        elif not _still_says(latest.get(rule.id), rule):
            held_from = condition.versions.latest("version").effective_at
            change_condition(
                by=by,
                condition=condition,
                rule=rule,
                effective_at=max(now(), held_from + timedelta(seconds=1)),
                reason="the demo began anew",
            )


def _still_says(recorded: Rule | None, rule: Rule) -> bool:
    """Whether a rule holds as recorded; a later demo's orders begin later, which changes nothing.

    A rule that is yet to begin is the script's: it must begin when the script says.
    """
    if recorded is None or rule.from_at > now():
        return False
    return _timeless(recorded) == _timeless(rule)


def _timeless(rule: Rule) -> Rule:
    return replace(rule, from_at=EPOCH, to_at=None, version=1, victim=None)


def _load_tag(made: Tag, by: str) -> str:
    tag = tag_by_name(made.id)
    if tag is None:
        tag, token = add_tag(by=by, name=made.id)
    else:
        token = rotate_tag_token(by=by, tag=tag)
    wearer = Wearer.objects.get(crn=made.wearer)
    if tag_of(wearer, now()) is None:
        fit_tag(by=by, tag=tag, wearer=wearer, from_at=made.fitted_at)
    return token
