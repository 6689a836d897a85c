"""How a wearer stands to each condition now, and why: what a live page shows."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ringfence.engine import memory
from ringfence.engine.belief import probability
from ringfence.engine.events import Standing, at_of
from ringfence.engine.explain import said_time
from ringfence.engine.fix import Source
from ringfence.engine.plan import NEAR, NEAR_RING, RING, RULE_ROW, Plan
from ringfence.engine.states import State as Stand
from ringfence.engine.words import DEVICE_RULES
from ringfence.geo.distance import signed_distance_m
from ringfence.geo.metric import geodesic_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.engine.state import State


_Me = namedtuple("_Me", memory.WEARER_ROW.names or ())  # type: ignore[misc]
_Slot = namedtuple("_Slot", memory.SLOT_ROW.names or ())  # type: ignore[misc]
_Rule = namedtuple("_Rule", RULE_ROW.names or ())  # type: ignore[misc]


class _Facts(NamedTuple):
    """A wearer and a rule, their rows as Python's own numbers."""

    rule: Any
    me: Any
    slot: Any


def standings(plan: Plan, state: State, wearer: str) -> list[Standing]:
    """How one wearer stands to each zoned condition, at the wearer's clock.

    Rings round zones have no standing of their own.

    Args:
        plan: that `state` belongs to.
        state: advanced as far as it is asked for, by `evaluate`.
        wearer: one of the plan's; anyone else stands to nothing.
    """
    return standings_each(plan, state, [wearer])[0]


def standings_each(plan: Plan, state: State, wearers: Sequence[str]) -> list[list[Standing]]:
    """The same of many wearers, in their order: their rows are taken apart once."""
    rules, me = memory.plain(plan.rules.rows), memory.plain(state.wearers)
    slots = memory.plain(state.slots)
    found: list[list[Standing]] = []
    for wearer in wearers:
        index = plan.index_of(wearer)
        mine = plan.slots_of(index) if index >= 0 else range(0)
        row = _Me._make(me[index].item()) if index >= 0 else None
        numbered: list[tuple[int, Any]] = [
            (number, _Rule._make(rules[number].item()))
            for number in mine[: max(0, len(mine) - DEVICE_RULES)]
        ]
        found.append(
            [
                _standing(plan, state, _Facts(rule, row, _Slot._make(slots[number].item())))
                for number, rule in numbered
                if rule.role not in (RING, NEAR_RING)
            ]
        )
    return found


def _standing(plan: Plan, state: State, facts: _Facts) -> Standing:
    rule, me, slot = facts.rule, facts.me, facts.slot
    condition = plan.conditions[int(rule.condition)]
    stand = Stand(int(slot.state))
    located = int(me.fix_ms) != memory.NEVER
    distance_m = _distance_m(plan, state, rule, me) if located else None
    known = located and slot.seen and stand not in (Stand.NO_DATA, Stand.ASLEEP)
    return Standing(
        wearer=condition.wearer,
        condition=condition.id,
        version=condition.version,
        state=stand.label,
        probability=round(probability(float(slot.log_odds)), 4) if known else None,
        distance_m=None if distance_m is None else round(distance_m, 1),
        since_at=at_of(slot.begin_ms) if slot.open else None,
        why=_why(plan, state, facts, distance_m),
    )


def _why(plan: Plan, state: State, facts: _Facts, distance_m: float | None) -> str:
    rule, me, slot = facts.rule, facts.me, facts.slot
    if distance_m is None:
        whose = " of one of the two devices" if rule.role == NEAR else ""
        return f"No position{whose} was ever received, so nothing is known."
    if rule.role == NEAR:
        her_ms = state.pairs[int(rule.pair)].fix_ms
        seen = f"{_seen_apart(rule, distance_m)} {said_time(me.fix_ms)} and {said_time(her_ms)}"
        verdict = _verdict(plan, me, slot).replace("where the wearer is", "where the two are")
        return f"{seen}: {verdict}."
    return f"{_seen(me, distance_m)}: {_verdict(plan, me, slot)}."


def _distance_m(plan: Plan, state: State, rule: Any, me: Any) -> float | None:
    """Signed metres to the edge, positive inside; of a pair, how much nearer than ordered.

    Beyond twice the ordered distance a pair's is not told: who knows where he was himself, and how
    far she was from there, again and again, knows where she is.
    """
    if rule.role == NEAR:
        her = state.pairs[int(rule.pair)]
        if int(her.fix_ms) == memory.NEVER:
            return None
        nearer_m = rule.buffer_m - geodesic_m(me.lon, me.lat, her.lon, her.lat)
        return float(max(nearer_m, -rule.buffer_m))
    lon, lat = float(me.lon), float(me.lat)
    return float(signed_distance_m(plan.rules.edges, int(rule.zone), lon, lat, np.inf))


def _seen(me: Any, distance_m: float) -> str:
    """Where the last fix lay, how sure it is, and when: an age would be wrong a minute later."""
    side = "inside" if distance_m >= 0 else "outside"
    source = Source(int(me.source))
    by = "" if source is Source.UNKNOWN else f", {_NAMES[source]}"
    return (
        f"Last fix {abs(distance_m):,.0f} m {side} the edge, circle "
        f"{float(me.radius_m):,.0f} m{by}, at {said_time(me.fix_ms)}"
    )


def _seen_apart(rule: Any, distance_m: float) -> str:
    """How far apart the two devices were; never where the other one was."""
    apart_m, ordered_m = float(rule.buffer_m) - distance_m, float(rule.buffer_m)
    least = "at least " if apart_m >= 2 * ordered_m else ""
    return (
        f"The two devices were {least}{apart_m:,.0f} m apart (the ordered distance is "
        f"{ordered_m:,.0f} m) by their last fixes, the wearer’s and the other’s, at"
    )


_NAMES = {
    Source.GNSS: "satellite",
    Source.WIFI: "Wi-Fi",
    Source.CELL: "cell",
    Source.RF: "home beacon",
}


def _verdict(plan: Plan, me: Any, slot: Any) -> str:
    """What it decides."""
    chance = f"{100 * probability(float(slot.log_odds)):.1f} %"
    need = f"{100 * plan.profile.confirm_above:g} %"
    match Stand(int(slot.state)):
        case Stand.ASLEEP:
            words = "the condition is not in force"
        case Stand.NO_DATA:
            words = "too old, or too vague, to tell where the wearer is now"
        case Stand.CONFIRMED:
            words = f"confirmed at {said_time(slot.confirmed_ms)}, now {chance} probable"
        case Stand.POSSIBLE if int(slot.with_it) < plan.profile.agreeing:
            alone = "one fix alone never confirms"
            if int(me.source) == Source.CELL:
                alone = "cell fixes alone never confirm"
            elif int(slot.with_it) > 1:
                alone = "too few fixes in a row bear it out"
            words = f"possible ({chance}), but {alone}"
        case Stand.POSSIBLE:
            words = f"possible ({chance}); {need} confirms"
        case _:
            words = f"a violation is {chance} probable; {need} confirms"
            if int(me.source) == Source.CELL:
                words += ", and cell fixes alone never do"
    return words
