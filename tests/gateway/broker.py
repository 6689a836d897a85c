"""The MQTT door on a free port, and devices that speak MQTT by aiomqtt, as real ones do."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aiomqtt

from ringfence.gateway.guests import Guests
from ringfence.gateway.messages import Post
from ringfence.gateway.mqtt import MqttDoor
from ringfence.gateway.pace import Pace
from ringfence.gateway.ports import Limits
from ringfence.gateway.report import KnownTag
from tests.gateway.house import TOKENS, FewTags, MemoryInbox

FIX = {"time": "2026-03-01T10:02:00Z", "lat": 51.5, "lon": -0.1}


class Names:
    """The list of tags."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.listed = {name: KnownTag(n, name) for n, name in enumerate(TOKENS, 1)}

    def find(self, protocol: str, device: str) -> None:
        return None

    def tag_named(self, name: str) -> KnownTag | None:
        return self.listed.get(name) if name not in self.revoked else None

    def change(self, name: str) -> None:
        """Something about this tag is new."""
        self.listed[name] = KnownTag(*self.listed[name])


class Scene:
    def __init__(self, inbox: MemoryInbox, limits: Limits, pace: Pace) -> None:
        self.inbox = inbox
        self.names = Names()
        self.few = FewTags()
        self.door = MqttDoor(Post(inbox, pace), self.few, self.names, Guests(limits))
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]

    def client(self, tag: str = "T1", token: str | None = None, **more: Any) -> aiomqtt.Client:
        password = TOKENS.get(tag, "") if token is None else token
        said = {"identifier": f"phone of {tag}", "timeout": 5, **more}
        return aiomqtt.Client("127.0.0.1", self.port, username=tag, password=password, **said)

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


def play(
    story: Callable[[Scene], Awaitable[None]],
    inbox: MemoryInbox | None = None,
    limits: Limits = Limits(),  # noqa: B008 -- a frozen value
    pace: Pace | None = None,
    tls: ssl.SSLContext | None = None,
) -> Scene:
    async def whole() -> Scene:
        scene = Scene(inbox or MemoryInbox(), limits, pace or Pace())
        await scene.door.start(scene.listener, tls)
        async with asyncio.timeout(20):
            await story(scene)
        await scene.door.stop()
        return scene

    return asyncio.run(whole())


def body(*reports: Any, tag: str = "T1") -> str:
    return json.dumps({"tag": tag, "reports": reports or [FIX]})
