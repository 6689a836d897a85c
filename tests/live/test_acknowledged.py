"""Promise 3 at the gateway's own speed: many tags at once, groups in one commit, `kill -9`."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.live.running import RINGFENCE, Running, command

TAGS = 24
FIXES = 5


@dataclass
class Gateway(Running):
    """`ringfence up --only gateway`."""

    def start(self) -> None:
        log = (self.data.parent / "up.log").open("ab")
        up = [RINGFENCE, "up", "--only", "gateway", "--data", self.data, "--port", str(self.port)]
        self.process = subprocess.Popen(up, stdout=log, stderr=log, env=os.environ)


@dataclass
class Tags:
    """Tags that report without pause, and keep what was not acknowledged."""

    port: int
    tokens: list[str]
    acknowledged: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    async def report_for(self, seconds: float, gateway: Gateway) -> None:
        tasks = [asyncio.create_task(self._tag(n)) for n in range(len(self.tokens))]
        await asyncio.sleep(seconds)
        gateway.kill()
        await asyncio.gather(*tasks)

    async def _tag(self, n: int) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            while True:
                writer.write(self._request(n))
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split()[0])
                receipt = json.loads(await reader.readexactly(length))
                assert receipt["accepted"] + receipt["duplicate"] == FIXES
                self.acknowledged[n] += FIXES
        except (OSError, asyncio.IncompleteReadError):
            return  # the gateway is dead; what was under way is sent again

    def _request(self, n: int) -> bytes:
        first = self.acknowledged[n]
        reports = [
            {"seq": s, "time": f"2026-10-{1 + s // 86400:02}T{_clock(s)}Z", "lat": 51.5, "lon": 0}
            for s in range(first, first + FIXES)
        ]
        body = json.dumps({"tag": f"T{n}", "reports": reports}).encode()
        head = (
            "POST /gateway/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.tokens[n]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _clock(second: int) -> str:
    return f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"


def make_tags(data: Path) -> list[str]:
    """Tags on nobody, in one process: twenty commands would each load the platform."""
    script = (
        "import sys; from pathlib import Path; from ringfence.desk.config.opening import open_desk;"
        "open_desk(Path(sys.argv[1])); from ringfence.desk.cases.tag_actions import add_tag\n"
        "for n in range(int(sys.argv[2])): print(add_tag(by='system:test', name=f'T{n}')[1])"
    )
    import_and_add = [RINGFENCE.parent / "python", "-c", script, str(data), str(TAGS)]
    made = subprocess.run(import_and_add, capture_output=True, text=True, check=True)
    return made.stdout.split()


def kill_and_check(data: Path, tmp_path: Path, times: int, seed: int) -> None:
    rng = random.Random(seed)
    gateway = Gateway(data)
    tags = Tags(gateway.port, make_tags(gateway.data))
    for _ in range(times):
        gateway.start()
        gateway.wait_ready()
        asyncio.run(tags.report_for(rng.uniform(0.1, 1.0), gateway))
    stored = defaultdict(list)
    for name, seq in gateway.rows(
        "SELECT t.name, r.seq FROM monitoring_report r JOIN cases_tag t ON t.id = r.tag_id "
        "ORDER BY r.seq"
    ):
        stored[int(name[1:])].append(seq)
    assert sum(tags.acknowledged.values()) > 100 * times
    for n, count in tags.acknowledged.items():
        # What was under way at a kill may be stored: it is sent again, and counted as a duplicate.
        assert stored[n] in (list(range(count)), list(range(count + FIXES)))
    command("export", "fixes", "--out", tmp_path / "fixes.csv", "--data", gateway.data)
    rows = (tmp_path / "fixes.csv").read_text().splitlines()
    assert len(rows) == 1 + sum(map(len, stored.values()))


def test_kill_9_in_mid_commit_loses_and_doubles_nothing(data: Path, tmp_path: Path) -> None:
    kill_and_check(data, tmp_path, times=2, seed=3)


@pytest.mark.heavy
def test_kill_9_twenty_times_in_mid_commit_loses_and_doubles_nothing(
    data: Path, tmp_path: Path
) -> None:
    kill_and_check(data, tmp_path, times=20, seed=4)
