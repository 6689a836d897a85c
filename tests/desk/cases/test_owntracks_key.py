"""A phone's key: random, sealed at rest, and gone when it is taken away."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import override_settings

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.models import Tag
from ringfence.desk.cases.sealing import open_secret, seal_secret
from ringfence.desk.cases.tag_actions import add_tag, make_owntracks_key, remove_owntracks_key


@pytest.fixture
def tag(eve: User) -> Tag:
    return add_tag(by=eve, name="T1")[0]


def test_a_key_is_what_an_app_can_use_and_another_each_time(eve: User, tag: Tag) -> None:
    first, second = make_owntracks_key(by=eve, tag=tag), make_owntracks_key(by=eve, tag=tag)
    assert first != second
    assert len(second) == 32
    assert second.isascii()
    assert second.isprintable()


def test_a_key_lies_sealed_in_the_database_and_opens_for_its_tag_only(eve: User, tag: Tag) -> None:
    secret = make_owntracks_key(by=eve, tag=tag)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM cases_tag")
        assert secret not in repr(cursor.fetchall())
    assert secret not in repr(list(Entry.objects.values()))
    tag.refresh_from_db()
    assert open_secret("T1", tag.owntracks_key) == secret
    assert open_secret("T2", tag.owntracks_key) is None


def test_a_key_does_not_open_with_another_platforms_own_key() -> None:
    sealed = seal_secret("T1", "s3cret")
    with override_settings(SECRET_KEY="another"):
        assert open_secret("T1", sealed) is None
    assert open_secret("T1", b"too short") is None


def test_a_key_that_was_taken_away_is_gone_and_the_log_says_so(eve: User, tag: Tag) -> None:
    make_owntracks_key(by=eve, tag=tag)
    remove_owntracks_key(by=eve, tag=tag)
    assert Tag.objects.get().owntracks_key is None
    with pytest.raises(CaseError, match="has no OwnTracks key"):
        remove_owntracks_key(by=eve, tag=tag)
    events = list(Entry.objects.order_by("pk").values_list("event", flat=True))
    assert events[-2:] == ["tag.owntracks_key_made", "tag.owntracks_key_removed"]


def test_only_who_manages_tags_makes_keys(ola: User, tag: Tag) -> None:
    with pytest.raises(NotPermittedError):
        make_owntracks_key(by=ola, tag=tag)
    with pytest.raises(NotPermittedError):
        remove_owntracks_key(by=ola, tag=tag)
