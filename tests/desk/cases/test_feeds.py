"""A feed speaks for the tags that are bound to it."""

from __future__ import annotations

import pytest

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.errors import CaseError
from ringfence.desk.cases.feed_actions import (
    add_feed,
    bind_tag,
    revoke_feed,
    rotate_feed_token,
    unbind_tag,
)
from ringfence.desk.cases.models import Feed, Tag
from ringfence.desk.cases.tag_actions import add_tag
from ringfence.desk.cases.tokens import token_hash


@pytest.fixture
def feed(eve: User) -> Feed:
    return add_feed(by=eve, name="traccar-1")[0]


@pytest.fixture
def tag(eve: User) -> Tag:
    return add_tag(by=eve, name="T1")[0]


def test_a_feeds_token_is_shown_once_and_kept_as_a_hash(eve: User) -> None:
    feed, token = add_feed(by=eve, name="traccar-1")
    assert feed.token_hash == token_hash(token)
    assert token not in repr([*Feed.objects.values(), *Entry.objects.values()])
    with pytest.raises(CaseError, match="recorded already"):
        add_feed(by=eve, name="traccar-1")


def test_a_tag_is_bound_to_one_feed_at_most(eve: User, feed: Feed, tag: Tag) -> None:
    bind_tag(by=eve, feed=feed, tag=tag)
    with pytest.raises(CaseError, match="unbind it first"):
        bind_tag(by=eve, feed=add_feed(by=eve, name="another")[0], tag=tag)
    unbind_tag(by=eve, tag=tag)
    with pytest.raises(CaseError, match="bound to no feed"):
        unbind_tag(by=eve, tag=tag)
    said = list(Entry.objects.order_by("pk").values_list("event", "detail"))
    assert ("tag.bound", {"feed": feed.pk}) in said
    assert said[-1] == ("tag.unbound", {"feed": feed.pk})


def test_a_revoked_feed_comes_back_with_another_token(eve: User, feed: Feed) -> None:
    with pytest.raises(CaseError, match="reason is empty"):
        revoke_feed(by=eve, feed=feed, reason=" ")
    revoke_feed(by=eve, feed=feed, reason="sold")
    with pytest.raises(CaseError, match="revoked already"):
        revoke_feed(by=eve, feed=feed, reason="sold")
    old = feed.token_hash
    assert token_hash(rotate_feed_token(by=eve, feed=feed)) != old
    assert Feed.objects.get().revoked_at is None


@pytest.mark.parametrize("name", ["", "F" * 65, "a feed"])
def test_a_feeds_name_is_one_short_word(eve: User, name: str) -> None:
    with pytest.raises(CaseError, match="feed's name"):
        add_feed(by=eve, name=name)


def test_ola_supervises_but_handles_no_feeds(ola: User, feed: Feed, tag: Tag) -> None:
    for deed in (
        lambda: add_feed(by=ola, name="another"),
        lambda: bind_tag(by=ola, feed=feed, tag=tag),
        lambda: unbind_tag(by=ola, tag=tag),
        lambda: rotate_feed_token(by=ola, feed=feed),
        lambda: revoke_feed(by=ola, feed=feed, reason="no"),
    ):
        with pytest.raises(NotPermittedError, match="officer lacks manage_tags"):
            deed()
