"""The MQTT 3.1.1 door: amqtt's protocol, with PUBACK after the commit and nothing delivered.

amqtt's broker acknowledges a message once it is in a queue, lets a client's id take over a session
before it knows who it is, and has no limit on a packet. Its protocol handler alone has none of
that: it reads and writes packets, and what they mean is decided here. Nobody is sent anything, so
that there are no sessions to keep, no retained messages and no wills.
"""

from __future__ import annotations

import asyncio
import ssl
from hashlib import sha256
from typing import Any

from amqtt.adapters import StreamWriterAdapter
from amqtt.contexts import BaseContext
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.connack import BAD_USERNAME_PASSWORD, SERVER_UNAVAILABLE, ConnackPacket
from amqtt.mqtt.constants import QOS_0, QOS_1
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket
from amqtt.plugins.manager import PluginManager
from amqtt.session import Session

from ringfence.gateway.devices import Devices
from ringfence.gateway.guests import Guests, common_name
from ringfence.gateway.handshakes import Handshakes
from ringfence.gateway.messages import Message, Post, Taken, owner
from ringfence.gateway.metrics import TCP_CLOSED, TCP_CONNECTIONS
from ringfence.gateway.packets import MAX_PACKET, Packets
from ringfence.gateway.report import Gatekeeper, KnownTag, NotStored, Sender

MAX_AHEAD = 16
"""Messages of one connection that wait for their commit before no more are read from it."""
SWEEP_S = 1.0
ASK_EVERY_S = 60.0
"""How often a connection's token is asked about although nobody changed its tag: it may expire."""
CLOSE_S = 2.0
"""How long the last acknowledgements may take to be sent."""
NOT_YOURS = 0x80
"""What SUBACK says of a topic that is not the subscriber's."""
UNREADABLE = (
    AMQTTError,
    MQTTError,
    NoDataError,
    ValueError,
    OSError,
    LookupError,
    TypeError,
    NameError,
)
"""What amqtt raises on packets that are none, or that end too soon."""


