"""Takes messages from an MQTT broker of the house: acknowledged to it after the commit.

The broker lets tags in and keeps them to their own topics; we believe the topic. A message that
was not acknowledged is kept by the broker for our session and comes again when we do.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiomqtt
import structlog

from ringfence.gateway.devices import Devices
from ringfence.gateway.messages import SUBSCRIBED, Message, Post, Taken, owner

LONGEST_PAUSE_S = 30.0
AT_LEAST_ONCE = 1
MOST_AHEAD = 1024
"""Messages under way before we come anew and slower: more than any broker sends unacknowledged."""

log = structlog.get_logger("ringfence.gateway")


class Broker(NamedTuple):
    """Where it is and how it knows us."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool

    @classmethod
    def at(cls, url: str) -> Broker:
        """Read `mqtts://user:password@host:8883`, as the settings have checked it."""
        parts = urlsplit(url)
        tls = parts.scheme == "mqtts"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname or "", parts.port or (8883 if tls else 1883), user, password, tls)


class Subscriber:
    """Stays subscribed for as long as it runs."""

    def __init__(self, broker: Broker, post: Post, devices: Devices, name: str) -> None:
        """Prepare.

        Args:
            broker: where.
            post: takes the messages to the inbox.
            devices: the list of tags.
            name: our client id, always the same: the broker keeps our messages under it.
        """
        self._broker = broker
        self._post = post
        self._devices = devices
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self.connected = False

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._task = asyncio.create_task(self._stay())

    async def stop(self) -> None:
        """Leave; what was not acknowledged comes again."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _stay(self) -> None:
        pause_s = 0.5
        while True:
            try:
                await self._listen()
            except* (aiomqtt.MqttError, OSError, _BeginAnewError) as errors:
                error = type(errors.exceptions[0]).__name__
                log.warning("broker_lost", error=error, pause_s=pause_s)
            pause_s = 0.5 if self.connected else min(2 * pause_s, LONGEST_PAUSE_S)
            self.connected = False
            await asyncio.sleep(pause_s)

    async def _listen(self) -> None:
        where = self._broker
        client = aiomqtt.Client(
            where.host,
            where.port,
            username=where.user,
            password=where.password,
            identifier=self._name,
            clean_session=False,
            tls_context=ssl.create_default_context() if where.tls else None,
        )
        # aiomqtt has no way to ask for it: paho, beneath, acknowledges when we say so, not before.
        client._client.manual_ack_set(True)  # noqa: FBT003 -- paho takes no keyword
        async with client, asyncio.TaskGroup() as under_way:
            for topic in SUBSCRIBED:
                await client.subscribe(topic, qos=AT_LEAST_ONCE)
            self.connected = True
            log.info("broker_found")
            ahead = asyncio.Semaphore(MOST_AHEAD)
            async for message in client.messages:
                await ahead.acquire()
                task = under_way.create_task(self._take(client, message))
                task.add_done_callback(lambda _: ahead.release())

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        topic = str(message.topic)
        tag = self._devices.tag_named(owner(topic) or "")
        payload = message.payload if isinstance(message.payload, bytes) else b""
        taken = await self._post.take(Message(topic, payload, "broker"), tag)
        if taken is Taken.NOT_STORED:
            raise _BeginAnewError
        # A foreign message is kept apart; it would come for ever if it were not acknowledged.
        client._client.ack(message.mid, message.qos)


class _BeginAnewError(Exception):
    """Something could not be stored: leave, so that the broker sends it again."""
