"""Durable reports a second on one core, against a peer that stores nothing, in the same run.

The server has one core, the load another. "A core's second" is the server's own CPU time, which
other processes on the machine do not use up; the clock's figure is shown beside it.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.row import Row

TAGS = 1000
LINES = 256
POSTS = 20_000
ROUNDS = 3
FIXES = 15
AS_MANY = 5_000 / 37_000
"""5,000 a second were asked for on a machine on which the peer alone does 37,000."""
CORES = sorted(os.sched_getaffinity(0))
HERE = Path(sys.executable).parent


class Round(NamedTuple):
    """What one round of `POSTS` requests took."""

    clock_s: float
    cpu_s: float
    p50_ms: float
    p99_ms: float


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        _run("bench.doors.tags", folder, str(TAGS))
        port = _free_port()
        up = [HERE / "ringfence", "up", "--only", "gateway", "--data", folder]
        with _server([*up, "--port", str(port)], port) as pid:
            ours = _rounds(pid, port)
            stored = _metric(port, "ringfence_reports_in_total")
    if stored != ROUNDS * POSTS * FIXES:
        raise RuntimeError(f"{stored:,.0f} reports stored, {ROUNDS * POSTS * FIXES:,} acknowledged")
    port = _free_port()
    uvicorn = [HERE / "uvicorn", "bench.doors.bare:app", "--loop", "uvloop", "--http", "httptools"]
    quiet = ["--no-access-log", "--log-level", "warning", "--lifespan", "off"]
    with _server([*uvicorn, *quiet, "--port", str(port)], port) as pid:
        bare = _rounds(pid, port)
    best, peer = (min(rounds, key=lambda r: r.cpu_s) for rounds in (ours, bare))
    quickest = min(ours, key=lambda r: r.clock_s)
    return [
        Row("durable POST of 15 fixes", POSTS / best.cpu_s, "a core's second", 5000),
        Row("durable POST of 15 fixes", POSTS / quickest.clock_s, "a second by the clock"),
        Row("fixes stored", POSTS * FIXES / best.cpu_s, "a core's second"),
        Row(f"acknowledged, p50 of {LINES} at once", quickest.p50_ms, "ms"),
        Row(f"acknowledged, p99 of {LINES} at once", quickest.p99_ms, "ms"),
        Row("bare ASGI and msgspec, nothing stored", POSTS / peer.cpu_s, "a core's second"),
        Row(
            "durable POST",
            peer.cpu_s / best.cpu_s,
            "times as many",
            AS_MANY,
            ratio_to="bare ASGI that stores nothing",
        ),
    ]


def _rounds(pid: int, port: int) -> list[Round]:
    return [_round(pid, port, n * POSTS) for n in range(ROUNDS)]


def _round(pid: int, port: int, first: int) -> Round:
    before_s = _cpu_s(pid)
    numbers = [str(n) for n in (port, POSTS, first, TAGS, LINES)]
    load = _run("bench.doors.load", *numbers, core=CORES[-1])
    clock_s, p50_ms, p99_ms = map(float, load.split())
    return Round(clock_s, _cpu_s(pid) - before_s, p50_ms, p99_ms)


@contextmanager
def _server(command: list[str | Path], port: int) -> Iterator[int]:
    server = subprocess.Popen(  # noqa: S603 -- our own command
        [*_on(CORES[0]), *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield server.pid
    finally:
        server.terminate()
        server.wait(10)


def _run(module: str, *arguments: str, core: int = CORES[0]) -> str:
    """What our own `module` prints."""
    command = [*_on(core), sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _on(core: int) -> list[str]:
    # taskset replaces itself by the command, so the process id stays the server's.
    return ["taskset", "--cpu-list", str(core)]


def _wait(port: int) -> None:
    until_s = time.monotonic() + 90
    while time.monotonic() < until_s:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the server did not start within 90 s")


def _metric(port: int, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
