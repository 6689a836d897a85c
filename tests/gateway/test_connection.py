"""The short way from a socket to the session, over real loopback sockets."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any

import pytest

from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.connection import MAX_HEAD
from ringfence.gateway.session import MOST_ARRIVING
from tests.gateway.house import SECRET, TOKENS, MemoryInbox
from tests.gateway.line import Line, State, talk

FIX = {"time": "2026-03-01T10:02:00Z", "lat": 51.5, "lon": -0.1}


def request(*reports: Any, tag: str = "T1", extra: str = "", seq: int = 0) -> bytes:
    body = json.dumps({"tag": tag, "reports": reports or [{**FIX, "seq": seq}]}).encode()
    head = (
        f"POST /gateway/v1/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS[tag]}\r\n"
        f"Content-Type: application/json\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_one_connection_carries_many_requests() -> None:
    async def story(line: Line, _state: State) -> None:
        for seq in range(5):
            line.send(request(seq=seq))
            status, headers, told = await line.answer()
            assert (status, told["accepted"]) == (200, 1)
            assert "connection" not in headers

    assert len(talk(story).deliveries) == 5


def test_requests_in_one_piece_are_answered_in_their_order() -> None:
    async def story(line: Line, _state: State) -> None:
        # T2 has to be asked about, so its answer is ready after the others'.
        line.send(request(tag="T2") + request(seq=1) + request({"lat": 1}))
        assert (await line.answer())[2]["accepted"] == 1
        assert (await line.answer())[2]["accepted"] == 1
        assert (await line.answer())[2]["refused"]

    assert [d.tag.name for d in talk(story).deliveries] == ["T1", "T2"]


def test_what_a_connection_holds_of_a_body_is_counted_and_goes_with_it() -> None:
    half = request()[:-20].replace(b"Content-Length: ", b"Content-Length: 999") + b"x" * 50_000

    async def story(line: Line, state: State) -> None:
        assert state.session is not None
        line.send(half)
        while state.session.arriving < 50_000:
            await asyncio.sleep(0.01)
        (connection,) = state.connections
        line.writer.close()
        while state.session.arriving:
            await asyncio.sleep(0.01)
        # It is freed when the garbage collector comes by, and must not hold a megabyte till then.
        assert connection._body == []

    assert not talk(story).deliveries


def test_while_too_much_arrives_only_small_bodies_are_taken() -> None:
    async def story(line: Line, state: State) -> None:
        assert state.session is not None
        state.session.arriving = MOST_ARRIVING + 1
        line.send(request())
        assert (await line.answer())[0] == 200
        line.send(request(*[{**FIX, "seq": n} for n in range(1_000)]))
        status, headers, _ = await line.answer()
        assert (status, headers["retry-after"]) == (429, "1")
        assert state.session.arriving == MOST_ARRIVING + 1

    assert len(talk(story).deliveries) == 1


def test_a_request_may_come_byte_by_byte() -> None:
    async def story(line: Line, _state: State) -> None:
        line.send(request()[:40])
        for byte in request()[40:]:
            line.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await line.answer())[0] == 200

    talk(story)


@pytest.mark.parametrize("end", [10, 60, 200, -1])
def test_a_request_cut_short_stores_nothing(end: int) -> None:
    async def story(line: Line, _state: State) -> None:
        line.send(request()[:end])
        line.writer.write_eof()
        await line.reader.read()

    assert not talk(story).deliveries


def test_anything_but_a_door_goes_to_the_pages_for_good() -> None:
    async def story(line: Line, state: State) -> None:
        line.send(request())
        await line.answer()
        line.send(b"GET /alerts HTTP/1.1\r\n\r\n")
        assert await line.reader.readexactly(6 + 24) == b"pages:GET /alerts HTTP/1.1\r\n\r\n"[:30]
        assert not state.connections

    talk(story)


def test_a_page_asked_for_behind_a_report_is_refused_and_the_report_kept() -> None:
    async def story(line: Line, _state: State) -> None:
        line.send(request() + b"GET /alerts HTTP/1.1\r\n\r\n")
        assert (await line.answer())[0] == 200
        status, headers, _ = await line.answer()
        assert (status, headers["connection"]) == (400, "close")
        assert await line.closed()

    assert len(talk(story).deliveries) == 1


def test_five_megabytes_hear_why_they_are_refused() -> None:
    async def story(line: Line, _state: State) -> None:
        head = request().partition(b"Content-Length")[0]
        line.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            line.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
            await line.writer.drain()
        line.send(b"0\r\n\r\n")
        status, _, told = await line.answer()
        assert status == 413
        assert "1,048,576" in told["error"]
        line.send(request())
        assert (await line.answer())[0] == 200

    assert len(talk(story).deliveries) == 1


def test_what_is_not_http_is_400_and_the_line_is_closed() -> None:
    async def story(line: Line, _state: State) -> None:
        line.send(b"POST /gateway/v1/reports nonsense\r\n\r\n")
        assert (await line.answer())[0] == 400
        assert await line.closed()

    talk(story)


def test_headers_without_end_are_cut_off() -> None:
    async def story(line: Line, _state: State) -> None:
        line.send(b"POST /gateway/v1/reports HTTP/1.1\r\nX: " + b"x" * MAX_HEAD)
        assert (await line.answer())[0] == 431
        assert await line.closed()

    talk(story)


def test_connection_close_is_honoured() -> None:
    async def story(line: Line, _state: State) -> None:
        line.send(request(extra="Connection: close\r\n"))
        status, headers, _ = await line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await line.closed()

    talk(story)


def test_a_sender_that_waits_for_100_continue_hears_it() -> None:
    async def story(line: Line, _state: State) -> None:
        head, _, body = request(extra="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        line.send(head + b"\r\n\r\n")
        assert await line.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.send(body)
        assert (await line.answer())[0] == 200

    talk(story)


def test_a_stopping_server_answers_what_it_took_in_and_closes() -> None:
    class SlowInbox(MemoryInbox):
        def put(self, delivery: Any, done: Any) -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(0.2, lambda: MemoryInbox.put(self, delivery, done))

    async def story(line: Line, state: State) -> None:
        line.send(request())
        await asyncio.sleep(0.1)
        for connection in list(state.connections):
            connection.shutdown()
        status, headers, _ = await line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await line.closed()

    assert len(talk(story, SlowInbox()).deliveries) == 1


def test_an_encrypted_message_comes_in_by_the_short_way_too() -> None:
    sealed = b64encode(box_of(SECRET).encrypt(b'{"_type":"location","tst":1,"lat":1,"lon":2}'))
    body = b'{"_type":"encrypted","data":"' + sealed + b'"}'
    head = (
        f"POST /gateway/owntracks HTTP/1.1\r\nHost: x\r\nAuthorization: Basic "
        f"{b64encode(b'T3:three').decode()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    async def story(line: Line, _state: State) -> None:
        line.send(head.encode() + body)
        status, _, told = await line.answer()
        assert (status, told) == (200, [])

    (delivery,) = talk(story).deliveries
    assert (delivery.raw, delivery.reports[0].lat_e7) == (body, 10_000_000)


def test_a_connection_beyond_the_limit_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ringfence.gateway.connection.MOST_CONNECTIONS", 1)

    async def story(line: Line, _state: State) -> None:
        line.send(request())
        assert (await line.answer())[0] == 200
        second = Line(*await asyncio.open_connection(*line.writer.get_extra_info("peername")))
        status, headers, told = await second.answer()
        assert (status, headers["retry-after"]) == (503, "5")
        assert "too many" in told["error"]
        assert await second.closed()
        line.send(request(seq=1))
        assert (await line.answer())[0] == 200

    assert len(talk(story).deliveries) == 2


def test_pages_without_end_keep_out_no_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.gateway.connection.MOST_PAGES", 1)

    async def story(line: Line, state: State) -> None:
        state.connections.add("a page")
        line.send(request())
        assert (await line.answer())[0] == 200
        line.send(b"GET / HTTP/1.1\r\n\r\n")
        assert (await line.answer())[0] == 503
        assert await line.closed()

    assert len(talk(story).deliveries) == 1


def test_who_never_ends_a_first_request_for_a_page_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ringfence.gateway.connection.IDLE_S", 0.05)

    async def story(line: Line, _state: State) -> None:
        line.send(b"GET / HTTP/1.1\r\n")
        assert await line.reader.read() == b"pages:GET / HTTP/1.1\r\n"

    talk(story)
