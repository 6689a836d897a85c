from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringfence.sim import fleet, outbox
from ringfence.sim.cast import Cast, build_cast
from ringfence.sim.clock import SimClock
from ringfence.sim.diary import Diary, reported_until_s
from ringfence.sim.fleet import carry, run_fleet
from ringfence.sim.link import Accepted, Busy, Link, Lost, Rejected, TooLarge, read_reply
from ringfence.sim.outbox import Totals
from ringfence.sim.run import CATCH_UP_H, LEAD_S, simulate, start_at
from ringfence.sim.world import build_world
from ringfence.trail.conditions_file import read_features
from tests.sim.door import TinyGateway, tiny_gateway

AN_HOUR_AGO_AT = datetime.fromtimestamp(time.time() - 3600, UTC)
MOODS = ("well", "busy", "dropped", "stored, then dropped", "broken")


def a_cast(hours: int) -> tuple[Cast, dict[str, str]]:
    """Twelve tags whose script begins an hour ago, and as much before it as asked."""
    world = build_world(7, AN_HOUR_AGO_AT, 12)
    cast = build_cast(world, read_features(world.conditions), backfill_s=hours * 3600)
    return cast, {tag.id: f"token-{tag.id}" for tag in world.tags}


def everything(minutes: int, hours: int) -> set[tuple[str, int]]:
    """The numbers of all reports that such a cast makes."""
    cast, _ = a_cast(hours)
    until_s = cast.world.at.timestamp() + minutes * 60
    made = set()
    for tag in cast.tags:
        while tag.next_s <= until_s:
            made.add((tag.id, tag.take()["seq"]))
    return made


def bad_day(seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    return (chance.choice(MOODS) for _ in itertools.count())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "BACKOFF_S", 0.001)
    monkeypatch.setattr(outbox, "BACKOFF_MOST_S", 0.01)
    monkeypatch.setattr(fleet, "APART_S", 0.001)


def run(moods: Iterator[str], minutes: int, hours: int = 2) -> tuple[TinyGateway, Totals]:
    async def main() -> tuple[TinyGateway, Totals]:
        async with tiny_gateway(moods) as gateway:
            cast, tokens = a_cast(hours)
            return gateway, await simulate(cast, tokens, gateway.url, minutes=minutes)

    return asyncio.run(main())


@pytest.mark.parametrize("seed", range(3))
def test_every_report_is_acknowledged_exactly_once_however_bad_the_network(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "BATCH", 20)  # many posts, so that much goes wrong
    gateway, totals = run(bad_day(seed), minutes=10)
    assert set(gateway.stored) == everything(10, 2)
    assert set(gateway.acknowledged.values()) == {1}
    assert totals.accepted + totals.duplicate == len(gateway.stored)
    assert totals.busy
    assert totals.lost
    assert totals.duplicate, "no answer was lost after storing: the test shows nothing"


def test_the_past_goes_out_oldest_first_and_in_one_piece() -> None:
    async def main() -> tuple[TinyGateway, Totals]:
        async with tiny_gateway(iter(())) as gateway:
            cast, tokens = a_cast(6)
            # Tags are at times without a network, at this very minute perhaps: not these.
            carried = carry(cast.tags, tokens, gateway.url, [lambda _: None] * len(cast.tags))
            until_s = cast.world.at.timestamp() + 300
            return gateway, await run_fleet(carried, SimClock(time.time(), 1), until_s)

    gateway, totals = asyncio.run(main())
    assert totals.posts == 12
    for tag in {t for t, _ in gateway.order}:
        numbers = [n for t, n in gateway.order if t == tag]
        assert numbers == sorted(numbers)


def test_each_tag_signs_with_its_own_token() -> None:
    gateway, _ = run(iter(()), minutes=1, hours=0)
    assert gateway.tokens == {f"bearer token-t{n}" for n in range(1001, 1013)}


def test_a_wrong_token_stops_its_tag_and_no_other() -> None:
    gateway, totals = run(iter(["unknown"]), minutes=1, hours=1)
    assert len({t for t, _ in gateway.stored}) == 11
    assert totals.accepted == len(gateway.stored)


def test_a_gateway_that_takes_less_at_once_gets_less_at_once() -> None:
    async def main() -> tuple[TinyGateway, Totals]:
        async with tiny_gateway(iter(()), most=7) as gateway:
            cast, tokens = a_cast(3)
            return gateway, await simulate(cast, tokens, gateway.url, minutes=1)

    gateway, totals = asyncio.run(main())
    assert totals.accepted == len(gateway.stored) == len(everything(1, 3))


