"""From a phone's or a feed's request to stored rows: doors, gatekeeper and inbox together."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from ringfence.desk.cases.feed_actions import add_feed, bind_tag
from ringfence.desk.cases.models import Tag
from ringfence.desk.cases.tag_actions import add_tag, make_owntracks_key
from ringfence.desk.monitoring.gatekeeper import TagGatekeeper
from ringfence.desk.monitoring.inbox import ReportInbox
from ringfence.desk.monitoring.models import Frame, Quarantine, Report
from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.session import Door, Reply, Session, knock

pytestmark = pytest.mark.django_db(transaction=True)
BY = "system:test"
AT_MS = 1_772_359_320_000


@pytest.fixture
def gatekeeper() -> Iterator[TagGatekeeper]:
    made = TagGatekeeper()
    yield made
    made.stop()


@pytest.fixture
def session(gatekeeper: TagGatekeeper) -> Iterator[Session]:
    inbox = ReportInbox(ring=lambda: None)
    inbox.start()
    yield Session(inbox, gatekeeper)
    inbox.stop()


@pytest.fixture
def tag() -> tuple[Tag, str]:
    return add_tag(by=BY, name="T1")


def ask(
    session: Session, path: str, authorization: str, body: bytes = b"", query: bytes = b""
) -> int:
    async def scene() -> Reply:
        heard: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        headers = {b"authorization": authorization.encode()}
        door = knock(b"POST", path.encode(), headers)
        assert isinstance(door, Door)
        session.take(door, headers, body, "192.0.2.1", heard.set_result, query=query)
        return await asyncio.wait_for(heard, 10)

    return asyncio.run(scene()).status


def test_an_encrypted_message_is_stored_as_it_came_beside_what_it_said(
    session: Session, tag: tuple[Tag, str]
) -> None:
    row, token = tag
    secret = make_owntracks_key(by=BY, tag=row)
    sealed = box_of(secret).encrypt(b'{"_type":"location","tst":1772359320,"lat":51.5,"lon":-0.1}')
    body = json.dumps({"_type": "encrypted", "data": b64encode(sealed).decode()}).encode()
    basic = "Basic " + b64encode(f"T1:{token}".encode()).decode()
    assert ask(session, "/gateway/owntracks", basic, body) == 200
    stored = Report.objects.select_related("frame").get()
    assert (stored.tag_id, stored.time_ms, stored.lat_e7) == (row.pk, AT_MS, 515_000_000)
    assert bytes(stored.frame.raw) == body


def test_a_token_in_a_query_is_stored_nowhere(session: Session, tag: tuple[Tag, str]) -> None:
    said = b"id=T1&lat=51.5&lon=-0.1&timestamp=1772359320"
    for token, status in ((tag[1], 200), ("wrong", 401)):
        query = said + b"&token=" + token.encode()
        assert ask(session, "/gateway/osmand", "", query=query) == status
    assert bytes(Frame.objects.get().raw) == said
    assert Report.objects.get().tag_id == tag[0].pk


def test_a_feeds_report_is_stored_as_its_tags(
    session: Session, gatekeeper: TagGatekeeper, tag: tuple[Tag, str]
) -> None:
    feed, token = add_feed(by=BY, name="F")
    position = {"valid": True, "fixTime": "2026-03-01T10:02:00.000+00:00"}
    position |= {"latitude": 51.5, "longitude": -0.1}
    body = json.dumps({"position": position, "device": {"uniqueId": "T1"}}).encode()
    assert ask(session, "/gateway/traccar", f"Bearer {token}", body) == 401
    bind_tag(by=BY, feed=feed, tag=tag[0])
    gatekeeper.forget({tag[0].pk})  # as the directory does once it sees the change
    assert ask(session, "/gateway/traccar", f"Bearer {token}", body) == 200
    stored = Report.objects.get()
    assert (stored.tag_id, stored.time_ms, stored.frame.door) == (tag[0].pk, AT_MS, "traccar")
    assert not Quarantine.objects.exclude(reason="unauthenticated").exists()
