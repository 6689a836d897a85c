"""No change is silent: corrections lead from what was first told to what is told last."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ringfence.desk.cases.actions import change_condition
from ringfence.desk.cases.models import Condition as ConditionRow
from ringfence.desk.monitoring.correcting import FIGURES, INSTANTS, facts_of
from ringfence.desk.monitoring.detect import Detector, detect
from ringfence.desk.monitoring.models import Correction, Report, Violation
from tests.desk.monitoring.conftest import (
    INSIDE,
    OUTSIDE,
    VISIT,
    at,
    deliver,
    expected,
    stored,
    walk,
)
from tests.desk.monitoring.test_same_answer import arrivals, life, rules  # noqa: F401 -- a fixture

pytestmark = pytest.mark.django_db
FINAL = ("confirmed_at", "end_at")


def told() -> dict[int, dict[str, Any]]:
    return {row.pk: facts_of(row) for row in Violation.objects.all()}


def grows(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether one saying follows another as on-time reports make it: nothing is taken back."""
    return (
        all(
            old[name] == new[name]
            for name in ("begin_at", "how", "kind", "version", "first_fix_at")
        )
        and all(old[name] in (None, new[name]) for name in FINAL)
        and (old["state"], new["state"]) != ("confirmed", "possible")
        and old["withdrawn_at"] == new["withdrawn_at"]
        and (old["end_at"] is None or same(old, new))
    )


def same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(old[name] == new[name] for name in (*INSTANTS, *FIGURES))


@pytest.mark.parametrize("seed", range(8))
def test_any_arrival_ends_in_the_same_and_corrections_lead_there(seed, rules, tag, fitted):  # noqa: F811
    rng = random.Random(seed)
    sent = life(rng)
    detector, before, seen = Detector(), told(), 0
    for piece in arrivals(rng, sent):
        deliver(tag, piece)
        detector.detect()
        now = told()
        rows = list(Correction.objects.filter(pk__gt=seen).order_by("pk"))
        seen = rows[-1].pk if rows else seen
        for pk in before:
            own = [c for c in rows if c.violation_id == pk]
            if own:
                assert same(own[0].before, before[pk])
                assert same(own[-1].after, now[pk]) or grows(
                    own[-1].after | {"why": [], "doubts": []}, now[pk]
                )
                assert all(c.why for c in own)
            else:
                assert grows(before[pk], now[pk]), (before[pk], now[pk])
        before = now
    assert stored() == expected(sent)
    assert Correction.objects.exists()


def test_what_a_late_report_changes_of_a_possible_violation_is_on_record(zone, tag, fitted):
    early = [*walk(OUTSIDE, OUTSIDE), *walk(INSIDE, start=3)]
    deliver(tag, early)
    detect()
    possible = Violation.objects.filter(state="possible").first()
    assert possible is not None
    between = replace(VISIT[2], received_after_s=3600)
    deliver(tag, [between])
    detect()
    rows = Correction.objects.filter(violation=possible)
    assert rows.exists()
    late = Report.objects.latest("id")
    assert rows[0].cause["reports"] == [late.pk]
    assert rows[0].cause["received_ms"] == late.received_ms


def test_a_changed_rule_is_named_with_who_changed_it_and_when(zone, tag, fitted, ola):
    deliver(tag, VISIT)
    detect()
    far = {"type": "Point", "coordinates": [1.0, 50.0]}
    change_condition(
        by=ola,
        condition=ConditionRow.objects.get(),
        rule=replace(zone, geometry=far, radius_m=50.0, buffer_m=0.0),
        effective_at=at(-30),
        reason="the court moved the zone",
    )
    detect()
    gone = Correction.objects.filter(what="withdrawn").first()
    assert gone is not None
    assert gone.why == "a condition changed"
    assert (gone.cause["condition"], gone.cause["version"]) == ("c1", 2)
    assert gone.cause["recorded_by"] == "ola"
    assert datetime.fromisoformat(gone.cause["recorded_at"]).tzinfo is not None
    assert gone.before["withdrawn_at"] is None
    assert gone.after["withdrawn_at"]
