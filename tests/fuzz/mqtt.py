"""`python -m tests.fuzz.mqtt [libFuzzer's options]`: throw bytes at the MQTT door's framing.

Packets are the same however their bytes are split, none is longer than it may be, and nothing is
raised by reading one that the door does not answer by hanging up.
"""

from __future__ import annotations

import asyncio
import sys

import atheris

with atheris.instrument_imports(include=["ringfence.gateway", "amqtt.mqtt", "amqtt.codecs_amqtt"]):
    from amqtt.mqtt import packet_class
    from amqtt.mqtt.packet import MQTTFixedHeader

    from ringfence.gateway.mqtt import UNREADABLE
    from ringfence.gateway.packets import MAX_CONNECT, Packets

from tests.fuzz.codecs import timed

SEEDS = (
    b"\x10\x1a\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01c\x00\x02T1\x00\x07a token",
    b"\x32\x1a\x00\x0ftags/T1/reports\x00\x01" + b"[]" + b'{"a":1',
    b"\x82\x14\x00\x01\x00\x0ftags/T1/reports\x01\xc0\x00\xe0\x00",
)


async def framed(data: bytes, at: int) -> list[bytes]:
    """The packets of a stream that comes in two pieces."""
    stream = asyncio.StreamReader()
    packets = Packets(stream, idle_s=5, slow_s=5)
    stream.feed_data(data[:at])
    reading = asyncio.ensure_future(_all(packets))
    await asyncio.sleep(0)
    if at < len(data):
        stream.feed_data(data[at:])
    stream.feed_eof()
    return await reading


async def _all(packets: Packets) -> list[bytes]:
    found = []
    while packet := await packets.read():
        found.append(packet)
    return found


async def understood(packet: bytes) -> None:
    """Read one packet as the door does, or refuse it in a way that the door expects."""
    stream = asyncio.StreamReader()
    stream.feed_data(packet)
    stream.feed_eof()
    packets = Packets(stream, idle_s=5, slow_s=5)
    try:
        head = await MQTTFixedHeader.from_stream(packets)
        if head is not None:
            await packet_class(head).from_stream(packets, fixed_header=head)
    except UNREADABLE:
        pass


def main() -> None:
    loop = asyncio.new_event_loop()

    def one(data: bytes) -> None:
        stream, at = data[1:], len(data) * (data[0] if data else 0) // 256
        whole = loop.run_until_complete(framed(stream, len(stream)))
        assert loop.run_until_complete(framed(stream, at)) == whole
        for packet in whole:
            assert len(packet) <= MAX_CONNECT + 5
            timed(lambda: loop.run_until_complete(understood(packet)), len(packet))  # noqa: B023

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
