from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.sentences import LONGEST, Cutter, device_of, instant_ms, number, positive

LINE = re.compile(rb"[^!\n]*+[!\n]")


def test_frames_end_with_their_mark_and_wait_for_it() -> None:
    cutter = Cutter(LINE, b"!\n")
    assert cutter.cut(b"a!\r\n b") == [b"a!"]
    assert cutter.unfinished == 1
    assert cutter.cut(b"c\n") == [b"bc"]
    assert cutter.unfinished == 0


def test_what_is_too_long_comes_out_in_pieces() -> None:
    cutter = Cutter(LINE, b"!\n")
    assert [len(piece) for piece in cutter.cut(b"x" * 3 * LONGEST)] == [LONGEST] * 2
    assert cutter.unfinished == LONGEST
    assert cutter.cut(b"!") == [b"x" * LONGEST + b"!"]


@pytest.mark.parametrize("length", range(LONGEST - 1, LONGEST + 4))
def test_the_longest_frame_is_as_long_whenever_its_end_comes(length: int) -> None:
    whole, late = Cutter(LINE, b"!\n"), Cutter(LINE, b"!\n")
    frames = whole.cut(b"x" * length + b"!")
    assert late.cut(b"x" * length) + late.cut(b"!") == frames
    assert len(frames) == (1 if length <= LONGEST else 2)


@given(st.lists(st.integers(0, 3 * LONGEST), max_size=6), st.sets(st.integers(0, 9000), max_size=4))
def test_pieces_are_the_same_however_they_come(cuts: list[int], marks: set[int]) -> None:
    data = bytearray(b" x" * 4500)
    for at in marks:
        data[at % len(data)] = ord("!")
    whole, parts, heard = Cutter(LINE, b"!\n"), Cutter(LINE, b"!\n"), []
    edges = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    for begin, end in pairwise(edges):
        heard += parts.cut(bytes(data[begin:end]))
        assert parts.unfinished <= LONGEST
    assert heard == whole.cut(bytes(data))


@pytest.mark.parametrize(
    ("said", "value"),
    [
        *[(b"1.5", 1.5), (b"-2", -2.0), (b"007", 7.0), (b".5", 0.5), (b"5.", 5.0)],
        *[(b"", None), (b"-", None), (b".", None), (b"nan", None), (b"inf", None), (b"1_0", None)],
        *[(b"1e3", None), (b" 1", None), (b"--1", None), (b"\xb2", None), (b"9" * 9, None)],
    ],
)
def test_only_plain_numbers_are_numbers(said: bytes, value: float | None) -> None:
    assert number(said) == value
    assert positive(said) == (None if value is not None and value < 0 else value)
    assert positive(b"361", 360) is None


def test_an_id_is_short_and_plain() -> None:
    assert device_of(b" 350000000000017 ") == "350000000000017"
    for said in (b"", b"a b", b"\xff", b"x" * 33, b"a,b"):
        assert device_of(said) is None


@given(st.integers(946_684_800, 2_840_140_800), st.integers(0, 999))
def test_a_clock_is_read_as_its_zone_means_it(wall_s: int, ms: int) -> None:
    wall = datetime.fromtimestamp(wall_s, UTC)
    day, clock = f"{wall:%Y%m%d}".encode(), f"{wall:%H%M%S}.{ms:03}".encode()
    for zone in (UTC, ZoneInfo("Europe/London")):
        meant = wall.replace(tzinfo=zone)
        assert instant_ms(day, clock, zone) == round(meant.timestamp()) * 1000 + ms


@pytest.mark.parametrize("day", [b"19800101", b"99981231", b"20260301"])
def test_every_zone_gives_a_time_that_can_be_written(day: bytes) -> None:
    for name in sorted(available_timezones()):
        for clock in (b"000000", b"235959.9"):
            ms = instant_ms(day, clock, ZoneInfo(name))
            assert ms is not None
            assert datetime.fromtimestamp(ms / 1000, UTC)


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        *[(b"20260230", b"100000"), (b"2026030", b"100000"), (b"19791231", b"100000")],
        *[(b"20260301", b"240000"), (b"20260301", b"106000"), (b"20260301", b"100060")],
        *[(b"20260301", b"1000"), (b"20260301", b"100000."), (b"20260301", b"100000x5")],
        *[(b"2026 301", b"100000"), (b"20260301", b"10 000")],
    ],
)
def test_what_is_no_time_is_none(day: bytes, clock: bytes) -> None:
    assert instant_ms(day, clock, UTC) is None
