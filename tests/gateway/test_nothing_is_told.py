"""What comes in at the doors is in the database and nowhere else: not in logs, at any level."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64encode

import pytest
import structlog

from ringfence.gateway import dialogue, messages, session
from ringfence.gateway.codecs import osmand, owntracks, ringfence_json, traccar
from ringfence.gateway.frames import DeviceModel
from ringfence.gateway.pace import Pace
from ringfence.gateway.report import Decoded, MalformedError
from ringfence.gateway.tcp_codecs import CODECS
from tests.gateway.codecs import queclink_frames as queclink
from tests.gateway.codecs.tag_frames import GPSD, login, mgv, packet, record, stx
from tests.gateway.house import TOKENS, FewTags, MemoryInbox
from tests.gateway.lines import Registered
from tests.gateway.test_dialogue import Cable, Later

MARKS = ("51.5432", "5143216", "-0.7654", "0.7654", "515432", "7654321")
"""Digits of the place that every frame below says."""
PLACE = {"lat": 51.54321, "lon": -0.76543}
GOOD = {"time": "2026-03-01T10:02:00Z", **PLACE}
BODIES: dict[str, list[bytes]] = {
    "/gateway/v1/reports": [
        json.dumps({"tag": "T1", "reports": [GOOD]}).encode(),
        json.dumps({"tag": "T1", "reports": [GOOD | {"lat": "51.54321"}]}).encode(),
        json.dumps({"tag": "T1", "reports": [GOOD | {"lat": 515432.1, "speed_mps": "x"}]}).encode(),
        json.dumps({"tag": 51.54321, "reports": {"51.54321": -0.76543}}).encode(),
        b'{"tag":"T1","reports":[{"lat":51.54321,"lon":-0.76543,}]}',
        b'{"tag":"T1","reports":[51.54321,[-0.76543]]}',
        b'{"tag":"T1","reports":[{"lat":NaN,"lon":-0.76543,"time":"51.54321"}]}',
        b'{"tag":"51.54321","reports":[]}',
        b"51.54321,-0.76543",
    ],
    "/gateway/owntracks": [
        json.dumps({"_type": "location", "tst": 1772359320, **PLACE}).encode(),
        json.dumps({"_type": "location", "tst": "51.54321", **PLACE}).encode(),
        b'{"_type":"location","lat":51.54321 "lon":-0.76543}',
        b'{"_type":51.54321}',
        b'{"_type":"encrypted","data":"51.54321"}',
    ],
    "/gateway/osmand": [
        b"id=T1&lat=51.54321&lon=-0.76543&timestamp=1772359320",
        b"id=T1&lat=515432.1&lon=-0.76543",
        b"id=T1&lat=51.54321&lon=-0.76543&timestamp=51.54321x",
        b"lat=51.54321&lon=-0.76543",
        b"id=51.54321&id=-0.76543",
        b'{"location":{"coords":{"latitude":51.54321}},"device_id":"-0.76543"}',
    ],
    "/gateway/traccar": [
        b'{"device":{"uniqueId":"51.54321"},"position":{"latitude":51.54321}}',
        b'{"device":{"uniqueId":"T1"},"position":{"valid":true,"latitude":"51.54321"}}',
        b'{"device":{"uniqueId":"T1"},"position":{"valid":false,"fixTime":"51.54321"}}',
        b'{"device":{"uniqueId":"T1"},"position":51.54321}',
    ],
}
DECODERS = {
    "/gateway/v1/reports": lambda body: ringfence_json.decode(body, ringfence_json.JSON),
    "/gateway/owntracks": owntracks.decode,
    "/gateway/osmand": lambda body: osmand.decode(body, 0),
    "/gateway/traccar": traccar.decode,
}
_LON, _LAT = -7_654_321, 515_432_160
FRAMES = {
    "megastek": [
        mgv(lat="5132.59260", lon="00045.92580"),
        mgv(lat="51.54321", lon="-0.76543"),
        mgv(day="51.54321"),
        b"$MGV002,51.54321,-0.76543!",
        stx().replace(b"5130.4320", b"51.54321"),
        b"51.54321!",
    ],
    "queclink": [
        queclink.fri("1,3.6,271,12.5,-0.765432,51.543216,20260301100200"),
        queclink.fri("1,3.6,271,12.5,-0.765432,51.543216,2026030110020"),
        queclink.fri("1,3.6,271,12.5,-0.765432,515.43216,20260301100200"),
        b"+RESP:GTFRI,51.54321,-0.76543$",
        b"51.54321,-0.76543$",
    ],
    "r16h": [
        GPSD.replace("51.50720", "51.54321").encode(),
        GPSD.replace("51.50720", "51.5432x1").encode(),
        GPSD.replace("20260301", "51.54321").encode(),
        b"@KIND,51.54321,-0.76543$",
        b"51.54321$",
    ],
    "teltonika": [
        login() + packet([record(lon=_LON, lat=_LAT)]),
        packet([record(lon=_LON, lat=_LAT)])[:-1] + b"\x00",
        packet([record(lon=_LON, lat=2_000_000_000)]),
    ],
}


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is logged anywhere, at the lowest level, by either way of logging."""
    heard: list[str] = []

    def keep(_logger: object, _name: str, event: structlog.typing.EventDict) -> str:
        heard.append(repr(event))
        raise structlog.DropEvent

    caplog.set_level(logging.DEBUG)
    made = structlog.wrap_logger(
        None, [keep], wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG)
    )
    for module in (session, dialogue, messages):
        monkeypatch.setattr(module, "log", made)
    return heard


