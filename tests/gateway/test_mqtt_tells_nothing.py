"""What is published at the MQTT door is in the database and nowhere else, whatever is logged."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import aiomqtt
import pytest

from ringfence.desk.kit.logs import QUIET
from tests.gateway.broker import Scene, play
from tests.gateway.test_nothing_is_told import BODIES, says_nothing, told

__all__ = ["told"]  # a fixture

TOPICS = {"/gateway/v1/reports": "tags/T1/reports", "/gateway/owntracks": "owntracks/T1/phone"}


def test_no_log_of_a_message_says_where(
    told: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(scene: Scene) -> None:
        for path, topic in TOPICS.items():
            for body in BODIES[path]:
                with suppress(aiomqtt.MqttError):  # hung up on for what is another tag's
                    async with scene.client(timeout=1) as client:
                        await client.publish(topic, body, qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with scene.client(timeout=1) as client:
                await client.publish("tags/T2/reports", BODIES["/gateway/v1/reports"][0], qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with scene.client(token="51.54321"):
                pass
        for cut in (4, 9, 30):
            _, out = await scene.raw()
            out.write((b"\x10\x40\x00\x04MQTT\x04\xc2\x00\x00\x00\x0851.54321" * 3)[:cut])
            out.close()
        await asyncio.sleep(0.1)

    for name in QUIET:  # as the platform keeps them, whatever level it has
        caplog.set_level(logging.CRITICAL, logger=name)
    scene = play(story)
    assert any(d.reports for d in scene.inbox.deliveries)
    assert scene.inbox.apart
    assert told
    says_nothing("".join(told) + caplog.text)
    says_nothing("".join(item.detail for item in scene.inbox.apart))