class Publisher(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt has no types
    """One connection of a tag."""

    tag: KnownTag
    post: Post
    peer: str
    token_hash: str
    listed: KnownTag | None = None
    """The tag as the list had it when its token was last asked about: every change to a tag puts
    another there."""
    asked_s: float

    def begin(self, tag: KnownTag, post: Post, peer: str) -> None:
        """Set it up, once it is known whose it is."""
        self.tag, self.post, self.peer = tag, post, peer
        self.asked_s = asyncio.get_running_loop().time()
        self._turns = asyncio.Semaphore(MAX_AHEAD)
        self._before: asyncio.Future[None] | None = None

    async def may_go_on(self) -> None:
        """Wait until few enough messages are under way."""
        async with self._turns:
            return

    async def handle_publish(self, publish_packet: PublishPacket) -> None:
        """Store a message, then acknowledge it, in the order in which they came."""
        before, mine = self._before, asyncio.get_running_loop().create_future()
        self._before = mine
        async with self._turns:
            try:
                topic, data = publish_packet.topic_name or "", bytes(publish_packet.data or b"")
                taken = await self.post.take(Message(topic, data, self.peer), self.tag)
                if before is not None:
                    await before
                if taken is Taken.DONE:
                    await self._acknowledge(publish_packet)
                else:
                    await self.hang_up()
            finally:
                if not mine.done():
                    mine.set_result(None)

    async def handle_pubrel(self, pubrel: PubrelPacket) -> None:
        """The second half of QoS 2: the message was committed before PUBREC."""
        await self._send_packet(PubcompPacket.build(pubrel.packet_id))

    async def handle_subscribe(self, subscribe: SubscribePacket) -> None:
        """Grant a tag its own topics, on which nothing will come; refuse all others."""
        if subscribe.variable_header is None or subscribe.payload is None:
            await self.hang_up()
            return
        topics = subscribe.payload.topics
        codes = [min(qos, QOS_1) if owner(t) == self.tag.name else NOT_YOURS for t, qos in topics]
        await self.mqtt_acknowledge_subscription(subscribe.variable_header.packet_id, codes)

    async def handle_unsubscribe(self, unsubscribe: UnsubscribePacket) -> None:
        """Say yes."""
        if unsubscribe.variable_header is not None:
            await self.mqtt_acknowledge_unsubscription(unsubscribe.variable_header.packet_id)

    async def hang_up(self) -> None:
        """Close; what was not acknowledged comes again."""
        # Whoever serves the connection waits for this, and closes it.
        await self.handle_connection_closed()

    async def _acknowledge(self, packet: PublishPacket) -> None:
        if packet.qos == QOS_0 or packet.packet_id is None:
            return
        build = PubackPacket.build if packet.qos == QOS_1 else PubrecPacket.build
        await self._send_packet(build(packet.packet_id))


class MqttDoor:
    """Listens, and knows who is connected."""

    def __init__(
        self, post: Post, gatekeeper: Gatekeeper, devices: Devices, guests: Guests
    ) -> None:
        self._post = post
        self._gatekeeper = gatekeeper
        self._devices = devices
        self._guests = guests
        self._server: asyncio.Server | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._swept: asyncio.Task[None] | None = None
        self._open: dict[tuple[str, str], Publisher] = {}
        """By tag and client id: a second one takes the first one's place (MQTT 3.1.1, 3.1.4)."""

    async def start(self, listener: Any, tls: ssl.SSLContext | None) -> None:
        """Accept connections on a listening socket."""
        self._plugins: PluginManager[Any] = PluginManager("ringfence.mqtt", _no_plugins())
        if tls:
            self._accepting = asyncio.create_task(Handshakes(tls).serve(listener, self._make))
        else:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._make, sock=listener)
        self._swept = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Accept no more and hang up; what was not acknowledged comes again."""
        if self._swept is None:
            return
        if self._server:
            self._server.close()
        if self._accepting:
            self._accepting.cancel()
        self._swept.cancel()
        for publisher in list(self._open.values()):
            await publisher.hang_up()

    def _make(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._connected)

    async def _connected(self, stream: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        address, port = (out.get_extra_info("peername") or ("", 0))[:2]
        reason = self._guests.arrive(address)
        TCP_CONNECTIONS.labels("mqtt").inc()
        try:
            if reason:
                TCP_CLOSED.labels(reason).inc()
            else:
                await self._serve(stream, out, f"{address}:{port}")
        except UNREADABLE:
            TCP_CLOSED.labels("unreadable").inc()
        finally:
            self._guests.leave(address)
            TCP_CONNECTIONS.labels("mqtt").dec()
            out.transport.abort()

    async def _serve(
        self, stream: asyncio.StreamReader, out: asyncio.StreamWriter, peer: str
    ) -> None:
        limits = self._guests.limits
        packets = Packets(stream, idle_s=limits.slow_s, slow_s=limits.slow_s)
        writer = StreamWriterAdapter(out)
        async with asyncio.timeout(limits.unknown_s):
            made, session = await Publisher.init_from_connect(packets, writer, self._plugins)
            token_hash = sha256((session.password or "").encode()).hexdigest()
            listed = self._devices.tag_named(session.username or "")
            tag = await self._recognise(token_hash, session.username)
            if isinstance(tag, KnownTag) and not self._may_be(tag, common_name(out.transport)):
                tag = None
        if not isinstance(made, Publisher) or not isinstance(tag, KnownTag):
            TCP_CLOSED.labels("unknown").inc()
            if tag is None:
                self._post.turn_away(peer)
            why = SERVER_UNAVAILABLE if isinstance(tag, NotStored) else BAD_USERNAME_PASSWORD
            await ConnackPacket.build(0, why).to_stream(writer)
            return
        # A client that keeps alive is idle after half as long again (MQTT 3.1.1, 3.1.2.10).
        packets.idle_s = 1.5 * session.keep_alive if session.keep_alive else limits.idle_s
        packets.most = MAX_PACKET
        session.keep_alive = 0
        session.parent = 0
        made.begin(tag, self._post, peer)
        made.token_hash, made.listed = token_hash, listed
        packets.may_go_on = made.may_go_on
        await self._talk(made, session, packets, writer)

    async def _talk(
        self, made: Publisher, session: Session, packets: Packets, writer: StreamWriterAdapter
    ) -> None:
        key = made.tag.name, str(session.client_id)
        if former := self._open.pop(key, None):
            await former.hang_up()
        self._open[key] = made
        try:
            made.attach(session, packets, writer)
            await made.mqtt_connack_authorize(authorize=True)
            await made.start()
            await made.wait_disconnect()
        finally:
            if self._open.get(key) is made:
                del self._open[key]
            async with asyncio.timeout(CLOSE_S):
                await made.stop()

    async def _recognise(self, token_hash: str, user: str | None) -> Sender | NotStored | None:
        found = self._gatekeeper.known(token_hash) or await self._ask(token_hash)
        return None if isinstance(found, KnownTag) and found.name != user else found

    async def _ask(self, token_hash: str) -> Sender | NotStored | None:
        asked: asyncio.Future[Sender | NotStored | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._gatekeeper.ask(token_hash, asked.set_result)
        return await asyncio.shield(asked)

    def _may_be(self, tag: KnownTag, certified: str) -> bool:
        """Whether a certificate made out so may speak for this tag: another tag's may not."""
        return certified in ("", tag.name) or self._devices.tag_named(certified) is None

    async def _sweep(self) -> None:
        """Hang up on tags that are revoked, or whose token is another by now."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = asyncio.get_running_loop().time()
            doubted: list[Publisher] = []
            for publisher in list(self._open.values()):
                listed = self._devices.tag_named(publisher.tag.name)
                if listed is None:
                    await self._turn_out(publisher)
                elif listed is not publisher.listed or now_s - publisher.asked_s >= ASK_EVERY_S:
                    publisher.listed, publisher.asked_s = listed, now_s
                    doubted.append(publisher)
            await asyncio.gather(*map(self._ask_again, doubted))

    async def _ask_again(self, publisher: Publisher) -> None:
        found = await self._ask(publisher.token_hash)
        # Where nobody can say now, nobody is hung up on: it is asked again in a while.
        if not isinstance(found, NotStored) and (found is None or found.id != publisher.tag.id):
            await self._turn_out(publisher)

    async def _turn_out(self, publisher: Publisher) -> None:
        TCP_CLOSED.labels("revoked").inc()
        await publisher.hang_up()


def _no_plugins() -> BaseContext:
    context = BaseContext()
    context.config = {"plugins": {}}
    return context
