"""The doors that are not HTTP's, as the settings ask for them: TCP, MQTT, a broker of the house."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from django.conf import settings

from ringfence.desk.config.environment import Environment
from ringfence.desk.config.errors import CantStartError
from ringfence.desk.config.open_files import allow_files
from ringfence.desk.config.transport import tls_context
from ringfence.gateway.aside import Aside
from ringfence.gateway.devices import Devices
from ringfence.gateway.dialogue import House
from ringfence.gateway.frames import Codec
from ringfence.gateway.guests import Guests
from ringfence.gateway.messages import Post
from ringfence.gateway.mqtt import MqttDoor
from ringfence.gateway.mqtt_subscriber import Broker, Subscriber
from ringfence.gateway.pace import Pace
from ringfence.gateway.ports import MQTT, Address
from ringfence.gateway.report import Gatekeeper, Inbox
from ringfence.gateway.tcp import Port, TcpDoors
from ringfence.gateway.tcp_codecs import CODECS


class Behind(NamedTuple):
    """What all doors share."""

    inbox: Inbox
    gatekeeper: Gatekeeper
    devices: Devices
    pace: Pace
    aside: Aside


class DeviceDoors:
    """Opens and closes them together."""

    def __init__(self, doors: Sequence[tuple[Address, socket.socket]], behind: Behind) -> None:
        """Build them.

        Args:
            doors: ports with their listening sockets.
            behind: what stands behind all of them.

        Raises:
            CantStartError: the certificate files can't be used; a protocol has no codec.
        """
        environment: Environment = settings.ENVIRONMENT
        allow_files(environment.limits.connections if doors else 0)
        guests = Guests(environment.limits)
        post = Post(behind.inbox, behind.pace, behind.aside)
        self._tls: ssl.SSLContext | None = tls_context(environment.tls)
        ports = [
            Port(at, House(_codec(door.protocol), behind.inbox, behind.devices, behind.pace))
            for door, at in doors
            if door.protocol != MQTT
        ]
        self._tcp = TcpDoors(ports, guests, self._tls)
        self._mqtt = [
            (MqttDoor(post, behind.gatekeeper, behind.devices, guests), at)
            for door, at in doors
            if door.protocol == MQTT
        ]
        self._subscriber: Subscriber | None = None
        if environment.mqtt_url:
            # The same whenever this installation comes, and another for each installation.
            name = "ringfence-" + sha256(settings.SECRET_KEY.encode()).hexdigest()[:12]
            broker = Broker.at(environment.mqtt_url)
            self._subscriber = Subscriber(broker, post, behind.devices, name)

    async def start(self) -> None:
        """Accept connections; ask the broker for messages."""
        await self._tcp.start()
        for door, listener in self._mqtt:
            await door.start(listener, self._tls)
        if self._subscriber:
            self._subscriber.start()

    async def stop(self, within_s: float) -> None:
        """Accept no more; answer what was taken in; hang up."""
        if self._subscriber:
            await self._subscriber.stop()
        for door, _ in self._mqtt:
            await door.stop()
        await self._tcp.stop(within_s)


def _codec(protocol: str) -> Codec:
    if protocol not in CODECS:
        spoken = ", ".join(sorted(CODECS))
        raise CantStartError(f"RINGFENCE_TCP: no codec for {protocol} here; there is {spoken}")
    return CODECS[protocol]