def says_nothing(text: str) -> None:
    for mark in MARKS:
        assert mark not in text, text


@pytest.mark.parametrize("path", BODIES)
def test_no_refusal_repeats_what_it_refuses(path: str) -> None:
    for body in BODIES[path]:
        for cut in (len(body), len(body) - 1, len(body) // 2):
            try:
                decoded: Decoded = DECODERS[path](body[:cut])
            except MalformedError as fault:
                says_nothing(str(fault))
            else:
                says_nothing(repr(decoded.refused))


@pytest.mark.parametrize("protocol", FRAMES)
def test_no_error_of_a_frame_repeats_it(protocol: str) -> None:
    for frame in FRAMES[protocol]:
        for cut in (len(frame), len(frame) * 2 // 3):
            for heard in (
                CODECS[protocol].talk(lambda _: DeviceModel(), True).receive(frame[:cut] + b"\n")
            ):
                says_nothing(str(heard.error))


@pytest.mark.parametrize("protocol", FRAMES)
def test_no_log_of_a_line_says_where(
    protocol: str, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Later()
    house = dialogue.House(CODECS[protocol], inbox, Registered(), Pace())
    for frame in FRAMES[protocol]:
        line = dialogue.Dialogue(house, Cable(), "192.0.2.1:4000")
        line.receive(frame + b"\n")
        inbox.commit()
    assert told
    says_nothing("".join(told) + caplog.text)
    says_nothing("".join(item.detail for item in inbox.apart))


@pytest.mark.parametrize("path", BODIES)
def test_no_log_and_no_answer_of_a_request_says_where(
    path: str, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    replies: list[session.Reply] = []
    inbox = MemoryInbox()

    async def send() -> None:
        asks = session.Session(inbox, FewTags())
        sender = "a feed" if path == "/gateway/traccar" else "T1"
        for body in BODIES[path]:
            for token in (TOKENS[sender], "51.54321"):
                door = session.DOORS[path.encode()]
                pair = b64encode(f"{sender}:{token}".encode())
                shown = (
                    b"Basic " + pair if b"basic" in door.schemes else b"Bearer " + token.encode()
                )
                headers = {b"authorization": shown}
                query = b"lat=51.54321&lon=-0.76543" if door.parameters else b""
                asks.take(door, headers, body, "192.0.2.1", replies.append, query=query)
                await asyncio.sleep(0)
        await asyncio.sleep(0.01)

    asyncio.run(send(), debug=True)
    assert len(replies) == 2 * len(BODIES[path])
    assert told
    says_nothing("".join(told) + caplog.text)
    says_nothing(b"".join(reply.body for reply in replies).decode())
    says_nothing("".join(item.detail for item in inbox.apart))
