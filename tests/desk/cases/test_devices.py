from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.device_actions import add_device, fits_check_digit, remove_device
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Tag, TagDevice
from ringfence.desk.cases.queries import tag_by_token_hash
from ringfence.desk.cases.tag_actions import add_tag, revoke_tag, rotate_tag_token
from ringfence.desk.cases.tokens import token_hash

HOUR = timedelta(hours=1)


def made(eve, name: str = "T1") -> tuple[Tag, str]:
    return add_tag(by=eve, name=name)


def test_a_device_is_one_tags(eve):
    one, other = made(eve)[0], made(eve, "T2")[0]
    add_device(by=eve, tag=one, device_id="350000000000014")
    with pytest.raises(CaseError, match="registered for tag T1"):
        add_device(by=eve, tag=other, device_id="350000000000014")
    with pytest.raises(CaseError, match="registered for tag T1"):
        add_device(by=eve, tag=other, device_id="350000000000014", protocol="queclink")
    remove_device(by=eve, tag=one, device_id="350000000000014")
    add_device(by=eve, tag=other, device_id="350000000000014")


def test_only_who_manages_tags_may(ola, eve):
    tag = made(eve)[0]
    with pytest.raises(NotPermittedError):
        add_device(by=ola, tag=tag, device_id="1")
    add_device(by=eve, tag=tag, device_id="1")
    with pytest.raises(NotPermittedError):
        remove_device(by=ola, tag=tag, device_id="1")
    assert TagDevice.objects.count() == 1


def test_the_audit_log_holds_no_imei(eve):
    tag = made(eve)[0]
    add_device(by=eve, tag=tag, device_id="350000000000014")
    remove_device(by=eve, tag=tag, device_id="350000000000014")
    assert [e.event for e in Entry.objects.order_by("id")][-2:] == [
        "tag.device_added",
        "tag.device_removed",
    ]
    assert "350000000000014" not in repr(list(Entry.objects.values()))


@pytest.mark.parametrize(
    ("imei", "fits"),
    [("490154203237518", True), ("490154203237517", False), ("350000000000006", True)],
)
def test_the_check_digit_is_luhns(imei: str, fits: bool):
    assert fits_check_digit(imei) == fits


def test_every_change_to_a_tag_has_the_next_revision(eve):
    one, other = made(eve)[0], made(eve, "T2")[0]
    assert one.revision < other.revision
    add_device(by=eve, tag=one, device_id="1")
    assert Tag.objects.get(pk=one.pk).revision > other.revision
    before = Tag.objects.get(pk=one.pk).revision
    rotate_tag_token(by=eve, tag=other)
    assert Tag.objects.get(pk=other.pk).revision > before


def test_an_old_token_works_until_its_overlap_is_over(eve, time_machine):
    time_machine.move_to(datetime.now(UTC))
    tag, old = made(eve)
    new = rotate_tag_token(by=eve, tag=tag, overlap=HOUR)
    assert tag_by_token_hash(token_hash(old)) == tag_by_token_hash(token_hash(new)) == tag
    time_machine.shift(HOUR)
    assert tag_by_token_hash(token_hash(old)) is None
    assert tag_by_token_hash(token_hash(new)) == tag


def test_a_second_rotation_ends_the_overlap_of_the_first(eve):
    tag, first = made(eve)
    second = rotate_tag_token(by=eve, tag=tag, overlap=HOUR)
    rotate_tag_token(by=eve, tag=tag, overlap=HOUR)
    assert tag_by_token_hash(token_hash(first)) is None
    assert tag_by_token_hash(token_hash(second)) == tag


def test_revoking_ends_both_tokens_at_once_and_for_ever(eve):
    tag, old = made(eve)
    new = rotate_tag_token(by=eve, tag=tag, overlap=HOUR)
    revoke_tag(by=eve, tag=tag, reason="stolen")
    assert tag_by_token_hash(token_hash(old)) is None
    assert tag_by_token_hash(token_hash(new)) is None
    with pytest.raises(CaseError, match="must not work again"):
        rotate_tag_token(by=eve, tag=tag, overlap=HOUR)
    rotate_tag_token(by=eve, tag=tag)
    assert tag_by_token_hash(token_hash(new)) is None
    assert tag_by_token_hash(token_hash(old)) is None
