"""Who may speak, kept in memory."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from ringfence.desk.cases.device_actions import add_device, remove_device
from ringfence.desk.cases.models import Tag
from ringfence.desk.cases.tag_actions import add_tag, revoke_tag, rotate_tag_token
from ringfence.desk.kit.acting import action
from ringfence.desk.monitoring.directory import TagDirectory

pytestmark = pytest.mark.django_db
BY = "system:test"


@pytest.fixture
def tag() -> Tag:
    return add_tag(by=BY, name="T1")[0]


def test_a_device_is_found_in_its_protocol(tag: Tag) -> None:
    add_device(by=BY, tag=tag, device_id="1", protocol="r16h", model="R16", zone="Europe/London")
    directory = TagDirectory()
    directory.read()
    found = directory.find("r16h", "1")
    assert found is not None
    assert (found.tag.name, found.model) == ("T1", ("R16", ZoneInfo("Europe/London")))
    assert directory.find("queclink", "1") is None
    assert directory.find("r16h", "2") is None


def test_a_device_without_protocol_is_found_in_any(tag: Tag) -> None:
    add_device(by=BY, tag=tag, device_id="1")
    directory = TagDirectory()
    directory.read()
    assert directory.find("queclink", "1") == directory.find("r16h", "1") is not None


def test_it_hears_of_changes_and_says_whose(tag: Tag) -> None:
    told: list[set[int]] = []
    directory = TagDirectory(lambda tags: told.append(set(tags)))
    directory.read()
    add_device(by=BY, tag=tag, device_id="1")
    directory.read()
    assert directory.find("r16h", "1")
    remove_device(by=BY, tag=tag, device_id="1")
    directory.read()
    assert not directory.find("r16h", "1")
    directory.read()
    assert told == [{tag.pk}] * 3


def test_a_revoked_tag_and_its_devices_are_struck_off_until_it_is_given_a_token(tag: Tag) -> None:
    add_device(by=BY, tag=tag, device_id="1")
    directory = TagDirectory()
    directory.read()
    revoke_tag(by=BY, tag=tag, reason="stolen")
    directory.read()
    assert not directory.find("r16h", "1")
    assert directory.tag_named("T1") is None
    rotate_tag_token(by=BY, tag=tag)
    directory.read()
    assert directory.find("r16h", "1")
    assert directory.tag_named("T1") is not None


def test_a_device_that_moves_to_another_tag_is_never_lost(tag: Tag) -> None:
    other = add_tag(by=BY, name="T2")[0]
    add_device(by=BY, tag=other, device_id="1")
    directory = TagDirectory()
    directory.read()
    remove_device(by=BY, tag=other, device_id="1")
    add_device(by=BY, tag=tag, device_id="1")
    other.refresh_from_db()
    revoke_tag(by=BY, tag=other, reason="broken")
    directory.read()
    found = directory.find("r16h", "1")
    assert found is not None
    assert found.tag.name == "T1"


def test_tags_from_before_revisions_are_read(tag: Tag) -> None:

    action(lambda: Tag.objects.update(revision=0))()
    directory = TagDirectory()
    directory.read()
    assert directory.tag_named("T1") is not None
