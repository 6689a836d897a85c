"""The MQTT door, spoken to by somebody else's client."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from struct import pack

import aiomqtt
import pytest

from ringfence.desk.config.environment import Tls
from ringfence.desk.config.transport import tls_context
from ringfence.gateway.messages import owner
from ringfence.gateway.mqtt import MAX_AHEAD
from ringfence.gateway.pace import AT_ONCE, Load, Pace
from ringfence.gateway.ports import Limits
from tests.gateway.broker import FIX, Scene, body, play
from tests.gateway.certificates import Authority
from tests.gateway.house import TOKENS, MemoryInbox

LOCATION = {"_type": "location", "tst": 1_772_359_320, "lat": 51.5, "lon": -0.1}


def connect(
    tag: str,
    name: str = "c",
    *,
    token: str | None = None,
    keep_alive: int = 0,
    will: tuple[str, ...] = (),
) -> bytes:
    fields = [name, *will, tag, TOKENS.get(tag, "") if token is None else token]
    payload = b"".join(pack(">H", len(f)) + f.encode() for f in fields)
    flags = b"\xce" if will else b"\xc2"
    body = b"\x00\x04MQTT\x04" + flags + pack(">H", keep_alive) + payload
    return b"\x10" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body


def publish(number: int, topic: str = "tags/T1/reports", text: str | None = None) -> bytes:
    said = (text or body({**FIX, "seq": number})).encode()
    packet = pack(">H", len(topic)) + topic.encode() + pack(">H", number) + said
    length = len(packet)
    return b"\x32" + bytes([length & 0x7F | 0x80, length >> 7]) + packet


class Held(MemoryInbox):
    """Commits when it is let go."""

    held: asyncio.Event | None = None

    def put(self, delivery, done) -> None:
        self.held = self.held or asyncio.Event()

        async def later() -> None:
            await self.held.wait()
            MemoryInbox.put(self, delivery, done)

        self.tasks = [*getattr(self, "tasks", []), asyncio.ensure_future(later())]


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("tag", ["T1", "T2"])
def test_a_report_is_stored_whatever_the_quality_of_service(qos: int, tag: str) -> None:
    async def story(scene: Scene) -> None:
        async with scene.client(tag) as client:
            await client.publish(f"tags/{tag}/reports", body(tag=tag), qos=qos)
            while not scene.inbox.deliveries:
                await asyncio.sleep(0.01)

    (delivery,) = play(story).inbox.deliveries
    assert (delivery.tag.name, delivery.door) == (tag, "mqtt")
    assert delivery.peer.startswith("127.0.0.1:")
    assert delivery.raw == body(tag=tag).encode()


@pytest.mark.parametrize(("qos", "answer"), [(1, 0x40), (2, 0x50)])
def test_the_acknowledgement_waits_for_the_commit(qos: int, answer: int) -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1"))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        packet = publish(7)
        writer.write(bytes([0x30 | qos << 1]) + packet[1:])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.3)
        assert scene.inbox.held is not None
        scene.inbox.held.set()
        assert await reader.readexactly(4) == bytes([answer, 2, 0, 7])

    play(story, Held())


def test_acknowledgements_keep_the_order_of_the_messages() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1"))
        await reader.readexactly(4)
        # The second needs no commit, and would be first.
        writer.write(publish(1) + publish(2, text="{") + publish(3))
        await asyncio.sleep(0.2)
        assert scene.inbox.held is not None
        scene.inbox.held.set()
        assert await reader.readexactly(12) == b"".join(
            b"\x40\x02" + pack(">H", n) for n in (1, 2, 3)
        )

    play(story, Held())


def test_what_could_not_be_stored_is_not_acknowledged() -> None:
    async def story(scene: Scene) -> None:
        scene.inbox.trouble = "the disk is full"
        reader, writer = await scene.raw()
        writer.write(connect("T1") + publish(1))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        assert await reader.read() == b""

    play(story)


@pytest.mark.parametrize(
    ("tag", "token"), [("T1", "wrong"), ("T1", TOKENS["T2"]), ("T9", "one"), ("T1", "")]
)
def test_a_wrong_name_or_token_is_refused_before_anything_is_read(tag: str, token: str) -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(aiomqtt.MqttError, match=r"[Aa]uthor|[Bb]ad user"):
            async with scene.client(tag, token):
                pass
        reader, writer = await scene.raw()
        writer.write(connect(tag, token=token) + publish(1))
        assert await reader.read() == b"\x20\x02\x00\x04"

    scene = play(story)
    assert not scene.inbox.deliveries
    assert {(i.reason, i.raw, i.sender_known) for i in scene.inbox.apart} == {
        ("unauthenticated", b"", False)
    }


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("tags/T2/reports", body(tag="T2")),
        ("tags/T1/reports", body(tag="T2")),
        ("owntracks/T2/phone", json.dumps(LOCATION)),
        ("tags/T1/other", body()),
        ("anything", body()),
    ],
)
def test_a_tag_publishes_to_its_own_topics_only(topic: str, text: str) -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1") + publish(1, topic, text))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        assert await reader.read() == b""

    scene = play(story)
    assert not scene.inbox.deliveries
    assert [i.reason for i in scene.inbox.apart] == ["unauthenticated"]


def test_a_tag_hears_nothing_of_others() -> None:
    async def story(scene: Scene) -> None:
        async with scene.client("T2") as spy, scene.client("T1") as client:
            wanted = ["#", "tags/+/reports", "tags/T1/reports", "owntracks/+/+", "tags/T2/reports"]
            codes = [(await spy.subscribe(topic, qos=1))[0].value for topic in wanted]
            assert codes == [0x80, 0x80, 0x80, 0x80, 1]
            await client.publish("tags/T1/reports", body(), qos=1)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(aiter(spy.messages)), 0.3)
            await spy.unsubscribe("tags/T2/reports")

    play(story)


def test_another_client_with_the_same_name_takes_over_nothing() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1", "shared name"))
        await reader.readexactly(4)
        # A stranger, and another tag, under the first one's client id.
        stranger, out = await scene.raw()
        out.write(connect("T1", "shared name", token="guess"))
        assert await stranger.read() == b"\x20\x02\x00\x04"
        other, out = await scene.raw()
        out.write(connect("T2", "shared name"))
        await other.readexactly(4)
        writer.write(publish(1))
        assert await reader.readexactly(4) == b"\x40\x02\x00\x01"

    assert [d.tag.name for d in play(story).inbox.deliveries] == ["T1"]


def test_a_tag_that_comes_again_takes_the_place_of_its_former_connection() -> None:
    async def story(scene: Scene) -> None:
        former, out = await scene.raw()
        out.write(connect("T1"))
        await former.readexactly(4)
        reader, writer = await scene.raw()
        writer.write(connect("T1") + publish(1))
        assert await former.read() == b""
        assert await reader.readexactly(8) == b"\x20\x02\x00\x00\x40\x02\x00\x01"

    play(story)


def test_a_phone_reports_through_owntracks() -> None:
    async def story(scene: Scene) -> None:
        async with scene.client() as client:
            await client.publish("owntracks/T1/phone", json.dumps(LOCATION), qos=1)
            transition = {**LOCATION, "_type": "transition", "event": "enter", "tst": 1_772_359_380}
            await client.publish("owntracks/T1/phone/event", json.dumps(transition), qos=1)
            await client.publish("owntracks/T1/phone", json.dumps({"_type": "lwt"}), qos=1)

    scene = play(story)
    assert [d.reports[0].time_ms for d in scene.inbox.deliveries] == [
        1_772_359_320_000,
        1_772_359_380_000,
    ]
    assert not scene.inbox.apart


def test_what_sending_again_cant_mend_is_kept_apart_and_acknowledged() -> None:
    async def story(scene: Scene) -> None:
        async with scene.client() as client:
            await client.publish("tags/T1/reports", "{", qos=1)
            await client.publish("tags/T1/reports", body({**FIX, "lat": 91}, FIX), qos=1)

    scene = play(story)
    assert [i.reason for i in scene.inbox.apart] == ["malformed", "refused_report"]
    assert len(scene.inbox.deliveries) == 1


def test_a_will_is_nobodys_report() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1", will=("tags/T1/reports", body())))
        await reader.readexactly(4)
        writer.transport.abort()
        await asyncio.sleep(0.2)

    assert not play(story).inbox.deliveries


def test_a_revoked_tag_is_hung_up_on() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1"))
        await reader.readexactly(4)
        scene.names.revoked.add("T1")
        assert await asyncio.wait_for(reader.read(), 5) == b""

    play(story)


def test_who_connected_by_a_token_that_was_rotated_since_is_hung_up_on() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1"))
        await reader.readexactly(4)
        scene.names.change("T1")  # a key, say: the token is the same
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 1.5)
        scene.few.rotated.add("T1")
        scene.names.change("T1")
        assert await asyncio.wait_for(reader.read(), 5) == b""

    play(story)


def test_a_full_inbox_leaves_the_socket_unread_and_loses_nothing() -> None:
    many = 4 * MAX_AHEAD

    async def story(scene: Scene) -> None:
        scene.inbox.full = True
        reader, writer = await scene.raw()
        padded = body(FIX) + " " * 15_000
        writer.write(connect("T1") + b"".join(publish(n, text=padded) for n in range(1, many)))
        await asyncio.sleep(0.3)
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        scene.inbox.full = False
        expected = b"".join(b"\x40\x02" + pack(">H", n) for n in range(1, many))
        assert await reader.readexactly(len(expected)) == expected

    assert len(play(story).inbox.deliveries) == many - 1


def test_a_looping_tag_is_read_at_its_pace() -> None:
    now_s = 0.0
    pace = Pace(lambda: now_s)
    pace.wait_s(1, Load(AT_ONCE))

    async def story(scene: Scene) -> None:
        nonlocal now_s
        reader, writer = await scene.raw()
        writer.write(connect("T1") + publish(1))
        await reader.readexactly(4)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(4), 0.3)
        now_s = 1.0
        assert await reader.readexactly(4) == b"\x40\x02\x00\x01"

    scene = play(story, pace=pace)
    assert [i.reason for i in scene.inbox.apart] == ["too_many"]


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\xff\xff\xff\x7f",  # a CONNECT of 256 MiB
        b"\x10\xff\xff\xff\xff\xff",
        b"\x10\x00",
        b"\x10\x02\x00\x04",
        b"\x30\x05\x00\x01tx",  # a PUBLISH before a CONNECT
        connect("T1")[:20],
        connect("T1").replace(b"MQTT\x04", b"MQTT\x05"),
        connect("T1") + b"\x30\x02\x00\x50",
        connect("T1") + b"\x32\x03\x00\x01t",
        connect("T1") + b"\x82\x00",
        connect("T1") + b"\xf0\x00",
        connect("T1") + b"\x32\xff\xff\xff\x7f",
        connect("T1") + connect("T1"),
    ],
)
def test_what_is_no_mqtt_is_hung_up_on_and_the_door_goes_on(text: bytes) -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(text)
        await asyncio.wait_for(reader.read(), 10)
        reader, writer = await scene.raw()
        writer.write(connect("T1") + publish(1))
        assert await reader.readexactly(8) == b"\x20\x02\x00\x00\x40\x02\x00\x01"

    assert len(play(story, limits=Limits(slow_s=0.3, idle_s=0.3)).inbox.deliveries) == 1


@pytest.mark.parametrize(
    "packet",
    [
        publish(1, topic="tags/+/reports"),
        publish(1, topic="tags/T1/#"),
        b"\x36" + publish(1)[1:],
        b"\x32\x04\x00\x0fta",
    ],
    ids=["one level of any name", "all below", "QoS 3", "a topic cut off"],
)
def test_a_message_that_mqtt_forbids_is_hung_up_on_and_nothing_of_it_is_read(packet: bytes) -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1"))
        await reader.readexactly(4)
        writer.write(packet + publish(2))
        assert await asyncio.wait_for(reader.read(), 2) == b""

    assert not play(story).inbox.deliveries


def test_a_client_that_does_not_keep_alive_is_hung_up_on() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.raw()
        writer.write(connect("T1", keep_alive=1))
        await reader.readexactly(4)
        await asyncio.sleep(1.2)
        writer.write(b"\xc0\x00")
        assert await reader.readexactly(2) == b"\xd0\x00"
        assert await asyncio.wait_for(reader.read(), 3) == b""

    play(story)


def test_no_more_are_let_in_than_may_be() -> None:
    async def story(scene: Scene) -> None:
        first, out = await scene.raw()
        out.write(connect("T1"))
        await first.readexactly(4)
        second, out = await scene.raw()
        assert await second.read() == b""

    play(story, limits=Limits(per_address=1))


@pytest.mark.parametrize(
    ("topic", "tag"),
    [
        ("owntracks/T1/phone", "T1"),
        ("owntracks/T1/phone/event", "T1"),
        ("owntracks/T1", None),
        ("owntracks//x", None),
        ("tags/T1/reports", "T1"),
        ("tags/T1/reports/x", None),
        ("tags//reports", None),
        ("$SYS/T1/reports", None),
        ("", None),
    ],
)
def test_a_topic_says_whose_it_is(topic: str, tag: str | None) -> None:
    assert owner(topic) == tag


@pytest.mark.parametrize("text", ["no JSON", body({**FIX, "lat": 91})])
def test_what_is_only_set_apart_is_acknowledged_when_its_bytes_are_kept(text: str) -> None:
    async def story(scene: Scene) -> None:
        scene.inbox.trouble = "the disk is full"
        reader, writer = await scene.raw()
        writer.write(connect("T1") + publish(1, text=text))
        assert await asyncio.wait_for(reader.read(), 5) == b"\x20\x02\x00\x00"
        scene.inbox.trouble = None
        reader, writer = await scene.raw()
        writer.write(connect("T1") + publish(1, text=text))
        assert await reader.readexactly(8) == b"\x20\x02\x00\x00\x40\x02\x00\x01"

    play(story)


def test_over_tls_a_message_is_stored_and_what_is_plain_is_hung_up_on(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("gateway")

    async def story(scene: Scene) -> None:
        async with scene.client(tls_context=authority.client()) as phone:
            await phone.publish("tags/T1/reports", body(), qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with scene.client(timeout=2):
                pass
        distrustful = ssl.create_default_context()
        with pytest.raises((aiomqtt.MqttError, ssl.SSLError)):
            async with scene.client(tls_context=distrustful):
                pass

    inbox = MemoryInbox()
    play(story, inbox, tls=tls_context(Tls(str(certificate), str(key), "")))
    assert [d.tag.name for d in inbox.deliveries] == ["T1"]


def test_over_tls_a_certificate_made_out_to_a_tag_speaks_for_that_tag_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("gateway")

    async def story(scene: Scene) -> None:
        for name in ("T1", "relay"):
            async with scene.client(tls_context=authority.client(name)) as phone:
                await phone.publish("tags/T1/reports", body(), qos=1)
        for name in ("T2", ""):  # another tag's, and none
            with pytest.raises((aiomqtt.MqttError, ssl.SSLError)):
                async with scene.client(tls_context=authority.client(name), timeout=2):
                    pass

    inbox = MemoryInbox()
    play(story, inbox, tls=tls_context(Tls(str(certificate), str(key), str(authority.path))))
    assert [d.tag.name for d in inbox.deliveries] == ["T1", "T1"]
    assert [a.reason for a in inbox.apart] == ["unauthenticated"]
