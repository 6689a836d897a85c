"""What holds for every codec of a tag: any bytes, cut anywhere, at any length."""

from __future__ import annotations

import struct
import time
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.codecs import megastek, r16h, teltonika
from ringfence.gateway.frames import Codec, DeviceModel
from tests.gateway.codecs.tag_frames import GPSD, LBSD, gh, login, mgv, packet, record, stx, talk


class Family(NamedTuple):
    codec: Codec
    frames: list[bytes]
    most_waiting: int
    """Bytes of the longest frame."""


def datagram() -> bytes:
    inner = b"\xca\xfe\x01\x05" + login() + b"\x08\x01" + record() + b"\x01"
    return struct.pack(">H", len(inner)) + inner


TELTONIKA = Family(
    teltonika.CODEC,
    [
        login(),
        b"\xff\xff" + login(),
        datagram(),
        packet([record([{113: 87, 249: 1}, {182: 9}])]),
        packet([record([{240: 1}], 0x8E, sized={385: bytes(30)})] * 2, 0x8E),
        packet([record([{}, {66: 12_000}], 0x10)], 0x10),
        packet([record(long={203: bytes(16)})] * 3),
        packet([gh(3, 0x11, bytes(9), b"\x01\xde\x01")], 0x07),
    ],
    teltonika.LONGEST + 12,
)
MEGASTEK = Family(
    megastek.CODEC,
    [
        mgv(),
        mgv(valid="V", status="00", alarm="Belt Off,0200000000aa:50,"),
        b"0031$MGV002,350000000000066,Hello;!\r\n",
        stx(),
        b"STX260475          \x02!$GPRMC,131110.00,V,,,,,,,060926,,,N*76,222,01,815A,D455,11;\r\n",
        b"cmd=aid;user=x;lat=51.5;lon=-0.1\n",
    ],
    4097,
)
R16H = Family(
    r16h.CODEC, [b"@LINK,350000000000041$", GPSD.encode(), LBSD.encode(), b"@BEAT,1$"], 4097
)
FAMILIES = st.sampled_from([TELTONIKA, MEGASTEK, R16H])


@st.composite
def streams(draw: st.DrawFn) -> tuple[Family, bytes]:
    """Good frames, mutated frames and noise, one after the other."""
    family = draw(FAMILIES)
    frame = st.sampled_from(family.frames)
    mutated = st.builds(
        mutate, frame, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)))
    )
    cut = st.builds(lambda f, n: f[: n % (len(f) + 1)], frame, st.integers(0, 300))
    pieces = st.lists(frame | mutated | cut | st.binary(max_size=40), max_size=8)
    return family, b"".join(draw(pieces))


def mutate(frame: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(frame)
    for at, value in changes:
        changed[at % len(changed)] = value
    return bytes(changed)


@given(streams(), st.lists(st.integers(0, 900), max_size=12))
def test_a_stream_split_anywhere_is_heard_the_same(
    stream: tuple[Family, bytes], cuts: list[int]
) -> None:
    family, data = stream
    whole = talk(family.codec)
    expected = whole.receive(data)
    parts = talk(family.codec)
    heard = []
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    for begin, end in pairwise(edges):
        heard += parts.receive(data[begin:end])
        assert parts.unfinished <= family.most_waiting
    assert heard == expected
    assert parts.unfinished == whole.unfinished


@pytest.mark.parametrize("family", [TELTONIKA, MEGASTEK, R16H], ids=lambda f: f.codec.name)
def test_a_stream_byte_by_byte_is_heard_the_same(family: Family) -> None:
    data = b"".join(family.frames) * 2
    expected = talk(family.codec).receive(data)
    assert len(expected) == 2 * len(family.frames)
    parts = talk(family.codec)
    assert [h for n in range(len(data)) for h in parts.receive(data[n : n + 1])] == expected


@given(FAMILIES, st.binary(max_size=3000))
def test_any_bytes_are_heard_or_wait(family: Family, data: bytes) -> None:
    conversation = talk(family.codec)
    for heard in conversation.receive(data):
        assert heard.raw
        assert not (heard.error and heard.reports)
    assert conversation.unfinished <= family.most_waiting


@given(streams())
def test_what_is_not_asked_for_changes_no_report(stream: tuple[Family, bytes]) -> None:
    family, data = stream
    asked = talk(family.codec).receive(data)
    unasked = family.codec.talk(lambda _: DeviceModel(), False).receive(data)
    assert [h._replace(unnamed=(), doubtful=()) for h in asked] == unasked
    for heard in asked:
        assert not (heard.doubtful and heard.reports)
        assert len(heard.unnamed) == len(heard.reports or heard.doubtful)


def hard(family: Family) -> list[bytes]:
    """Input that costs the most: the longest frames, and beginnings without an end."""
    noise = [b"\xff" * 4000, bytes(8000), b"\x00\x0f1234" * 1500, b"," * 4096, b"$MG" * 1300]
    noise += [bytes(6) + b"\x20\xff\x08" * 2800, b"STX" * 1300, b"@" * 4096, b"|" * 4000 + b"!"]
    if family is TELTONIKA:
        long = packet([record([{113: 1}, {182: 9}])] * 255)
        assert len(long) < family.most_waiting * 2
        noise += [packet([record()] * 250), long]
        noise += [packet([record(codec=0x8E, sized=dict.fromkeys(range(900), b"a" * 4))], 0x8E)]
    return noise


@pytest.mark.parametrize("family", [TELTONIKA, MEGASTEK, R16H], ids=lambda f: f.codec.name)
def test_nothing_costs_much_time_or_memory(family: Family) -> None:
    for data in hard(family):
        quickest = 1.0
        for _ in range(3):
            conversation = talk(family.codec)
            begun = time.process_time()
            heard = conversation.receive(data)
            quickest = min(quickest, (time.process_time() - begun) / max(1, len(heard)))
            for _ in range(20):
                conversation.receive(data)
                assert conversation.unfinished <= family.most_waiting
        assert quickest < 0.010
