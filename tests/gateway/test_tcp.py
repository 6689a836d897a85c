"""The TCP doors over real loopback sockets, on the platform's event loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from ringfence.desk.config.environment import Tls
from ringfence.desk.config.errors import CantStartError
from ringfence.desk.config.transport import tls_context
from ringfence.gateway.dialogue import House
from ringfence.gateway.guests import Guests
from ringfence.gateway.pace import AT_ONCE, Pace
from ringfence.gateway.ports import Limits
from ringfence.gateway.report import Receipt
from ringfence.gateway.tcp import Port, TcpDoors
from tests.gateway.certificates import Authority
from tests.gateway.house import MemoryInbox
from tests.gateway.lines import CODEC, Registered

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Scene:
    """Doors on a free port, and devices that call."""

    def __init__(self, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.port = listener.getsockname()[1]
        self.inbox = MemoryInbox()
        self.devices = Registered("d1", "d2")
        house = House(CODEC, self.inbox, self.devices, Pace())
        self.doors = TcpDoors([Port(listener, house)], Guests(limits), tls)

    async def call(self, tls: ssl.SSLContext | None = None) -> Line:
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=tls)


def play(
    story: Callable[[Scene], Awaitable[None]],
    limits: Limits = Limits(),  # noqa: B008 -- a frozen value
    tls: ssl.SSLContext | None = None,
) -> Scene:
    scene = Scene(limits, tls)

    async def whole() -> None:
        await scene.doors.start()
        async with asyncio.timeout(20):
            await story(scene)
        await scene.doors.stop(1)

    uvloop.run(whole())
    return scene


async def is_hung_up(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), 5) == b""
    except ConnectionError:
        return True


def test_a_device_logs_in_reports_and_is_answered() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.call()
        writer.write(b"login d1\n@1\n@2\n")
        assert await reader.readexactly(16) == b"hello\nok 1\nok 2\n"

    assert [d.reports[0].seq for d in play(story).inbox.deliveries] == [1, 2]


def test_bytes_may_come_one_by_one() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.call()
        for byte in b"login d1\n@1\n":
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert await reader.readexactly(11) == b"hello\nok 1\n"

    play(story)


def test_half_a_frame_is_never_stored() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.call()
        writer.write(b"login d1\n@1\n@2")
        await reader.readexactly(11)
        writer.close()
        await writer.wait_closed()

    assert len(play(story).inbox.deliveries) == 1


def test_a_stranger_is_told_and_hung_up_on() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.call()
        writer.write(b"login d9\n")
        assert await reader.read() == b"go away\n"
        assert not scene.doors.lines

    assert [i.reason for i in play(story).inbox.apart] == ["unauthenticated"]


@pytest.mark.parametrize("limits", [Limits(connections=2), Limits(per_address=2)])
def test_no_more_connections_are_let_in_than_may_be(limits: Limits) -> None:
    async def story(scene: Scene) -> None:
        first, _, third = [await scene.call() for _ in range(3)]
        assert await is_hung_up(third[0])
        first[1].write(b"login d1\n")
        assert await first[0].readexactly(6) == b"hello\n"
        first[1].close()
        while len(scene.doors.lines) > 1:
            await asyncio.sleep(0.01)
        reader, writer = await scene.call()
        writer.write(b"login d1\n")
        assert await reader.readexactly(6) == b"hello\n"

    play(story, limits)


async def reasons_after(scene: Scene, text: bytes, answer: int, wait_s: float = 0.15) -> bool:
    """Whether the doors hang up on who sent `text`, a while after."""
    reader, writer = await scene.call()
    writer.write(text)
    await reader.readexactly(answer)
    await asyncio.sleep(wait_s)
    scene.doors.sweep()
    await asyncio.sleep(0.05)
    return not scene.doors.lines


def test_silence_is_cut_off_after_a_while() -> None:
    async def story(scene: Scene) -> None:
        assert await reasons_after(scene, b"login d1\n", 6)

    async def not_yet(scene: Scene) -> None:
        assert not await reasons_after(scene, b"login d1\n", 6)

    play(story, Limits(idle_s=0.1))
    play(not_yet, Limits(slow_s=0.1, unknown_s=0.1))


def test_half_a_frame_for_long_is_cut_off() -> None:
    async def story(scene: Scene) -> None:
        assert await reasons_after(scene, b"login d1\n@", 6)

    play(story, Limits(slow_s=0.1))


def test_who_does_not_say_who_it_is_is_cut_off() -> None:
    async def story(scene: Scene) -> None:
        assert await reasons_after(scene, b"beat\n", 5)

    play(story, Limits(unknown_s=0.1))


def test_a_revoked_tag_is_cut_off() -> None:
    async def story(scene: Scene) -> None:
        reader, writer = await scene.call()
        writer.write(b"login d1\n")
        await reader.readexactly(6)
        scene.doors.sweep()
        assert scene.doors.lines
        del scene.devices.devices["d1"]
        scene.doors.sweep()
        assert await is_hung_up(reader)

    play(story)


def test_a_full_inbox_leaves_all_sockets_unread_until_it_has_room() -> None:
    async def story(scene: Scene) -> None:
        scene.inbox.full = True
        one, other = await scene.call(), await scene.call()
        one[1].write(b"".join(b"d1@%d\n" % n for n in range(50)))
        while not scene.doors.is_full:
            await asyncio.sleep(0.01)
        # More than both ends' buffers hold: the other socket is not read, either.
        other[1].write(b"login d2\n" + b"!" * 8_000_000)
        await asyncio.sleep(0.3)
        assert other[1].transport.get_write_buffer_size() > 1_000_000  # type: ignore[attr-defined]
        late = await scene.call()
        late[1].write(b"login d2\n")
        await asyncio.sleep(0.1)
        assert not scene.inbox.deliveries
        scene.inbox.full = False
        expected = b"".join(b"ok %d\n" % n for n in range(50))
        assert await one[0].readexactly(len(expected)) == expected
        assert await late[0].readexactly(6) == b"hello\n"
        assert await other[0].readexactly(6) == b"hello\n"
        other[1].transport.abort()

    play(story)


class QuickInbox(MemoryInbox):
    """Looks for no duplicates."""

    def put(self, delivery, done) -> None:
        self.deliveries.append(delivery)
        asyncio.get_running_loop().call_soon(done, Receipt(1, 0))


def test_a_looping_device_does_not_keep_the_others_waiting() -> None:
    async def story(scene: Scene) -> None:
        scene.inbox.__class__ = QuickInbox
        one, other = await scene.call(), await scene.call()
        one[1].write(b"".join(b"d1@%d\n" % n for n in range(AT_ONCE + 500)))
        other[1].write(b"login d2\n@1\n")
        assert await other[0].readexactly(11) == b"hello\nok 1\n"
        while len(scene.inbox.deliveries) < AT_ONCE + 1:
            await asyncio.sleep(0.01)
        assert len(scene.inbox.deliveries) < AT_ONCE + 100
        await asyncio.sleep(0.6)
        assert len(scene.inbox.deliveries) < AT_ONCE + 100
        other[1].write(b"@2\n")
        assert await other[0].readexactly(5) == b"ok 2\n"

    scene = play(story)
    assert [i.tag.name for i in scene.inbox.apart if i.tag] == ["T1"]


def test_stopping_answers_what_was_taken_in() -> None:
    class SlowInbox(MemoryInbox):
        def put(self, delivery, done) -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(0.2, lambda: MemoryInbox.put(self, delivery, done))

    async def story(scene: Scene) -> None:
        scene.inbox.__class__ = SlowInbox
        reader, writer = await scene.call()
        writer.write(b"d1@1\n")
        await asyncio.sleep(0.1)
        await scene.doors.stop(2)
        assert await reader.read() == b"ok 1\n"

    play(story)


def test_tls_by_certificate_files(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("gateway")

    async def story(scene: Scene) -> None:
        reader, writer = await scene.call(authority.client())
        writer.write(b"login d1\n@1\n")
        assert await reader.readexactly(11) == b"hello\nok 1\n"
        plain, rough = await scene.call()
        rough.write(b"login d1\n")
        assert b"hello" not in await plain.read(100)

    play(story, tls=tls_context(Tls(str(certificate), str(key), "")))


def test_devices_may_have_to_show_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("gateway")

    async def story(scene: Scene) -> None:
        reader, writer = await scene.call(authority.client("T1"))
        writer.write(b"login d1\n")
        assert await reader.readexactly(6) == b"hello\n"
        reader, writer = await scene.call(authority.client("T2"))
        writer.write(b"login d1\n")
        assert await reader.read() == b"go away\n"
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await without(scene)

    async def without(scene: Scene) -> None:
        reader, writer = await scene.call(authority.client())
        writer.write(b"login d1\n")
        await reader.readexactly(6)

    play(story, tls=tls_context(Tls(str(certificate), str(key), str(authority.path))))


def test_certificate_files_that_cant_be_used_stop_the_start(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("gateway")
    absent = str(tmp_path / "absent.pem")
    with pytest.raises(CantStartError, match="RINGFENCE_TCP_TLS_KEY"):
        tls_context(Tls(str(certificate), absent, ""))
    with pytest.raises(CantStartError, match="RINGFENCE_TCP_TLS_CLIENT_CA"):
        tls_context(Tls(str(certificate), str(key), absent))
    assert tls_context(None) is None
