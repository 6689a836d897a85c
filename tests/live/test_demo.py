"""`ringfence demo` as a process: what the first minute shows, what it costs, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

MOST_MB = 400
FIRST_MINUTE_S = 90
"""A minute, and what loading a world takes on a busy machine."""


def metric(url: str, name: str) -> float:
    with urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310 -- our own, on loopback
        text = answer.read().decode()
    found = re.search(rf"^{re.escape(name)} ([\d.e+]+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def pss_mb(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


@pytest.mark.heavy
def test_the_first_minute_shows_alerts_within_its_memory_and_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-c", "from ringfence.cli import main; main()", "demo"]
    demo = subprocess.Popen(
        [*command, "--port", "0", "--data", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "RINGFENCE_LOG": str(tmp_path / "log")},
    )
    try:
        assert demo.stdout
        said = "".join(demo.stdout.readline() for _ in range(8))
        for name in ("otto", "ola", "eve", "ada"):
            assert name in said
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found
        url = found[0]

        # A critical one: the strap, or the approach to a protected zone.
        critical = 'ringfence_alerts_open{severity="critical"}'
        until(lambda: metric(url, critical) >= 1, FIRST_MINUTE_S, "no critical alert")
        until(lambda: metric(url, "ringfence_oldest_unjudged_seconds") == 0, 30, "behind")
        processes = [demo.pid, *children(demo.pid)]
        assert len(processes) == 2
        used_mb = sum(pss_mb(pid) for pid in processes)
        assert used_mb <= MOST_MB, f"{used_mb:.0f} MB"
    finally:
        began = time.monotonic()
        demo.send_signal(signal.SIGTERM)
        status = demo.wait(15)
    assert status == 0
    assert time.monotonic() - began < 5
    for pid in processes[1:]:
        assert not Path(f"/proc/{pid}").exists()
