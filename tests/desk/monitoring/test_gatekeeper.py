"""Whom the gatekeeper knows, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.test import override_settings

from ringfence.desk.cases.feed_actions import add_feed, bind_tag, revoke_feed
from ringfence.desk.cases.models import Tag
from ringfence.desk.cases.tag_actions import (
    add_tag,
    make_owntracks_key,
    remove_owntracks_key,
    revoke_tag,
)
from ringfence.desk.cases.tokens import token_hash
from ringfence.desk.monitoring.gatekeeper import BELIEVED_S, TagGatekeeper
from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.report import KnownFeed, KnownTag, NotStored, Sender

pytestmark = pytest.mark.django_db(transaction=True)
BY = "system:test"


class Hands:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def gatekeeper(clock: Hands) -> Iterator[TagGatekeeper]:
    made = TagGatekeeper(clock=clock)
    yield made
    made.stop()


def ask(gatekeeper: TagGatekeeper, token: str) -> Sender | NotStored | None:
    async def scene() -> Sender | NotStored | None:
        answer: asyncio.Future[Sender | NotStored | None] = (
            asyncio.get_running_loop().create_future()
        )
        gatekeeper.ask(token_hash(token), answer.set_result)
        return await asyncio.wait_for(answer, 10)

    return asyncio.run(scene())


@pytest.fixture
def tag() -> tuple[Tag, str]:
    return add_tag(by=BY, name="T1")


def test_a_tag_is_known_with_what_opens_its_phones_messages(
    gatekeeper: TagGatekeeper, clock: Hands, tag: tuple[Tag, str]
) -> None:
    row, token = tag
    known = ask(gatekeeper, token)
    assert known == KnownTag(row.pk, "T1", None)
    secret = make_owntracks_key(by=BY, tag=row)
    clock.now_s = BELIEVED_S + 1
    assert gatekeeper.known(token_hash(token)) is None
    known = ask(gatekeeper, token)
    assert isinstance(known, KnownTag)
    assert known.box is not None
    assert known.box.decrypt(box_of(secret).encrypt(b"here")) == b"here"
    assert secret not in repr(known)
    assert gatekeeper.known(token_hash(token)) == known


def test_a_key_that_was_taken_away_opens_nothing(
    gatekeeper: TagGatekeeper, tag: tuple[Tag, str]
) -> None:
    make_owntracks_key(by=BY, tag=tag[0])
    remove_owntracks_key(by=BY, tag=tag[0])
    assert ask(gatekeeper, tag[1]) == KnownTag(tag[0].pk, "T1", None)


def test_a_tag_still_reports_when_the_platforms_key_has_changed(
    gatekeeper: TagGatekeeper, tag: tuple[Tag, str]
) -> None:
    make_owntracks_key(by=BY, tag=tag[0])
    with override_settings(SECRET_KEY="another"):
        assert ask(gatekeeper, tag[1]) == KnownTag(tag[0].pk, "T1", None)


def test_a_stranger_is_nobody(gatekeeper: TagGatekeeper) -> None:
    assert ask(gatekeeper, "made up") is None


def test_a_tag_that_was_revoked_is_asked_about_again(
    gatekeeper: TagGatekeeper, clock: Hands, tag: tuple[Tag, str]
) -> None:
    row, token = tag
    clock.now_s = 1
    ask(gatekeeper, token)
    assert gatekeeper.known(token_hash(token))
    revoke_tag(by=BY, tag=row, reason="stolen")
    gatekeeper.forget({row.pk})
    assert gatekeeper.known(token_hash(token)) is None
    assert ask(gatekeeper, token) is None


def test_an_answer_from_before_a_change_is_not_believed_for_long(
    gatekeeper: TagGatekeeper, tag: tuple[Tag, str]
) -> None:
    gatekeeper.forget({tag[0].pk})
    assert isinstance(ask(gatekeeper, tag[1]), KnownTag)
    assert gatekeeper.known(token_hash(tag[1])) is None


def test_a_feed_is_known_with_the_tags_that_are_bound_to_it(
    gatekeeper: TagGatekeeper, tag: tuple[Tag, str]
) -> None:
    feed, token = add_feed(by=BY, name="F")
    assert ask(gatekeeper, token) == KnownFeed(feed.pk, "F", {})
    gone = add_tag(by=BY, name="T2")[0]
    add_tag(by=BY, name="T3")
    for bound in (tag[0], gone):
        bind_tag(by=BY, feed=feed, tag=bound)
    revoke_tag(by=BY, tag=gone, reason="lost")
    known = ask(gatekeeper, token)
    assert known == KnownFeed(feed.pk, "F", {"T1": KnownTag(tag[0].pk, "T1")})
    assert known.speaks_for("T1") == KnownTag(tag[0].pk, "T1")
    assert known.speaks_for("T2") is known.speaks_for("T3") is known.speaks_for(None) is None
    revoke_feed(by=BY, feed=feed, reason="sold")
    assert ask(gatekeeper, token) is None


def test_a_feed_is_asked_about_again_when_any_tag_has_changed(
    gatekeeper: TagGatekeeper, clock: Hands, tag: tuple[Tag, str]
) -> None:
    feed, token = add_feed(by=BY, name="F")
    bind_tag(by=BY, feed=feed, tag=tag[0])
    clock.now_s = 1
    ask(gatekeeper, token)
    assert gatekeeper.known(token_hash(token))
    gatekeeper.forget({tag[0].pk})
    assert gatekeeper.known(token_hash(token)) is None
