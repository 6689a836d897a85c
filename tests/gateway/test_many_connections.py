"""Ten thousand devices at rest, each end in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.desk.config.open_files import BESIDE, allow_files

AT_MOST_KIB = 30
DEVICES = 10_000
SERVER = """
import asyncio, resource, socket, sys, uvloop
from pathlib import Path
from ringfence.desk.config.open_files import allow_files
from ringfence.gateway.dialogue import House
from ringfence.gateway.devices import Device
from ringfence.gateway.guests import Guests
from ringfence.gateway.frames import DeviceModel
from ringfence.gateway.pace import Pace
from ringfence.gateway.ports import Limits
from ringfence.gateway.report import KnownTag
from ringfence.gateway.tcp import Port, TcpDoors
from ringfence.gateway.tcp_codecs import CODECS
from tests.gateway.house import MemoryInbox

class All:
    def find(self, protocol, device): return Device(KnownTag(1, "T1"), DeviceModel())
    def tag_named(self, name): return None

def rss_kib():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])

async def main(most):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    house = House(CODECS["queclink"], MemoryInbox(), All(), Pace())
    doors = TcpDoors([Port(listener, house)], Guests(Limits(per_address=20_000)))
    await doors.start()
    before = rss_kib()
    print(listener.getsockname()[1], flush=True)
    while len(doors.lines) < most or not all(line.dialogue.speakers for line in doors.lines):
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(3)
    later = resource.getrusage(resource.RUSAGE_SELF)
    busy = (later.ru_utime + later.ru_stime - usage.ru_utime - usage.ru_stime) / 3
    print((rss_kib() - before) / most, busy, flush=True)

allow_files(int(sys.argv[1]))
uvloop.run(main(int(sys.argv[1])))
"""
CLIENT = """
import asyncio, sys, uvloop
from ringfence.desk.config.open_files import allow_files

async def main(port, most):
    lines = []
    for n in range(most):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"+ACK:GTHBD,1A0401,35%013d,,20260301100203,11F0$" % n)
        lines.append((reader, writer))
    await asyncio.sleep(600)

allow_files(int(sys.argv[2]))
uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""


@pytest.mark.heavy
def test_ten_thousand_connections_at_rest_cost_little() -> None:
    if allow_files(DEVICES) < DEVICES + BESIDE:
        pytest.skip("the system allows too few open files")
    here = Path(__file__).parents[2]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(DEVICES)], stdout=subprocess.PIPE, text=True, cwd=here
    )
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    client = subprocess.Popen([sys.executable, "-c", CLIENT, port, str(DEVICES)], cwd=here)
    try:
        each_kib, busy = map(float, server.stdout.readline().split())
    finally:
        client.kill()
        client.wait()
        server.kill()
        server.wait()
    assert each_kib <= AT_MOST_KIB
    assert busy < 0.2
