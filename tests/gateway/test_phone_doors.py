"""The doors of phones and feeds, both ways in: over ASGI, and by the short way."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.credentials import without_secret
from tests.gateway.asgi import ask
from tests.gateway.house import MemoryInbox
from tests.gateway.line import Line, State, talk

OSMAND, TRACCAR = "/gateway/osmand", "/gateway/traccar"
HERE = "id=T1&timestamp=1772359320&lat=51.5&lon=-0.1"
LOCATION = {"timestamp": "2026-03-01T10:02:00Z", "coords": {"latitude": 51.5, "longitude": -0.1}}
Ask = Callable[..., tuple[int, Any]]


def over_asgi(inbox: MemoryInbox, path: str, **asked: Any) -> tuple[int, Any]:
    body = asked.pop("body", b"")
    answer = ask(inbox, body, path=path, **asked)
    return answer.status or 0, answer.json if answer.body else None


def short_way(
    inbox: MemoryInbox,
    path: str,
    *,
    method: str = "POST",
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> tuple[int, Any]:
    heard: list[tuple[int, Any]] = []
    target = f"{path}?{query}" if query else path
    lines = [f"{method} {target} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]

    async def story(line: Line, _state: State) -> None:
        line.send("\r\n".join([*lines, "", ""]).encode() + body)
        status, _, told = await line.answer()
        heard.append((status, told))

    talk(story, inbox)
    return heard[0]


@pytest.fixture(params=[over_asgi, short_way])
def asking(request: pytest.FixtureRequest) -> Ask:
    way: Ask = request.param
    return way


@pytest.fixture
def inbox() -> MemoryInbox:
    return MemoryInbox()


def basic(user: str, token: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{user}:{token}".encode()).decode()}


BEARER = {"authorization": "Bearer one"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = json.dumps({"location": LOCATION, "device_id": "T1"}).encode()


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "GET", "query": HERE, "headers": BEARER},
        {"method": "GET", "query": HERE, "headers": basic("T1", "one")},
        {"method": "GET", "query": f"{HERE}&token=one"},
        {"method": "GET", "query": f"key=one&{HERE}"},
        {"method": "POST", "query": f"{HERE}&token=one"},
        {"method": "POST", "query": "token=one", "body": HERE.encode(), "headers": FORM},
        {"method": "POST", "body": f"{HERE}&token=one".encode(), "headers": FORM},
        {"method": "POST", "query": "token=one", "body": JSON},
        {"method": "POST", "body": JSON, "headers": BEARER},
        {"method": "POST", "query": "token=two", "body": JSON, "headers": BEARER},
    ],
)
def test_a_phone_reports_as_its_app_can_and_hears_an_empty_answer(
    inbox: MemoryInbox, asking: Ask, asked: dict[str, Any]
) -> None:
    assert asking(inbox, OSMAND, **asked) == (200, None)
    (delivery,) = inbox.deliveries
    assert (delivery.tag.name, delivery.door) == ("T1", "osmand")
    assert delivery.reports[0].lat_e7 == 515_000_000
    assert delivery.raw in (HERE.encode(), JSON)  # the bytes as they came, without a token


@pytest.mark.parametrize(
    "asked",
    [
        {"query": HERE},
        {"query": f"{HERE}&token=wrong"},
        {"query": f"{HERE}&token=two"},
        {"query": HERE, "headers": {"authorization": "Bearer two"}},
        {"query": HERE, "headers": basic("T2", "one")},
        {"query": f"{HERE}&token=four"},
        {"query": HERE.replace("T1", "T2") + "&token=one"},
        {"query": "token=one", "body": JSON.replace(b"T1", b"T2"), "method": "POST"},
    ],
    ids=["none", "wrong", "T2's", "T2's", "T2's name", "a feed's", "T2's id", "T2's device_id"],
)
def test_who_is_unknown_or_another_is_401_and_no_token_is_kept(
    inbox: MemoryInbox, asking: Ask, asked: dict[str, Any]
) -> None:
    status, told = asking(inbox, OSMAND, **{"method": "GET", **asked})
    assert status == 401
    assert "ringfence tags" in told["error"]
    assert not inbox.deliveries
    assert [(a.reason, a.sender_known) for a in inbox.apart] == [("unauthenticated", False)]
    assert b"token" not in inbox.apart[0].raw


def test_an_impossible_location_never_blocks_a_phones_queue(
    inbox: MemoryInbox, asking: Ask
) -> None:
    query = f"{HERE}&lat=91&token=one"
    assert asking(inbox, OSMAND, method="GET", query=query) == (200, None)
    assert [a.reason for a in inbox.apart] == ["refused_report"]


def test_parameters_that_name_nobody_are_400(inbox: MemoryInbox, asking: Ask) -> None:
    status, told = asking(inbox, OSMAND, method="GET", query="lat=1&lon=2&token=one")
    assert (status, "no id" in told["error"]) == (400, True)
    assert [a.reason for a in inbox.apart] == ["malformed"]


def test_other_methods_are_told_which_are_taken(inbox: MemoryInbox, asking: Ask) -> None:
    status, told = asking(inbox, OSMAND, method="PUT", query=HERE, headers=BEARER)
    assert (status, "GET, POST" in told["error"]) == (405, True)


@pytest.mark.parametrize("path", ["/gateway/v1/reports", "/gateway/owntracks", TRACCAR])
def test_no_other_door_looks_for_a_token_in_a_query(
    inbox: MemoryInbox, asking: Ask, path: str
) -> None:
    asked: dict[str, Any] = {"headers": {"content-type": "application/json"}, "body": b"{}"}
    assert asking(inbox, path, query="token=one", **asked)[0] == 401
    assert asking(inbox, path, method="GET", query="token=one")[0] == 405


@given(st.lists(st.sampled_from(["token=a", "%6bey=%62", "Token=c", "id=T1", "lat=1", "k=2", ""])))
def test_a_token_is_taken_out_wherever_it_stands(pairs: list[str]) -> None:
    kept, token = without_secret("&".join(pairs).encode())
    secret = [p for p in pairs if "=" in p and p.lower().startswith(("token", "%6bey"))]
    assert kept.decode() == "&".join(p for p in pairs if p not in secret)
    assert token.decode() == (secret[-1].replace("%62", "b")[-1] if secret else "")


def forwarded(unique_id: str = "T1", **changes: Any) -> bytes:
    position = {
        "valid": True, "fixTime": "2026-03-01T10:02:00.000+00:00", "latitude": 51.5,
        "longitude": -0.1, **changes,
    }  # fmt: skip
    return json.dumps({"position": position, "device": {"uniqueId": unique_id}}).encode()


FEED = {"authorization": "Bearer four", "content-type": "application/json"}


def test_a_feed_reports_for_a_tag_that_is_bound_to_it(inbox: MemoryInbox, asking: Ask) -> None:
    assert asking(inbox, TRACCAR, body=forwarded(), headers=FEED) == (200, None)
    (delivery,) = inbox.deliveries
    assert (delivery.tag.id, delivery.tag.name, delivery.door) == (1, "T1", "traccar")
    assert (delivery.raw, delivery.reports[0].lat_e7) == (forwarded(), 515_000_000)


@pytest.mark.parametrize(
    ("body", "token"),
    [(forwarded("T2"), "four"), (forwarded(), "one"), (forwarded(), "wrong"), (forwarded(), "")],
    ids=["a tag that is not bound", "a tag's token", "nobody's", "none"],
)
def test_a_feed_speaks_for_no_other_tag_and_a_tag_is_no_feed(
    inbox: MemoryInbox, asking: Ask, body: bytes, token: str
) -> None:
    headers = {**FEED, "authorization": f"Bearer {token}"}
    status, told = asking(inbox, TRACCAR, body=body, headers=headers)
    assert (status, "ringfence feeds bind" in told["error"]) == (401, True)
    assert not inbox.deliveries
    assert [a.reason for a in inbox.apart] == ["unauthenticated"]


def test_a_feed_has_no_way_in_by_a_tags_door(inbox: MemoryInbox, asking: Ask) -> None:
    report = {"time": "2026-03-01T10:02:00Z", "lat": 51.5, "lon": -0.1}
    body = json.dumps({"tag": "T1", "reports": [report]}).encode()
    assert asking(inbox, "/gateway/v1/reports", body=body, headers=FEED)[0] == 401
    assert not inbox.deliveries


def test_a_forwarded_event_is_answered_and_not_kept(inbox: MemoryInbox, asking: Ask) -> None:
    body = json.dumps({"event": {"type": "alarm"}, "device": {"uniqueId": "T1"}}).encode()
    assert asking(inbox, TRACCAR, body=body, headers=FEED) == (200, None)
    assert (inbox.deliveries, inbox.apart) == ([], [])


@pytest.mark.parametrize(
    ("body", "status", "reason", "tag"),
    [(b"{", 400, "malformed", None), (forwarded(latitude=91), 200, "refused_report", "T1")],
)
def test_what_a_feed_says_that_can_not_be_used_is_kept_apart(
    inbox: MemoryInbox, asking: Ask, body: bytes, status: int, reason: str, tag: str | None
) -> None:
    assert asking(inbox, TRACCAR, body=body, headers=FEED)[0] == status
    (apart,) = inbox.apart
    whose = apart.tag and apart.tag.name
    assert (apart.reason, apart.sender_known, whose) == (reason, True, tag)
