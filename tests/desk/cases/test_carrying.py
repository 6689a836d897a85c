"""A victim carries a device, with her consent, from when until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import add_condition, add_victim, change_condition, end_condition
from ringfence.desk.cases.carrying import all_carryings, carrying_at, kept_away, open_carrying
from ringfence.desk.cases.carrying_actions import end_carrying, give_device
from ringfence.desk.cases.errors import CaseError, OverlapError
from ringfence.desk.cases.models import Carrying, Tag
from ringfence.desk.cases.queries import NEVER_MS
from ringfence.desk.cases.tag_actions import add_tag, end_fitting, fit_tag
from ringfence.desk.kit.clock import to_ms
from ringfence.engine.conditions import Condition, Kind
from ringfence.engine.fix import victim_number
from tests.desk.conftest import START_AT

DAY = timedelta(days=1)
NEAR = Condition("near", "X000001", Kind.PROXIMITY, START_AT, victim="V1", distance_m=500.0)


@pytest.fixture
def phone(eve) -> Tag:
    return add_tag(by=eve, name="P1")[0]


def give(by, tag, victim, from_at=START_AT, to_at=None) -> Carrying:
    return give_device(
        by=by, tag=tag, victim=victim, consent="form of 1 March", from_at=from_at, to_at=to_at
    )


def test_a_victim_carries_a_device_from_until(eve, phone, vera):
    carrying = give(eve, phone, vera)
    assert open_carrying(phone) == carrying == carrying_at(phone, START_AT)
    end_carrying(by=eve, carrying=carrying, to_at=START_AT + DAY, reason="consent withdrawn")
    (span,) = all_carryings()
    assert (span.tag_id, span.victim) == (phone.pk, "V1")
    assert (span.from_ms, span.to_ms) == (to_ms(START_AT), to_ms(START_AT + DAY))
    assert carrying_at(phone, START_AT - DAY) is None
    assert carrying_at(phone, START_AT + DAY) is None
    assert open_carrying(phone) is None


def test_consent_and_why_it_ended_are_in_the_audit_log_under_the_victim(eve, phone, vera):
    carrying = give(eve, phone, vera)
    end_carrying(by=eve, carrying=carrying, to_at=START_AT + DAY, reason="handed back")
    said = list(Entry.objects.filter(subject=f"victim:{vera.public_id}").order_by("id"))[1:]
    assert [(e.event, e.actor, e.reason) for e in said] == [
        ("tag.given", "eve", "form of 1 March"),
        ("carrying.ended", "eve", "handed back"),
    ]
    assert {e.detail["tag"] for e in said} == {phone.pk}


def test_without_consent_without_a_reason_or_backwards_is_refused(eve, phone, vera):
    with pytest.raises(CaseError, match="consent is empty"):
        give_device(by=eve, tag=phone, victim=vera, consent=" ", from_at=START_AT)
    with pytest.raises(CaseError, match="ends after it begins"):
        give(eve, phone, vera, to_at=START_AT)
    carrying = give(eve, phone, vera)
    with pytest.raises(CaseError, match="reason is empty"):
        end_carrying(by=eve, carrying=carrying, to_at=START_AT + DAY, reason="")
    with pytest.raises(CaseError, match="later than 01/03/2026"):
        end_carrying(by=eve, carrying=carrying, to_at=START_AT, reason="never began")
    end_carrying(by=eve, carrying=carrying, to_at=START_AT + DAY, reason="handed back")
    with pytest.raises(CaseError, match="ended already"):
        end_carrying(by=eve, carrying=carrying, to_at=START_AT + DAY, reason="again")
    assert Carrying.objects.count() == 1


def test_only_who_looks_after_tags_gives_them(ola, otto, eve, phone, vera):
    for person in (ola, otto):
        with pytest.raises(NotPermittedError, match="lacks manage_tags"):
            give(person, phone, vera)
    carrying = give(eve, phone, vera)
    with pytest.raises(NotPermittedError, match="lacks manage_tags"):
        end_carrying(by=ola, carrying=carrying, to_at=START_AT + DAY, reason="no")


def test_a_device_is_with_one_person_at_a_time(eve, ola, phone, vera, wes):
    fitting = fit_tag(by=eve, tag=phone, wearer=wes, from_at=START_AT)
    with pytest.raises(OverlapError, match=r"P1 is on a wearer: fitting .* end fitting"):
        give(eve, phone, vera, from_at=START_AT + DAY)
    end_fitting(by=eve, fitting=fitting, to_at=START_AT + DAY)
    with pytest.raises(OverlapError, match="P1 is on a wearer"):
        give(eve, phone, vera, from_at=START_AT + DAY / 2)
    give(eve, phone, vera, from_at=START_AT + DAY, to_at=START_AT + 3 * DAY)
    other = add_victim(by=ola, label="V2")
    with pytest.raises(OverlapError, match=r"P1 is with a victim already.* end carrying"):
        give(eve, phone, other, from_at=START_AT + 2 * DAY)
    with pytest.raises(OverlapError, match="P1 is with a victim: carrying"):
        fit_tag(by=eve, tag=phone, wearer=wes, from_at=START_AT + 2 * DAY)
    give(eve, phone, other, from_at=START_AT + 3 * DAY, to_at=START_AT + 4 * DAY)
    fit_tag(by=eve, tag=phone, wearer=wes, from_at=START_AT + 4 * DAY)


def test_a_victim_has_one_device_at_a_time(eve, phone, vera):
    """Two would be one track, which jumps between them."""
    second = add_tag(by=eve, name="P2")[0]
    give(eve, phone, vera, to_at=START_AT + DAY)
    with pytest.raises(OverlapError, match="V1 has a device already"):
        give(eve, second, vera, from_at=START_AT + DAY / 2)
    give(eve, second, vera, from_at=START_AT + DAY)


def test_who_is_kept_away_from_whom_and_until_when(ola, licence, wes, vera):
    assert kept_away() == {}
    condition = add_condition(by=ola, order=licence, rule=NEAR, victim=vera)
    assert kept_away() == {wes.pk: {"V1": NEVER_MS}}
    nearer = replace(NEAR, distance_m=300.0)
    at = START_AT + DAY
    change_condition(by=ola, condition=condition, rule=nearer, effective_at=at, reason="court")
    assert kept_away() == {wes.pk: {"V1": NEVER_MS}}
    end_condition(by=ola, condition=condition, ended_at=START_AT + 2 * DAY, reason="over")
    assert kept_away() == {wes.pk: {"V1": to_ms(START_AT + 2 * DAY)}}


def test_a_proximity_is_about_the_victim_recorded_with_it(ola, licence, vera):
    """Its label is read back from her row: without it no wearer at all could be judged."""
    with pytest.raises(CaseError, match="nearness to V1: give that victim"):
        add_condition(by=ola, order=licence, rule=NEAR)
    other = add_victim(by=ola, label="V2")
    with pytest.raises(CaseError, match="nearness to V1: give that victim"):
        add_condition(by=ola, order=licence, rule=NEAR, victim=other)
    condition = add_condition(by=ola, order=licence, rule=NEAR, victim=vera)
    with pytest.raises(CaseError, match="nearness to V2: give that victim"):
        change_condition(
            by=ola,
            condition=condition,
            rule=replace(NEAR, victim="V2"),
            effective_at=START_AT + DAY,
            reason="another",
        )


def test_two_labels_with_one_number_are_refused(ola):
    """The engine refuses a plan with both, and then nobody would be judged."""
    one, other = "V599430bd25", "Vf7633dd321"
    assert victim_number(one) == victim_number(other)
    add_victim(by=ola, label=one)
    with pytest.raises(CaseError, match=f"has the same number as {one}"):
        add_victim(by=ola, label=other)
