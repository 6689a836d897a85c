"""What a device's connection means, without a socket."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.engine.fix import Signal
from ringfence.gateway.dialogue import MAX_AHEAD, MOST_FAULTS, Dialogue, House
from ringfence.gateway.pace import AT_ONCE, Pace
from ringfence.gateway.report import Delivery, InboxFullError, NotStored, Receipt, SetApart
from ringfence.gateway.tcp_codecs import CODECS
from tests.gateway.lines import CODEC, Registered


@dataclass
class Later:
    """An inbox that commits when it is told to."""

    most: int = 1000
    waiting: deque[tuple[Delivery, Callable[[Receipt | NotStored], None]]] = field(
        default_factory=deque
    )
    stored: list[Delivery] = field(default_factory=list)
    apart: list[SetApart] = field(default_factory=list)
    kept: deque[Callable[[Receipt | NotStored], None]] = field(default_factory=deque)

    def put(self, delivery: Delivery, done: Callable[[Receipt | NotStored], None]) -> None:
        if len(self.waiting) >= self.most:
            raise InboxFullError
        self.waiting.append((delivery, done))

    def has_room(self) -> bool:
        return len(self.waiting) < self.most

    def set_apart(
        self, item: SetApart, done: Callable[[Receipt | NotStored], None] | None = None
    ) -> None:
        self.apart.append(item)
        if done:
            self.kept.append(done)

    def commit(self, count: int = 1000) -> None:
        while self.kept:
            self.kept.popleft()(Receipt(0, 0))
        for _ in range(min(count, len(self.waiting))):
            delivery, done = self.waiting.popleft()
            self.stored.append(delivery)
            done(Receipt(len(delivery.reports), 0))

    def fail(self) -> None:
        while self.kept:
            self.kept.popleft()(NotStored("the disk is full"))
        while self.waiting:
            self.waiting.popleft()[1](NotStored("the disk is full"))


@dataclass
class Cable:
    sent: bytes = b""
    closed: bool = False
    reading: bool = True
    full: bool = False
    asked_s: list[float] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def hold(self) -> None:
        self.reading = False

    def go_on(self) -> None:
        self.reading = True

    def call_back(self, seconds: float) -> None:
        self.asked_s.append(seconds)

    def inbox_is_full(self) -> None:
        self.full = True


class Scene:
    def __init__(self, *devices: str, most: int = 1000, certified: str = "") -> None:
        self.now_s = 0.0
        self.inbox, self.cable = Later(most), Cable()
        self.devices = Registered(*devices)
        house = House(CODEC, self.inbox, self.devices, Pace(lambda: self.now_s))
        self.dialogue = Dialogue(house, self.cable, "192.0.2.1:4000", certified)

    def send(self, text: str) -> None:
        self.dialogue.receive(text.encode())


def test_a_reply_waits_for_the_commit() -> None:
    scene = Scene("d1")
    scene.send("login d1\n@7\n")
    assert scene.cable.sent == b"hello\n"
    scene.inbox.commit()
    assert scene.cable.sent == b"hello\nok 7\n"
    (delivery,) = scene.inbox.stored
    assert (delivery.tag.name, delivery.door, delivery.peer) == ("T1", "lines", "192.0.2.1:4000")
    assert delivery.raw == b"@7"


def test_replies_keep_the_order_of_their_frames() -> None:
    scene = Scene("d1")
    scene.send("login d1\n@1\nbeat\n@2\nbeat\n")
    scene.inbox.commit(1)
    assert scene.cable.sent == b"hello\nok 1\nbeat\n"
    scene.inbox.commit()
    assert scene.cable.sent == b"hello\nok 1\nbeat\nok 2\nbeat\n"


def test_what_could_not_be_stored_is_not_answered_and_nothing_behind_it() -> None:
    scene = Scene("d1")
    scene.send("login d1\n@1\nbeat\n")
    scene.inbox.fail()
    assert scene.cable.sent == b"hello\n"
    assert scene.cable.closed


def test_a_stranger_is_kept_apart_told_and_hung_up_on() -> None:
    scene = Scene("d1")
    scene.send("login d9\n@1\n@2\n")
    assert scene.cable.sent == b"go away\n"
    assert scene.cable.closed
    (item,) = scene.inbox.apart
    assert (item.reason, item.sender_known, item.raw) == ("unauthenticated", False, b"login d9")
    assert not scene.inbox.waiting


def test_a_stranger_behind_a_known_device_does_not_cost_its_answer() -> None:
    scene = Scene("d1")
    scene.send("d1@1\nd9@2\nd1@3\n")
    assert not scene.cable.sent
    scene.inbox.commit()
    assert scene.cable.sent == b"ok 1\ngo away\n"
    assert [d.tag.name for d in scene.inbox.stored] == ["T1"]


def test_reports_of_nobody_are_kept_apart() -> None:
    scene = Scene("d1")
    scene.send("@1\n")
    assert scene.inbox.apart[0].reason == "unauthenticated"
    assert scene.cable.closed


def test_many_devices_share_a_connection() -> None:
    scene = Scene("d1", "d2")
    scene.send("d1@1\nd2@1\nd1@2\n")
    scene.inbox.commit()
    assert [d.tag.name for d in scene.inbox.stored] == ["T1", "T2", "T1"]
    assert scene.dialogue.speakers == {"d1", "d2"}


def test_a_device_struck_off_the_list_is_turned_away_in_mid_conversation() -> None:
    scene = Scene("d1")
    scene.send("login d1\n")
    assert scene.dialogue.are_all_known()
    del scene.devices.devices["d1"]
    assert not scene.dialogue.are_all_known()
    scene.send("@1\n")
    assert scene.cable.closed
    assert not scene.inbox.waiting


def test_an_unusable_frame_is_kept_apart_and_the_next_is_taken() -> None:
    scene = Scene("d1")
    scene.send("login d1\n!\n@1\n")
    scene.inbox.commit()
    assert scene.cable.sent == b"hello\nok 1\n"
    assert [(i.reason, i.sender_known) for i in scene.inbox.apart] == [("malformed", True)]


def test_an_alarm_without_a_time_is_stored_as_of_now_and_its_bytes_are_kept_apart_once() -> None:
    scene = Scene("d1", most=1)
    before_ms = time.time_ns() // 1_000_000
    scene.send("d1@1\nlogin d1\n?\n?\n")
    for _ in range(3):
        scene.inbox.commit()
        scene.dialogue.work()
    alarms = [d.reports[0] for d in scene.inbox.stored[1:]]
    assert [a.signals for a in alarms] == [Signal.STRAP_CUT] * 2
    assert all(before_ms <= a.time_ms <= time.time_ns() // 1_000_000 for a in alarms)
    assert [(a.reason, a.raw) for a in scene.inbox.apart] == [("refused_report", b"?")] * 2
    assert scene.cable.sent == b"ok 1\nhello\nheard\nheard\n"


def test_nothing_but_unusable_frames_is_hung_up_on() -> None:
    scene = Scene("d1")
    scene.send("login d1\n" + "!\n" * (MOST_FAULTS + 5))
    assert scene.cable.closed
    assert len(scene.inbox.apart) == MOST_FAULTS


def test_a_connection_far_ahead_is_left_unread_until_its_commits_come() -> None:
    scene = Scene("d1")
    scene.send("".join(f"d1@{n}\n" for n in range(MAX_AHEAD + 3)))
    assert not scene.cable.reading
    assert len(scene.inbox.waiting) == MAX_AHEAD
    scene.inbox.commit()
    scene.inbox.commit()
    assert scene.cable.reading
    assert len(scene.inbox.stored) == MAX_AHEAD + 3


def test_a_full_inbox_leaves_the_socket_unread_and_loses_nothing() -> None:
    scene = Scene("d1", most=1)
    scene.send("d1@1\nd1@2\n")
    assert scene.cable.full
    assert not scene.cable.reading
    scene.inbox.commit()
    scene.dialogue.work()
    scene.inbox.commit()
    assert scene.cable.sent == b"ok 1\nok 2\n"
    assert scene.cable.reading


def test_a_looping_tag_is_read_at_its_pace_and_told_of_once() -> None:
    scene = Scene("d1")
    for n in range(AT_ONCE):
        scene.send(f"d1@{n}\n")
        scene.inbox.commit()
    scene.send("d1@1\nd1@2\n")
    assert not scene.inbox.waiting
    assert scene.cable.asked_s == [pytest.approx(0.5)]
    assert [(i.reason, i.tag.name) for i in scene.inbox.apart if i.tag] == [("too_many", "T1")]
    scene.now_s += 0.5
    scene.dialogue.work()
    scene.inbox.commit()
    assert scene.cable.sent.endswith(b"\nok 1\n")
    scene.now_s += 0.5
    scene.dialogue.work()
    scene.inbox.commit()
    assert scene.cable.sent.endswith(b"\nok 2\n")
    assert len(scene.inbox.apart) == 1


def test_a_full_inbox_costs_no_tag_its_allowance() -> None:
    scene = Scene("d1", most=0)
    for _ in range(2 * AT_ONCE):
        scene.dialogue.receive(b"")
        scene.dialogue.work()
    scene.send("d1@1\n")
    for _ in range(2 * AT_ONCE):
        scene.dialogue.work()
    scene.inbox.most = 1
    scene.dialogue.work()
    assert len(scene.inbox.waiting) == 1


@pytest.mark.parametrize(
    ("certified", "welcome"),
    [("", True), ("T1", True), ("d1", True), ("relay-3", True), ("T2", False), ("d2", False)],
)
def test_a_certificate_made_out_to_a_tag_speaks_for_no_other(certified: str, welcome: bool) -> None:
    scene = Scene("d1", "d2", certified=certified)
    scene.send("login d1\n")
    assert scene.cable.sent == (b"hello\n" if welcome else b"go away\n")


def test_an_ending_connection_answers_what_it_took_in() -> None:
    scene = Scene("d1")
    scene.send("d1@1\n")
    scene.dialogue.end()
    scene.send("d1@2\n")
    assert not scene.cable.closed
    scene.inbox.commit()
    assert scene.cable.sent == b"ok 1\n"
    assert scene.cable.closed


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 12)),
        st.tuples(st.just("commit"), st.integers(1, 5)),
        st.tuples(st.just("work"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS, st.integers(0, 8))
def test_whatever_comes_in_whatever_order_is_stored_once_and_answered_in_order(
    steps: list[tuple[str, int]], most: int
) -> None:
    scene = Scene("d1", most=most)
    text = "".join(f"d1@{n}\n" for n in range(60)).encode()
    sent = 0
    for step, count in steps:
        if step == "send" and scene.cable.reading:
            scene.dialogue.receive(text[sent : sent + count])
            sent += count
        elif step == "commit":
            scene.inbox.commit(count)
        elif step == "work":
            scene.dialogue.work()
        answered = scene.cable.sent.count(b"\n")
        assert answered <= len(scene.inbox.stored)
    scene.inbox.most = 100
    for _ in range(20):
        scene.dialogue.work()
        scene.inbox.commit()
    whole = text[:sent].count(b"\n")
    assert scene.cable.sent == b"".join(b"ok %d\n" % n for n in range(whole))
    assert [d.reports[0].seq for d in scene.inbox.stored] == list(range(whole))


def test_a_teltonika_log_in_is_answered_as_its_maker_says() -> None:
    imei = "350000000000006"
    log_in = b"\x00\x0f" + imei.encode()
    for listed, answer in ((imei, b"\x01"), ("350000000000014", b"\x00")):
        cable = Cable()
        listed_only = Registered(listed)
        listed_only.find = lambda _protocol, device, held=listed_only: held.devices.get(device)  # type: ignore[method-assign]
        house = House(CODECS["teltonika"], Later(), listed_only, Pace())
        Dialogue(house, cable, "192.0.2.1:4000").receive(log_in)
        assert cable.sent == answer
        assert cable.closed == (answer == b"\x00")


def test_what_waits_was_received_when_it_came() -> None:
    # An alarm without a time is dated by it: kept bytes must come to the same whenever read.
    inbox = Later(most=0)
    cable = Cable()
    talk = Dialogue(House(CODEC, inbox, Registered("d1"), Pace()), cable, "192.0.2.7:1")
    talk.receive(b"login d1\n?\n")
    assert cable.full
    time.sleep(0.01)
    inbox.most = 1
    talk.work()
    inbox.commit()
    ((delivery),) = inbox.stored
    assert delivery.reports[0].time_ms == delivery.received_ms
