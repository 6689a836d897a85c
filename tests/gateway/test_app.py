"""The doors, asked as an ASGI server asks them: no sockets."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.pace import ALARMS_AT_ONCE, AT_ONCE, REPORT_BYTES, Pace
from ringfence.gateway.session import (
    LOOKED_THROUGH,
    MAX_BODY,
    MOST_ARRIVING,
    MOST_UNKNOWN_BYTES,
    SMALL_BODY,
    Session,
    knock,
)
from tests.gateway.asgi import REPORTS, ask
from tests.gateway.house import SECRET, TOKENS, FewTags, MemoryInbox

OWNTRACKS = "/gateway/owntracks"
FIX = {"time": "2026-03-01T10:02:00Z", "lat": 51.5, "lon": -0.1}
LOCATION = {"_type": "location", "tst": 1_772_359_320, "lat": 51.5, "lon": -0.1}


def bearer(tag: str = "T1", kind: str = "application/json") -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS[tag]}", "content-type": kind}


def basic(user: str, token: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{user}:{token}".encode()).decode()}


def body(*reports: Any, tag: str = "T1") -> bytes:
    return json.dumps({"tag": tag, "reports": reports}).encode()


def encrypted(message: Any, secret: str = SECRET) -> bytes:
    sealed = box_of(secret).encrypt(json.dumps(message).encode())
    return json.dumps({"_type": "encrypted", "data": b64encode(sealed).decode()}).encode()


@pytest.fixture
def inbox() -> MemoryInbox:
    return MemoryInbox()


@pytest.mark.parametrize("tag", ["T1", "T2"])
def test_a_report_is_acknowledged_once_it_is_stored(inbox: MemoryInbox, tag: str) -> None:
    answer = ask(inbox, body(FIX, tag=tag), headers=bearer(tag))
    assert answer.status == 200
    assert answer.json == {"accepted": 1, "duplicate": 0, "refused": []}
    (delivery,) = inbox.deliveries
    assert (delivery.tag.name, delivery.door, delivery.peer) == (tag, "reports", "192.0.2.1")
    assert delivery.raw == body(FIX, tag=tag)


def test_a_bad_report_never_costs_the_others(inbox: MemoryInbox) -> None:
    answer = ask(inbox, body(FIX, {**FIX, "lat": 91}, {"lat": 1}), headers=bearer())
    assert answer.json["accepted"] == 1
    assert [r["index"] for r in answer.json["refused"]] == [1, 2]
    assert [(a.reason, a.raw, a.reports) for a in inbox.apart] == [
        ("refused_report", body(FIX, {**FIX, "lat": 91}, {"lat": 1}), 2)
    ]


def test_nothing_but_bad_reports_is_answered_without_storing(inbox: MemoryInbox) -> None:
    answer = ask(inbox, body({"lat": 1}), headers=bearer())
    assert (answer.status, answer.json["accepted"]) == (200, 0)
    assert not inbox.deliveries


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic " + b64encode(b"T1:one").decode()},
        bearer("T2"),
    ],
    ids=["none", "empty", "wrong", "another scheme", "another tag's"],
)
def test_a_wrong_token_is_401_and_its_bytes_are_kept_apart(
    inbox: MemoryInbox, headers: dict[str, str]
) -> None:
    answer = ask(inbox, body(FIX), headers={**headers, "content-type": "application/json"})
    assert answer.status == 401
    assert "ringfence tags" in answer.json["error"]
    assert answer.headers[b"www-authenticate"].startswith(b"Bearer")
    assert not inbox.deliveries
    assert [(a.reason, a.peer, a.sender_known) for a in inbox.apart] == [
        ("unauthenticated", "192.0.2.1", False)
    ]


def test_a_malformed_body_is_400_with_the_reason_and_kept_apart(inbox: MemoryInbox) -> None:
    answer = ask(inbox, b'{"tag":"T1","reports":[', headers=bearer())
    assert answer.status == 400
    assert "not JSON" in answer.json["error"]
    assert [(a.reason, a.sender_known) for a in inbox.apart] == [("malformed", True)]


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_five_megabytes_are_413_naming_the_limit(inbox: MemoryInbox, declared: bool) -> None:
    headers = bearer() | ({"content-length": str(5 << 20)} if declared else {})
    answer = ask(inbox, *[b" " * (1 << 20)] * 5, headers=headers)
    assert answer.status == 413
    assert "1,048,576 bytes" in answer.json["error"]
    assert not inbox.deliveries


def test_a_body_of_just_the_limit_is_taken(inbox: MemoryInbox) -> None:
    whole = body(FIX).ljust(MAX_BODY)
    assert ask(inbox, whole, headers=bearer()).status == 200
    assert ask(inbox, whole + b" ", headers=bearer()).status == 413


@given(st.integers(0, 200))
def test_a_body_cut_short_stores_nothing_and_answers_nothing(end: int) -> None:
    inbox = MemoryInbox()
    answer = ask(inbox, body(FIX)[:end], headers=bearer(), cut=True)
    assert answer.sent == []
    assert not inbox.deliveries


@given(st.sets(st.integers(1, 100)))
def test_wherever_a_body_is_chopped_the_answer_is_the_same(cuts: set[int]) -> None:
    whole = body(FIX, {**FIX, "lat": 91})
    edges = [0, *sorted(c for c in cuts if c < len(whole)), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    answer = ask(MemoryInbox(), *pieces, headers=bearer())
    assert answer.body == ask(MemoryInbox(), whole, headers=bearer()).body


def test_a_full_inbox_is_429_with_a_time_to_come_back() -> None:
    answer = ask(MemoryInbox(full=True), body(FIX), headers=bearer())
    assert (answer.status, answer.headers[b"retry-after"]) == (429, b"1")


def test_a_looping_tag_is_429_and_the_others_are_taken(inbox: MemoryInbox) -> None:
    now_s = 0.0
    session = Session(inbox, FewTags(), Pace(lambda: now_s))
    many = [{**FIX, "seq": n} for n in range(2_500)]
    told = [ask(inbox, body(*many), headers=bearer(), session=session).status for _ in range(4)]
    assert told == [200] * 4
    answer = ask(inbox, body(FIX), headers=bearer(), session=session)
    assert (answer.status, answer.headers[b"retry-after"]) == (429, b"1")
    ask(inbox, body(*many), headers=bearer(), session=session)
    # Told of once a minute, with the first that was too many.
    assert [(a.reason, a.tag.name, a.raw) for a in inbox.apart if a.tag] == [
        ("too_many", "T1", body(FIX))
    ]
    assert ask(inbox, body(FIX, tag="T2"), headers=bearer("T2"), session=session).status == 200
    now_s = 0.5
    assert ask(inbox, body(FIX), headers=bearer(), session=session).status == 200


def test_a_body_that_is_large_for_its_reports_counts_by_its_size(inbox: MemoryInbox) -> None:
    session = Session(inbox, FewTags(), Pace(lambda: 0.0))
    stuffed = body({**FIX, "x": "A" * 1_000_000})
    told = [ask(inbox, stuffed, headers=bearer(), session=session).status for _ in range(100)]
    assert set(told) == {200, 429}
    assert sum(len(d.raw) for d in inbox.deliveries) <= AT_ONCE * REPORT_BYTES


@pytest.mark.parametrize("signal", ["strap_cut", "case_open"])
def test_a_wearer_who_floods_the_doors_does_not_keep_his_own_strap_alarm_out(
    inbox: MemoryInbox, signal: str
) -> None:
    session = Session(inbox, FewTags(), Pace(lambda: 0.0))
    many = body(*[{**FIX, "seq": n} for n in range(2_500)])
    for _ in range(4):
        ask(inbox, many, headers=bearer(), session=session)
    assert ask(inbox, body(FIX), headers=bearer(), session=session).status == 429
    alarm = {"time": datetime.now(UTC).isoformat(), "signals": [signal]}
    assert ask(inbox, body(alarm), headers=bearer(), session=session).status == 200


def test_alarms_that_raise_nothing_do_not_use_up_what_is_kept_for_alarms(
    inbox: MemoryInbox,
) -> None:
    session = Session(inbox, FewTags(), Pace(lambda: 0.0))
    many = body(*[{**FIX, "seq": n} for n in range(2_500)])
    for _ in range(4):
        ask(inbox, many, headers=bearer(), session=session)
    now = datetime.now(UTC)
    for at in (now - timedelta(days=2), now + timedelta(minutes=10)):
        fake = {"time": at.isoformat(), "signals": ["strap_cut"]}
        assert ask(inbox, body(fake), headers=bearer(), session=session).status == 429
    true = {"time": now.isoformat(), "signals": ["strap_cut"]}
    told = [
        ask(inbox, body({**true, "seq": n}), headers=bearer(), session=session).status
        for n in range(ALARMS_AT_ONCE + 1)
    ]
    assert told == [200] * ALARMS_AT_ONCE + [429]


def test_what_is_refused_counts_too_and_a_looping_tag_s_large_bodies_are_not_even_read(
    inbox: MemoryInbox,
) -> None:
    session = Session(inbox, FewTags(), Pace(lambda: 0.0))
    refused = body(*[{}] * (AT_ONCE // 2))
    told = [ask(inbox, refused, headers=bearer(), session=session).status for _ in range(3)]
    assert told == [200, 200, 429]
    unread = b"x" * (LOOKED_THROUGH + 1)
    assert ask(inbox, unread, headers=bearer(), session=session).status == 429
    assert ask(inbox, b"x", headers=bearer(), session=session).status == 400
    alarm = {"time": datetime.now(UTC).isoformat(), "signals": ["strap_cut"]}
    assert ask(inbox, body(alarm), headers=bearer(), session=session).status == 200


@pytest.mark.parametrize(
    "item", [b"{}", b"0", b'{"time":0}', b'{"time":"2026-03-01T10:02:00Z","lat":91,"lon":0}']
)
def test_no_body_keeps_everybody_waiting(inbox: MemoryInbox, item: bytes) -> None:
    many = (
        b'{"tag":"T1","reports":['
        + b",".join([item] * ((MAX_BODY - 99) // (len(item) + 1)))
        + b"]}"
    )
    answer = ask(inbox, many, headers=bearer())
    assert answer.status == 400
    assert "send fewer" in answer.json["error"]  # before: 40 MB of reasons, after 1.5 s


def test_a_large_body_is_not_read_again_before_the_wait_is_over(inbox: MemoryInbox) -> None:
    now_s = 0.0
    session = Session(inbox, FewTags(), Pace(lambda: now_s))
    many = body(*[{}] * AT_ONCE)
    assert ask(inbox, many, headers=bearer(), session=session).status == 200
    now_s = 5.0
    told = [ask(inbox, many, headers=bearer(), session=session) for _ in range(3)]
    assert [t.status for t in told] == [429] * 3
    assert len(inbox.apart) == 2  # the one that was read, and word of those beyond, once
    large = body(*[{**FIX, "seq": n} for n in range(100)])
    assert ask(inbox, large, headers=bearer(), session=session).status == 429
    now_s = 66.0
    assert ask(inbox, large, headers=bearer(), session=session).status == 200


def test_what_is_only_refused_is_answered_when_its_bytes_are_kept(inbox: MemoryInbox) -> None:
    inbox.trouble = "the disk is full"
    assert ask(inbox, body({**FIX, "lat": 91}), headers=bearer()).status == 503
    inbox.trouble = None
    assert ask(inbox, body({**FIX, "lat": 91}), headers=bearer()).status == 200


def test_malformed_bodies_use_up_an_allowance_too(inbox: MemoryInbox) -> None:
    session = Session(inbox, FewTags(), Pace(lambda: 0.0))
    told = [
        ask(inbox, b"x" * MAX_BODY, headers=bearer(), session=session).status for _ in range(25)
    ]
    assert told[0] == 400
    assert told[-1] == 429


def test_while_too_much_arrives_only_small_bodies_are_read(inbox: MemoryInbox) -> None:
    session = Session(inbox, FewTags())
    session.arriving = MOST_ARRIVING + 1
    assert ask(inbox, body(FIX), headers=bearer(), session=session).status == 200
    many = b"x" * SMALL_BODY
    assert ask(inbox, many, many, headers=bearer(), session=session).status == 429
    assert session.arriving == MOST_ARRIVING + 1


def test_as_many_reports_as_fill_a_body_are_taken(inbox: MemoryInbox) -> None:
    least = b'{"time":"2026-03-01T10:02:00Z"}'
    many = b'{"tag":"T1","reports":[' + b",".join([least] * 32_000) + b"]}"
    assert ask(inbox, many, headers=bearer()).status == 200
    assert len(inbox.deliveries[0].reports) == 32_000


def test_a_full_inbox_costs_a_tag_nothing_of_its_allowance(inbox: MemoryInbox) -> None:
    session = Session(inbox, FewTags(), Pace(lambda: 0.0))
    many = body(*[{**FIX, "seq": n} for n in range(AT_ONCE // 2)])
    inbox.full = True
    told = [ask(inbox, many, headers=bearer(), session=session).status for _ in range(4)]
    inbox.full = False
    told.append(ask(inbox, many, headers=bearer(), session=session).status)
    assert told == [429] * 4 + [200]


def test_what_can_not_be_stored_is_503_and_not_acknowledged() -> None:
    answer = ask(MemoryInbox(trouble="the disk is full"), body(FIX), headers=bearer())
    assert (answer.status, answer.headers[b"retry-after"]) == (503, b"5")
    assert answer.json == {"error": "the disk is full"}


def test_no_such_door_is_404_naming_the_doors(inbox: MemoryInbox) -> None:
    answer = ask(inbox, b"", path="/gateway/v2")
    assert answer.status == 404
    assert REPORTS in answer.json["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_405(inbox: MemoryInbox, method: str) -> None:
    answer = ask(inbox, b"", method=method, headers=bearer())
    assert (answer.status, answer.headers[b"allow"]) == (405, b"POST")


def test_another_media_type_is_415_naming_what_is_read(inbox: MemoryInbox) -> None:
    answer = ask(inbox, body(FIX), headers=bearer(kind="text/csv"))
    assert answer.status == 415
    assert "application/msgpack" in answer.json["error"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_a_media_type_may_carry_more(inbox: MemoryInbox, kind: str) -> None:
    assert ask(inbox, body(FIX), headers=bearer(kind=kind)).status == 200


def test_a_phone_reports_through_owntracks_and_hears_an_empty_list(inbox: MemoryInbox) -> None:
    message = json.dumps(LOCATION).encode()
    answer = ask(inbox, message, path=OWNTRACKS, headers=basic("T1", "one"))
    assert (answer.status, answer.body) == (200, b"[]")
    (delivery,) = inbox.deliveries
    assert (delivery.door, delivery.reports[0].lat_e7) == ("owntracks", 515_000_000)


@pytest.mark.parametrize(
    "headers",
    [{}, basic("T2", "one"), basic("T1", "wrong"), {"authorization": "Basic %%%"}, bearer()],
)
def test_a_phone_with_another_name_or_password_is_401(
    inbox: MemoryInbox, headers: dict[str, str]
) -> None:
    answer = ask(inbox, json.dumps(LOCATION).encode(), path=OWNTRACKS, headers=headers)
    assert (answer.status, answer.headers[b"www-authenticate"][:5]) == (401, b"Basic")
    assert not inbox.deliveries


def test_an_impossible_location_never_blocks_a_phones_queue(inbox: MemoryInbox) -> None:
    message = json.dumps({**LOCATION, "lat": 91}).encode()
    answer = ask(inbox, message, path=OWNTRACKS, headers=basic("T1", "one"))
    assert (answer.status, answer.body) == (200, b"[]")
    assert [a.reason for a in inbox.apart] == ["refused_report"]


def test_an_encrypted_message_is_opened_with_its_tags_key_and_kept_as_it_came(
    inbox: MemoryInbox,
) -> None:
    message = encrypted(LOCATION)
    answer = ask(inbox, message, path=OWNTRACKS, headers=basic("T3", "three"))
    assert (answer.status, answer.body) == (200, b"[]")
    (delivery,) = inbox.deliveries
    assert (delivery.tag.name, delivery.raw) == ("T3", message)
    assert delivery.reports[0].lat_e7 == 515_000_000


@pytest.mark.parametrize(
    ("user", "token", "message", "told"),
    [
        ("T1", "one", encrypted(LOCATION), "owntracks-key"),
        ("T3", "three", encrypted(LOCATION, "another's"), "can't be decrypted"),
        ("T3", "three", b'{"_type":"encrypted","data":"x"}', "can't be decrypted"),
    ],
    ids=["no key", "another key", "nothing sealed"],
)
def test_what_can_not_be_opened_stays_in_the_phone_and_is_kept_apart(
    inbox: MemoryInbox, user: str, token: str, message: bytes, told: str
) -> None:
    answer = ask(inbox, message, path=OWNTRACKS, headers=basic(user, token))
    assert answer.status == 400
    assert told in answer.json["error"]
    assert not inbox.deliveries
    (apart,) = inbox.apart
    assert (apart.reason, apart.raw, apart.sender_known) == ("encrypted", message, True)
    assert apart.tag is not None
    assert apart.tag.name == user


def test_a_strangers_encrypted_message_is_never_opened(inbox: MemoryInbox) -> None:
    answer = ask(inbox, encrypted(LOCATION), path=OWNTRACKS, headers=basic("T3", "wrong"))
    assert answer.status == 401
    assert [a.reason for a in inbox.apart] == ["unauthenticated"]


@pytest.mark.parametrize(
    "inner", [{**LOCATION, "lat": 91}, {"_type": "encrypted", "data": "x"}, ["no message"]]
)
def test_what_was_opened_and_is_unusable_never_blocks_a_phones_queue(
    inbox: MemoryInbox, inner: Any
) -> None:
    answer = ask(inbox, encrypted(inner), path=OWNTRACKS, headers=basic("T3", "three"))
    assert (answer.status, answer.body) == (200, b"[]")
    assert not inbox.deliveries
    assert [a.reason for a in inbox.apart] == ["refused_report"]


class NeverAnswers(FewTags):
    """A database that is slow: whoever must be looked up waits."""

    def ask(self, token_hash: str, done: Any) -> None:
        self.asked += 1
        self.last = done


def test_senders_who_must_be_looked_up_can_not_fill_the_memory(inbox: MemoryInbox) -> None:
    slow, told = NeverAnswers(), []
    session = Session(inbox, slow)
    headers = {b"authorization": b"Bearer made-up", b"content-type": b"application/json"}
    door = knock(b"POST", REPORTS.encode(), headers)
    for _ in range(20):
        session.take(door, headers, bytes(MAX_BODY), "", told.append)
    assert slow.asked == MOST_UNKNOWN_BYTES // MAX_BODY
    assert {reply.status for reply in told} == {429}
    assert (b"retry-after", b"1") in told[0].headers
    told.clear()
    slow.last(None)  # one is answered, and so there is room for one
    session.take(door, headers, bytes(MAX_BODY), "", told.append)
    session.take(door, headers, bytes(MAX_BODY), "", told.append)
    assert [reply.status for reply in told] == [401, 429]
