from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit import actions as audit
from ringfence.desk.audit.models import Entry
from ringfence.desk.audit.queries import verify
from ringfence.desk.cases.actions import (
    add_condition,
    add_order,
    add_wearer,
    change_condition,
    end_condition,
)
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Condition, ConditionVersion, Wearer
from ringfence.desk.cases.queries import (
    engine_conditions,
    latest_version_id,
    rule_changes_since,
)
from ringfence.desk.kit.acting import NotAnActionError
from ringfence.engine.conditions import Absence, Weekly

HOUR = timedelta(hours=1)


def test_a_condition_comes_back_to_the_engine_as_it_was_given(ola, licence, square, vera):
    rule = replace(
        square,
        victim="V1",
        when=(Weekly(("mon", "tue"), time(19), time(7)),),
        absences=(Absence(square.from_at, square.from_at + HOUR, "court"),),
        to_at=square.from_at + timedelta(days=180),
    )
    add_condition(by=ola, order=licence, rule=rule, victim=vera)
    assert engine_conditions() == [rule]
    assert engine_conditions([licence.wearer_id]) == [rule]
    assert engine_conditions([licence.wearer_id + 1]) == []


def test_versions_follow_each_other_without_gap_or_overlap(ola, licence, square):
    condition = add_condition(by=ola, order=licence, rule=square)
    wider = replace(square, buffer_m=300.0)
    changed_at = square.from_at + 5 * HOUR
    change_condition(
        by=ola, condition=condition, rule=wider, effective_at=changed_at, reason="she moved"
    )
    first, second = engine_conditions()
    assert (first.version, first.from_at, first.to_at) == (1, square.from_at, changed_at)
    assert (second.version, second.from_at, second.to_at) == (2, changed_at, None)
    assert (first.buffer_m, second.buffer_m) == (100.0, 300.0)


def test_an_ended_condition_stays_in_force_until_its_end(ola, licence, square):
    condition = add_condition(by=ola, order=licence, rule=square)
    end_condition(
        by=ola, condition=condition, ended_at=square.from_at + HOUR, reason="order revoked"
    )
    (rule,) = engine_conditions()
    assert rule.to_at == square.from_at + HOUR


def test_a_condition_that_never_held_is_not_judged(ola, licence, square):
    condition = add_condition(by=ola, order=licence, rule=square)
    end_condition(
        by=ola, condition=condition, ended_at=square.from_at + HOUR, reason="entered in error"
    )
    with pytest.raises(CaseError, match="effective_at is not later than version 2"):
        change_condition(
            by=ola, condition=condition, rule=square, effective_at=square.from_at, reason="x"
        )


def test_the_monitor_learns_what_changed_and_from_when(ola, licence, square):
    before = latest_version_id()
    condition = add_condition(by=ola, order=licence, rule=square)
    (added,) = rule_changes_since(before)
    assert (added.wearer_id, added.effective_at) == (licence.wearer_id, square.from_at)
    ended_at = square.from_at + HOUR
    end_condition(by=ola, condition=condition, ended_at=ended_at, reason="over")
    (ended,) = rule_changes_since(added.version_id)
    assert ended.effective_at == ended_at
    assert latest_version_id() == ended.version_id


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"wearer": "X999999"}, "is for X999999"),
        ({"id": "with space"}, "condition id must be"),
        ({"id": "c" * 65}, "condition id must be"),
    ],
)
def test_a_condition_that_does_not_fit_is_refused(ola, licence, square, said, why):
    with pytest.raises(CaseError, match=why):
        add_condition(by=ola, order=licence, rule=replace(square, **said))


def test_changing_needs_a_reason_and_keeps_the_kind(ola, licence, square):
    condition = add_condition(by=ola, order=licence, rule=square)
    later = square.from_at + HOUR
    with pytest.raises(CaseError, match="reason is empty"):
        change_condition(by=ola, condition=condition, rule=square, effective_at=later, reason=" ")
    with pytest.raises(CaseError, match="keeps its id, wearer and kind"):
        change_condition(
            by=ola,
            condition=condition,
            rule=replace(square, id="c2"),
            effective_at=later,
            reason="x",
        )
    with pytest.raises(CaseError, match="reason is empty"):
        end_condition(by=ola, condition=condition, ended_at=later, reason="")


def test_two_conditions_never_share_an_id(ola, licence, square):
    add_condition(by=ola, order=licence, rule=square)
    with pytest.raises(CaseError, match="c1 is recorded already"):
        add_condition(by=ola, order=licence, rule=square)


def test_the_equipment_team_writes_no_conditions(eve, licence, square):
    with pytest.raises(NotPermittedError, match="equipment lacks edit_conditions"):
        add_condition(by=eve, order=licence, rule=square)
    assert not Condition.objects.exists()


def test_oz_records_nobody(oz):
    with pytest.raises(NotPermittedError, match="none lacks"):
        add_wearer(by=oz, crn="X000009")


def test_an_actor_is_a_person_or_the_machine(db):
    with pytest.raises(ValueError, match="system:"):
        add_wearer(by="ola", crn="X000009")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"crn": ""}, "crn must be"),
        ({"crn": "X" * 17}, "crn must be"),
        ({"crn": "X000001"}, "recorded already"),
        ({"risk": "extreme"}, "risk must be one of low, medium"),
        ({"relationship": "boss"}, "relationship must be one of stranger"),
    ],
)
def test_a_wearer_that_can_t_be_is_refused(ola, wes, said, why):
    with pytest.raises(CaseError, match=why):
        add_wearer(by=ola, **{"crn": "X000002", **said})


def test_an_order_ends_after_it_begins(ola, wes):
    at = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    with pytest.raises(CaseError, match="to_at is not later"):
        add_order(by=ola, wearer=wes, reference="L", type="licence", from_at=at, to_at=at)


def test_every_write_is_audited_without_a_name(ola, licence, square):
    condition = add_condition(by=ola, order=licence, rule=square)
    end_condition(by=ola, condition=condition, ended_at=square.from_at + HOUR, reason="over")
    events = list(Entry.objects.order_by("id").values_list("event", "actor"))
    assert events == [
        ("wearer.added", "ola"),
        ("order.added", "ola"),
        ("condition.added", "ola"),
        ("condition.ended", "ola"),
    ]
    assert "Weller" not in repr(list(Entry.objects.values()))
    assert verify() == []


def test_when_the_audit_insert_breaks_nothing_happened(ola, licence, square, monkeypatch):
    def broken(_entry: object) -> str:
        raise OSError("the disk is gone")

    monkeypatch.setattr(audit, "hash_of", broken)
    with pytest.raises(OSError, match="gone"):
        add_condition(by=ola, order=licence, rule=square)
    assert not Condition.objects.exists()
    assert not ConditionVersion.objects.exists()


def test_rows_are_written_by_actions_alone(wes):
    wes.risk = "low"
    with pytest.raises(NotAnActionError, match="Wearer is written by actions only"):
        wes.save()
    with pytest.raises(NotAnActionError):
        Wearer.objects.update(risk="low")
    with pytest.raises(NotAnActionError):
        Wearer.objects.all().delete()
    with pytest.raises(NotAnActionError):
        wes.delete()
    with pytest.raises(NotAnActionError):
        Wearer.objects.bulk_create([Wearer(crn="X2")])
    with pytest.raises(NotAnActionError):
        Wearer.objects.bulk_update([wes], ["risk"])
