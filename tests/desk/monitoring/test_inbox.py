"""Group commit, duplicates, trouble: the inbox on a real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.desk.cases.tag_actions import add_tag
from ringfence.desk.monitoring import lines
from ringfence.desk.monitoring.inbox import ReportInbox
from ringfence.desk.monitoring.lines import MAX_WAITING_BYTES
from ringfence.desk.monitoring.models import Frame, Quarantine, Report
from ringfence.desk.monitoring.storing import store
from ringfence.gateway.report import (
    Delivery,
    InboxFullError,
    KnownTag,
    NotStored,
    Receipt,
    SetApart,
    seal,
)
from ringfence.gateway.report import Report as Said

pytestmark = pytest.mark.django_db(transaction=True)
Outcome = Receipt | NotStored
NOTHING_MORE = (None, 0, None, None, None, None, None, None, 0)


@pytest.fixture
def tag() -> KnownTag:
    made, _ = add_tag(by="system:test", name="T1")
    return KnownTag(made.pk, made.name)


@pytest.fixture
def inbox() -> Iterator[ReportInbox]:
    made = ReportInbox(ring=lambda: None)
    made.start()
    yield made
    made.stop()


def said(seq: int, **fields: float) -> Said:
    blank = seal((seq, 1_772_359_320_000 + seq * 1000, 515_000_000, -1_000_000, *NOTHING_MORE))
    return seal(blank._replace(**fields)[1:])  # type: ignore[arg-type]


def delivery(tag: KnownTag, *seqs: int, raw: bytes = b"{}") -> Delivery:
    return Delivery(tag, "reports", "192.0.2.1", raw, 1_772_359_400_000, [said(s) for s in seqs])


def kept(tag: KnownTag, seq: int) -> Delivery:
    """What a tag kept for long."""
    one = delivery(tag, seq)
    return one._replace(received_ms=max(r.time_ms for r in one.reports) + 3_600_000)


def put_all(inbox: ReportInbox, deliveries: list[Delivery]) -> list[Outcome]:
    """Put all in at once; return what each heard, in order."""

    async def scene() -> list[Outcome]:
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Outcome]] = [loop.create_future() for _ in deliveries]
        for item, future in zip(deliveries, futures, strict=True):
            inbox.put(item, future.set_result)
        return await asyncio.wait_for(asyncio.gather(*futures), 10)

    return asyncio.run(scene())


def eventually(true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_what_is_acknowledged_is_stored_with_the_bytes_it_came_in(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    assert put_all(inbox, [delivery(tag, 7, raw=b"evidence")]) == [Receipt(1, 0)]
    row = Report.objects.get()
    assert (row.tag_id, row.seq, row.lat_e7, row.received_ms) == (
        tag.id,
        7,
        515_000_000,
        1_772_359_400_000,
    )
    assert row.digest == said(7).digest
    assert bytes(row.frame.raw) == b"evidence"
    assert (row.frame.door, row.frame.peer) == ("reports", "192.0.2.1")


def test_every_column_arrives_where_it_belongs(tag: KnownTag) -> None:
    whole = said(
        1, accuracy_m=8.5, source=1, speed_mps=1.5, course_deg=90.5, altitude_m=3.5, satellites=9,
        hdop=0.5, battery_pct=81.5, signals=3,
    )  # fmt: skip
    store([Delivery(tag, "reports", "", b"", whole.time_ms, [whole])])
    row = Report.objects.get()
    assert {f: getattr(row, f) for f in whole._fields} == whole._asdict()


def test_many_deliveries_share_a_commit_and_each_hears_its_own_count(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    deliveries = [delivery(tag, *range(i * 10, i * 10 + i % 7 + 1)) for i in range(300)]
    outcomes = put_all(inbox, deliveries)
    assert outcomes == [Receipt(i % 7 + 1, 0) for i in range(300)]
    assert Report.objects.count() == sum(len(d.reports) for d in deliveries)
    assert Frame.objects.count() == 300


def test_arrival_is_kept_in_the_order_of_ids(inbox: ReportInbox, tag: KnownTag) -> None:
    put_all(inbox, [delivery(tag, 5, 3), delivery(tag, 4)])
    assert list(Report.objects.order_by("id").values_list("seq", flat=True)) == [5, 3, 4]


@pytest.mark.parametrize("together", [True, False])
def test_the_same_report_twice_is_stored_once_and_counted(
    inbox: ReportInbox, tag: KnownTag, *, together: bool
) -> None:
    twice = [delivery(tag, 1, 2), delivery(tag, 2, 3, 2)]
    if together:
        outcomes = put_all(inbox, twice)
    else:
        outcomes = [*put_all(inbox, twice[:1]), *put_all(inbox, twice[1:])]
    assert outcomes == [Receipt(2, 0), Receipt(1, 2)]
    assert Report.objects.count() == 3


def test_a_report_sent_ahead_of_its_time_does_not_make_the_true_one_a_known_one(
    tag: KnownTag,
) -> None:
    in_time = delivery(tag, 1)
    ahead = in_time._replace(received_ms=in_time.reports[0].time_ms - 3_600_000)
    assert store([ahead]) == [Receipt(1, 0)]
    assert store([in_time]) == [Receipt(1, 0)]
    assert store([ahead, in_time]) == [Receipt(0, 1)] * 2
    assert list(Report.objects.order_by("id").values_list("received_ms", flat=True)) == [
        ahead.received_ms,
        in_time.received_ms,
    ]


def test_bytes_that_brought_nothing_new_are_not_kept(inbox: ReportInbox, tag: KnownTag) -> None:
    put_all(inbox, [delivery(tag, 1)])
    assert put_all(inbox, [delivery(tag, 1)]) == [Receipt(0, 1)]
    assert Frame.objects.count() == 1


def test_two_tags_may_say_the_same(inbox: ReportInbox, tag: KnownTag) -> None:
    other = KnownTag(add_tag(by="system:test", name="T2")[0].pk, "T2")
    assert put_all(inbox, [delivery(tag, 1), delivery(other, 1)]) == [Receipt(1, 0)] * 2


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # each example stores
@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=8), min_size=1, max_size=12))
def test_whatever_is_sent_each_report_is_there_once(tag: KnownTag, sent: list[list[int]]) -> None:
    Report.objects.all().delete()
    receipts = store([delivery(tag, *seqs) for seqs in sent])
    assert [r.accepted + r.duplicate for r in receipts] == [len(seqs) for seqs in sent]
    stored = list(Report.objects.values_list("seq", flat=True))
    assert sum(r.accepted for r in receipts) == len(stored)
    assert sorted(stored) == sorted({s for seqs in sent for s in seqs})


def test_a_report_no_column_can_hold_never_costs_the_others(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    bad = delivery(tag, 1, raw=b"bad")
    bad.reports[0] = bad.reports[0]._replace(satellites=2**80)
    first, second, third = put_all(inbox, [delivery(tag, 2), bad, delivery(tag, 3)])
    assert (first, third) == (Receipt(1, 0), Receipt(1, 0))
    assert isinstance(second, NotStored)
    assert inbox.trouble is None
    inbox.stop()
    assert Quarantine.objects.filter(reason="unstorable", raw=b"bad").exists()


def test_too_much_waiting_is_refused_at_the_door_and_none_of_it_lost(
    tag: KnownTag, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 400
    monkeypatch.setattr(lines, "MAX_WAITING", most)
    inbox = ReportInbox(ring=lambda: None)
    heard: list[Outcome] = []

    async def scene() -> None:
        for seq in range(most):
            inbox.put(kept(tag, seq), heard.append)
        with pytest.raises(InboxFullError):
            inbox.put(kept(tag, 9_999_999), heard.append)
        inbox.start()
        while len(heard) < most:
            await asyncio.sleep(0.01)
        inbox.put(kept(tag, 9_999_999), heard.append)
        while len(heard) <= most:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(scene(), 60))
    inbox.stop()
    assert heard == [Receipt(1, 0)] * (most + 1)
    assert Report.objects.count() == most + 1


def test_too_many_bytes_waiting_are_refused_too(tag: KnownTag) -> None:
    inbox = ReportInbox(ring=lambda: None)

    async def scene() -> None:
        for seq in range(MAX_WAITING_BYTES >> 20):
            inbox.put(delivery(tag, seq, raw=bytes(1 << 20)), lambda _: None)
        with pytest.raises(InboxFullError):
            inbox.put(delivery(tag, 99), lambda _: None)

    asyncio.run(scene())


def test_stopping_commits_what_was_put_in(tag: KnownTag) -> None:
    inbox = ReportInbox(ring=lambda: None)

    async def scene() -> None:
        for seq in range(500):
            inbox.put(delivery(tag, seq), lambda _: None)

    asyncio.run(scene())
    inbox.start()
    inbox.stop()
    assert Report.objects.count() == 500


def test_the_bell_rings_after_the_commit_and_not_for_duplicates(tag: KnownTag) -> None:
    seen: list[int] = []
    inbox = ReportInbox(ring=lambda: seen.append(Report.objects.count()))
    inbox.start()
    put_all(inbox, [delivery(tag, 1)])
    put_all(inbox, [delivery(tag, 1)])
    inbox.stop()
    assert seen == [1]


def test_a_full_disk_acknowledges_nothing_says_so_and_is_over_by_itself(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    put_all(inbox, [delivery(tag, 1)])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0]}")
    (outcome,) = put_all(inbox, [delivery(tag, 2, raw=bytes(5_000_000))])
    assert isinstance(outcome, NotStored)
    assert "disk is full" in outcome.why
    assert "disk is full" in (inbox.trouble or "")
    assert not Report.objects.filter(seq=2).exists()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count=1000000")
    eventually(lambda: inbox.trouble is None)
    assert put_all(inbox, [delivery(tag, 2, raw=bytes(5_000_000))]) == [Receipt(1, 0)]


def test_set_apart_keeps_bytes_peer_and_reason(inbox: ReportInbox) -> None:
    inbox.set_apart(
        SetApart("reports", "192.0.2.1", b"\xff", 5, "malformed", "not JSON", sender_known=False)
    )
    inbox.stop()
    row = Quarantine.objects.get()
    assert (row.peer, bytes(row.raw), row.reason, row.detail) == (
        "192.0.2.1",
        b"\xff",
        "malformed",
        "not JSON",
    )


def test_a_flood_of_strangers_fills_no_disk_and_starves_no_tag(inbox: ReportInbox) -> None:
    flood = bytes(1 << 20)
    for known in [False] * 200 + [True]:
        reason = "malformed" if known else "unauthenticated"
        inbox.set_apart(SetApart("reports", "", flood, 5, reason, "", sender_known=known))
    inbox.stop()
    assert Quarantine.objects.filter(reason="malformed").count() == 1
    kept = Quarantine.objects.filter(reason="unauthenticated")
    assert 0 < sum(len(bytes(row.raw)) for row in kept) <= 5 << 20
    assert (len(bytes(kept[0].raw)), kept[0].size) == (65_536, 1 << 20)


def test_one_tags_rubbish_leaves_room_for_what_other_tags_say(inbox: ReportInbox) -> None:
    loud, other = (KnownTag(add_tag(by="system:test", name=n)[0].pk, n) for n in ("T1", "T2"))
    for _ in range(200):
        inbox.set_apart(apart(loud, bytes(1 << 16)))
    inbox.set_apart(apart(loud, b"word of it", reason="too_many"))
    inbox.set_apart(apart(other, b"a new firmware's"))
    inbox.stop()
    kept = Quarantine.objects.order_by("id").values_list("tag_id", "size", "reason")
    assert len(kept) < 20
    assert list(kept)[-2:] == [(loud.id, 10, "too_many"), (other.id, 16, "malformed")]


def test_what_can_not_be_stored_does_not_cost_what_was_set_apart(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    bad = delivery(tag, 1, raw=b"bad")
    bad.reports[0] = bad.reports[0]._replace(satellites=2**80)
    inbox.stop()
    made = ReportInbox(ring=lambda: None)
    made.set_apart(apart(tag, b"of a phone that was told it was taken"))
    made._lines.put(bad, lambda _: None)
    made.start()
    made.stop()
    assert Quarantine.objects.filter(raw=b"of a phone that was told it was taken").exists()


def test_a_writer_that_finds_the_unstorable_at_the_last_stops_all_the_same(tag: KnownTag) -> None:
    bad = delivery(tag, 1, raw=b"bad")
    bad.reports[0] = bad.reports[0]._replace(satellites=2**80)
    made = ReportInbox(ring=lambda: None)
    made._lines.put(bad, lambda _: None)
    made.start()
    made.stop()
    assert "not running" in (made.trouble or "")
    assert Quarantine.objects.filter(reason="unstorable", raw=b"bad").exists()


def test_what_was_set_apart_while_the_disk_was_full_is_kept_when_there_is_room(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    put_all(inbox, [delivery(tag, 1)])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that earlier tests left would be room enough
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0]}")
    inbox.set_apart(apart(tag, b"x" * 60_000))
    eventually(lambda: inbox.trouble is not None)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count=1000000")
    eventually(lambda: Quarantine.objects.filter(size=60_000).exists())


def apart(tag: KnownTag, raw: bytes, reason: str = "malformed") -> SetApart:
    return SetApart("reports", "192.0.2.1", raw, 5, reason, "", sender_known=True, tag=tag)


def test_who_is_answered_for_what_was_set_apart_is_answered_after_its_commit(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    seen: list[tuple[Outcome, int]] = []

    async def scene() -> None:
        for _ in range(11):
            said: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            inbox.set_apart(apart(tag, bytes(1 << 16)), said.set_result)
            outcome = await asyncio.wait_for(said, 5)
            seen.append((outcome, await asyncio.to_thread(Quarantine.objects.count)))

    asyncio.run(scene())
    assert [outcome for outcome, _ in seen] == [Receipt(0, 0)] * 11  # also beyond the allowance
    assert [count for _, count in seen] == [1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7]


def test_who_is_answered_for_it_hears_when_nothing_can_be_stored(
    inbox: ReportInbox, tag: KnownTag
) -> None:
    put_all(inbox, [delivery(tag, 1)])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0]}")
    heard: list[Outcome] = []

    async def scene() -> None:
        inbox.set_apart(apart(tag, b"x" * 60_000), heard.append)
        while not heard:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(scene(), 5))
    assert isinstance(heard[0], NotStored)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count=1000000")
    eventually(lambda: inbox.trouble is None)
    assert not Quarantine.objects.exists()  # its sender was told to send it again


def test_a_writer_that_does_not_run_is_trouble() -> None:
    assert "not running" in (ReportInbox().trouble or "")
