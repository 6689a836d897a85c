from __future__ import annotations

from datetime import timedelta

import pytest

from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import add_wearer
from ringfence.desk.cases.errors import CaseError, OverlapError
from ringfence.desk.cases.models import Fitting, Tag
from ringfence.desk.cases.queries import (
    NEVER_MS,
    all_fittings,
    fittings_between,
    tag_by_token_hash,
    tag_of,
    wearer_of,
)
from ringfence.desk.cases.tag_actions import (
    add_tag,
    end_fitting,
    fit_tag,
    revoke_tag,
    rotate_tag_token,
)
from ringfence.desk.cases.tokens import token_hash
from ringfence.desk.kit.clock import to_ms
from tests.desk.conftest import START_AT

DAY = timedelta(days=1)


@pytest.fixture
def tag(eve) -> Tag:
    return add_tag(by=eve, name="T1")[0]


def test_a_token_is_shown_once_and_kept_as_a_hash(eve):
    tag, token = add_tag(by=eve, name="T1")
    assert len(token) == 43
    assert token not in repr(list(Tag.objects.values()))
    assert token not in repr(list(Entry.objects.values()))
    assert tag_by_token_hash(token_hash(token)) == tag
    assert tag_by_token_hash(token_hash("guess")) is None


def test_a_rotated_token_replaces_the_old(eve):
    tag, old = add_tag(by=eve, name="T1")
    new = rotate_tag_token(by=eve, tag=tag)
    assert tag_by_token_hash(token_hash(old)) is None
    assert tag_by_token_hash(token_hash(new)) == tag


def test_a_revoked_tag_is_not_known_until_rotated(eve):
    tag, token = add_tag(by=eve, name="T1")
    revoke_tag(by=eve, tag=tag, reason="stolen")
    assert tag_by_token_hash(token_hash(token)) is None
    with pytest.raises(CaseError, match="revoked already"):
        revoke_tag(by=eve, tag=tag, reason="stolen")
    assert tag_by_token_hash(token_hash(rotate_tag_token(by=eve, tag=tag))) == tag


def test_ola_supervises_but_handles_no_tags(ola):
    with pytest.raises(NotPermittedError, match="officer lacks manage_tags"):
        add_tag(by=ola, name="T1")


@pytest.mark.parametrize("name", ["", "T" * 65, "a tag"])
def test_a_tag_s_name_is_one_short_word(eve, name):
    with pytest.raises(CaseError, match="tag's name"):
        add_tag(by=eve, name=name)


def test_compliance_hangs_on_the_fitting_not_on_the_tag(eve, ola, tag, wes):
    other = add_wearer(by=ola, crn="X000002")
    first = fit_tag(by=eve, tag=tag, wearer=wes, from_at=START_AT)
    end_fitting(by=eve, fitting=first, to_at=START_AT + 2 * DAY, reason="order over")
    fit_tag(by=eve, tag=tag, wearer=other, from_at=START_AT + 2 * DAY)
    assert wearer_of(tag, START_AT - DAY) is None
    assert wearer_of(tag, START_AT) == wes
    assert wearer_of(tag, START_AT + 2 * DAY) == other
    assert tag_of(wes, START_AT + DAY) == tag
    assert tag_of(wes, START_AT + 3 * DAY) is None
    spans = all_fittings()
    assert [(s.wearer_id, s.to_ms) for s in spans] == [
        (wes.pk, to_ms(START_AT + 2 * DAY)),
        (other.pk, NEVER_MS),
    ]
    assert fittings_between(START_AT, START_AT + DAY) == spans[:1]
    assert fittings_between(START_AT, START_AT + 9 * DAY, tags=[tag.pk + 1]) == []
    assert all_fittings(wearers=[other.pk]) == spans[1:]


@pytest.mark.parametrize(
    ("from_days", "to_days", "overlaps"),
    [
        (-2, 0, False),
        (-2, 1, True),
        (-2, None, True),
        (1, 2, True),
        (0, 5, True),
        (4, 9, True),
        (5, 9, False),
        (5, None, False),
    ],
)
@pytest.mark.parametrize("shared", ["tag", "wearer"])
def test_no_tag_on_two_people_and_no_person_with_two(
    eve, ola, wes, from_days, to_days, overlaps, shared
):
    tag, other_tag = add_tag(by=eve, name="T1")[0], add_tag(by=eve, name="T2")[0]
    other = add_wearer(by=ola, crn="X000002")
    fit_tag(by=eve, tag=tag, wearer=wes, from_at=START_AT, to_at=START_AT + 5 * DAY)
    who = {"tag": tag, "wearer": other} if shared == "tag" else {"tag": other_tag, "wearer": wes}
    to_at = None if to_days is None else START_AT + to_days * DAY
    if not overlaps:
        fit_tag(by=eve, from_at=START_AT + from_days * DAY, to_at=to_at, **who)
        return
    with pytest.raises(OverlapError) as refusal:
        fit_tag(by=eve, from_at=START_AT + from_days * DAY, to_at=to_at, **who)
    text = str(refusal.value)
    assert "tag T1 on X000001" in text
    assert f"tag {who['tag'].name} on {who['wearer'].crn}" in text
    assert "end fitting" in text
    assert Fitting.objects.count() == 1


def test_a_fitting_ends_once_and_after_it_began(eve, tag, wes):
    fitting = fit_tag(by=eve, tag=tag, wearer=wes, from_at=START_AT)
    with pytest.raises(CaseError, match="later than 01/03/2026 00:00"):
        end_fitting(by=eve, fitting=fitting, to_at=START_AT)
    end_fitting(by=eve, fitting=fitting, to_at=START_AT + DAY)
    with pytest.raises(CaseError, match="ended already"):
        end_fitting(by=eve, fitting=fitting, to_at=START_AT + DAY)
    with pytest.raises(CaseError, match="ends after it begins"):
        fit_tag(by=eve, tag=tag, wearer=wes, from_at=START_AT + DAY, to_at=START_AT)