def test_after_an_hour_without_network_the_newest_goes_first() -> None:
    async def main() -> tuple[Cast, TinyGateway]:
        cast, tokens = a_cast(0)
        at_s = cast.world.at.timestamp()
        gap = (at_s, at_s + 1800)
        # Simulated time runs so fast that half an hour passes while the network is away.
        clock = SimClock(at_s, 1200)
        async with tiny_gateway(iter(())) as gateway:
            tag = cast.tags[5]
            carried = carry([tag], tokens, gateway.url,
                            [lambda s: gap if gap[0] <= s < gap[1] else None])  # fmt: skip
            await run_fleet(carried, clock, at_s + 2400)
            return cast, gateway

    cast, gateway = asyncio.run(main())
    numbers = [n for _, n in gateway.order]
    first = [n for n in numbers if n <= cast.world.at.timestamp() + 1700]
    assert len(first) >= 5
    assert first == sorted(first, reverse=True)


def test_faster_than_life_an_hour_takes_half_a_second() -> None:
    async def main() -> tuple[float, TinyGateway]:
        async with tiny_gateway(iter(())) as gateway:
            cast, tokens = a_cast(0)
            began_s = time.monotonic()
            await simulate(cast, tokens, gateway.url, speed=7200, minutes=59)
            return time.monotonic() - began_s, gateway

    took_s, gateway = asyncio.run(main())
    assert took_s >= 59 * 60 / 7200 - 0.05
    assert set(gateway.stored) == everything(59, 0)


def test_it_stops_at_its_minute_though_the_next_report_is_far_off() -> None:
    async def main() -> float:
        # The present, so that the wall's clock decides; indoor tags report each five minutes.
        world = build_world(7, datetime.now(UTC), 4)
        cast = build_cast(world, read_features(world.conditions))
        tokens = {tag.id: "t" for tag in world.tags}
        async with tiny_gateway(iter(())) as gateway:
            began_s = time.monotonic()
            await simulate(cast, tokens, gateway.url, minutes=0.01)
            return time.monotonic() - began_s

    assert asyncio.run(main()) < 3


def test_nothing_is_reported_before_its_time() -> None:
    clock = SimClock(1000.0, 60, wall=iter([5000.0, 5001.0, 5001.0, 5001.0, 9000.0]).__next__)
    assert clock.now_s() == 1060
    assert clock.wait_s(1120) == pytest.approx(1.0)
    assert clock.now_s() == 9000, "it has caught up: from here on it is the wall's time"


def test_a_clock_slower_than_life_is_refused() -> None:
    with pytest.raises(ValueError, match="1 \\(real time\\) or more"):
        SimClock(0, 0.5)


def test_a_fast_world_begins_a_day_ago_and_a_live_one_in_a_moment() -> None:
    now_at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert (start_at(now_at, 1) - now_at).total_seconds() == LEAD_S
    assert (now_at - start_at(now_at, 60)).total_seconds() == CATCH_UP_H * 3600
    told_s = int(now_at.timestamp()) - 600
    assert (now_at - start_at(now_at, 60, told_s)).total_seconds() == 600


def test_a_restarted_simulator_knows_how_far_it_has_told(tmp_path: Path) -> None:
    cast, _ = a_cast(0)
    memory, truth = tmp_path / "memory.json", tmp_path / "truth.jsonl"
    diary = Diary(cast, read_features(cast.world.conditions), truth=truth, memory=memory)
    diary.close(cast.from_s + 90)
    assert reported_until_s(memory, 7) == cast.from_s + 90
    assert reported_until_s(memory, 8) == 0
    assert reported_until_s(tmp_path / "none", 7) == 0
    assert "strap_cut" in truth.read_text()


@pytest.mark.parametrize(
    ("status", "after", "body", "reply"),
    [
        (200, None, b'{"accepted":2,"duplicate":1,"refused":[]}', Accepted(2, 1, ())),
        (200, None, b'{"accepted":0,"duplicate":0,"refused":[{"index":0,"why":"lat"}]}',
         Accepted(0, 0, ("lat",))),
        (200, None, b"<html>", Lost("unreadable answer")),
        (200, None, b"[]", Lost("unreadable answer")),
        (429, "3", b"", Busy(3.0)),
        (429, None, b"", Busy(1.0)),
        (429, "Tue, 24 Nov 2026 12:00:00 GMT", b"", Busy(1.0)),
        (503, "5", b"", Busy(5.0)),
        (503, None, b"", Lost("status 503")),
        (413, None, b"", TooLarge()),
        (401, None, b"no", Rejected(401, "no")),
        (502, None, b"", Lost("status 502")),
    ],
)  # fmt: skip
def test_only_a_whole_200_lets_a_tag_forget(
    status: int, after: str | None, body: bytes, reply: object
) -> None:
    assert read_reply(status, after, body) == reply


def test_an_address_that_is_no_url_is_refused() -> None:
    with pytest.raises(ValueError, match="give one such as"):
        Link("localhost:8000", "T1", "x")


def test_a_gateway_that_is_not_there_is_no_answer() -> None:
    assert isinstance(Link("http://127.0.0.1:9", "T1", "x").post([]), Lost)
