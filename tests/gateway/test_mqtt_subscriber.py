"""An MQTT broker of the house: a scripted one to the byte, and a real one (amqtt's)."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

import aiomqtt
import pytest
from amqtt.broker import Broker as RealBroker

from ringfence.gateway.messages import Post
from ringfence.gateway.mqtt_subscriber import Broker, Subscriber
from ringfence.gateway.pace import Pace
from tests.gateway.broker import Names, body
from tests.gateway.house import MemoryInbox
from tests.gateway.test_mqtt import Held, publish

Story = Callable[["Scripted"], Awaitable[None]]


class Scripted:
    """Takes one connection after the other, and says what the test wants."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )

    async def accept(self, *, known: bool = False) -> tuple[bytes, asyncio.StreamReader]:
        """The CONNECT packet, once three subscriptions were granted."""
        reader, self.writer = await asyncio.wait_for(self.calls.get(), 10)
        connect = await self.packet(reader)
        self.writer.write(b"\x20\x02" + bytes([known]) + b"\x00")
        for _ in range(3):
            subscribe = await self.packet(reader)
            assert subscribe[-1] == 1
            self.writer.write(b"\x90\x03" + subscribe[2:4] + b"\x01")
        return connect, reader

    @staticmethod
    async def packet(reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(2)
        return head + await reader.readexactly(head[1])


def play(story: Story, inbox: MemoryInbox) -> MemoryInbox:
    async def whole() -> None:
        scripted = Scripted()

        async def connected(reader, writer) -> None:
            await scripted.calls.put((reader, writer))

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        post = Post(inbox, Pace())
        subscriber = Subscriber(
            Broker.at(f"mqtt://ringfence:secret@127.0.0.1:{port}"), post, Names(), "ringfence-1"
        )
        subscriber.start()
        async with asyncio.timeout(20):
            await story(scripted)
        await subscriber.stop()
        server.close()

    asyncio.run(whole())
    return inbox


def test_a_broker_is_answered_after_the_commit() -> None:
    inbox = Held()

    async def story(broker: Scripted) -> None:
        connect, reader = await broker.accept()
        # A session that outlives us, under a name that stays.
        assert not connect[9] & 0x02
        assert b"ringfence-1" in connect
        assert b"secret" in connect
        broker.writer.write(publish(5))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.3)
        assert inbox.held is not None
        inbox.held.set()
        assert await reader.readexactly(4) == b"\x40\x02\x00\x05"

    (delivery,) = play(story, inbox).deliveries
    assert (delivery.tag.name, delivery.door, delivery.peer) == ("T1", "mqtt", "broker")


def test_what_could_not_be_stored_is_asked_for_again() -> None:
    inbox = MemoryInbox(trouble="the disk is full")

    async def story(broker: Scripted) -> None:
        _, reader = await broker.accept()
        broker.writer.write(publish(5))
        rest = await reader.read()
        assert b"\x40\x02" not in rest
        inbox.trouble = None
        connect, reader = await broker.accept(known=True)
        assert b"ringfence-1" in connect
        broker.writer.write(publish(5))
        assert await reader.readexactly(4) == b"\x40\x02\x00\x05"

    assert len(play(story, inbox).deliveries) == 1


def test_a_tag_that_nobody_recorded_is_kept_apart_and_acknowledged() -> None:
    async def story(broker: Scripted) -> None:
        _, reader = await broker.accept()
        broker.writer.write(publish(5, "tags/T9/reports", body(tag="T9")))
        assert await reader.readexactly(4) == b"\x40\x02\x00\x05"
        broker.writer.write(publish(6, "tags/T1/reports", body(tag="T2")))
        assert await reader.readexactly(4) == b"\x40\x02\x00\x06"

    inbox = play(story, MemoryInbox())
    assert not inbox.deliveries
    assert [i.reason for i in inbox.apart] == ["unauthenticated"] * 2


def test_a_real_broker_passes_tags_reports_on() -> None:
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    inbox = MemoryInbox()

    async def whole() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        listeners = {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}
        broker = RealBroker({"listeners": listeners, "plugins": plugins})
        await broker.start()
        post = Post(inbox, Pace())
        subscriber = Subscriber(Broker.at(f"mqtt://127.0.0.1:{port}"), post, Names(), "ringfence-1")
        subscriber.start()
        async with asyncio.timeout(15):
            while not subscriber.connected:
                await asyncio.sleep(0.02)
            async with aiomqtt.Client("127.0.0.1", port) as tag:
                await tag.publish("tags/T1/reports", body(), qos=1)
                await tag.publish("elsewhere", body(), qos=1)
            while not inbox.deliveries:
                await asyncio.sleep(0.02)
        await subscriber.stop()
        await broker.shutdown()

    asyncio.run(whole())
    assert [d.tag.name for d in inbox.deliveries] == ["T1"]


def test_a_url_says_where_the_broker_is() -> None:
    assert Broker.at("mqtt://broker.example") == ("broker.example", 1883, None, None, False)
    assert Broker.at("mqtts://a:b%40c@broker.example") == (
        *("broker.example", 8883),
        *("a", "b@c", True),
    )
