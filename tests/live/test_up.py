"""`ringfence up` as a process: how it starts, refuses to start, and stops."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from ringfence.desk.config.folder import FolderLock

COMMAND = [sys.executable, "-c", "from ringfence.cli import main; main()"]
REPORT = (
    '{{"tag":"T1","reports":[{{"seq":{seq},"time":"2026-03-01T10:02:00Z","lat":51.5,"lon":-0.1}}]}}'
)


def command(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words, "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class Up:
    process: subprocess.Popen[str]
    data: Path
    port: int

    def ask(self, method: str, path: str, body: str | None = None, **headers: str):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def report(self, token: str, seq: int):
        return self.ask(
            "POST",
            "/gateway/v1/reports",
            REPORT.format(seq=seq),
            **{"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )


def start(data: Path, *words: str) -> Up:
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", "0", "--data", str(data), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RINGFENCE_LOG": str(data.parent / "log")},
    )
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    assert found, line + (process.stderr.read() if process.stderr else "")
    return Up(process, data, int(found[1]))


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[Up]:
    up = start(tmp_path_factory.mktemp("up") / "data")
    yield up
    up.process.terminate()
    up.process.wait(10)


def test_it_is_alive_and_ready_and_can_be_measured(platform):
    assert platform.ask("GET", "/healthz") == (200, "alive\n")
    assert platform.ask("GET", "/readyz") == (200, "ready\n")
    status, text = platform.ask("GET", "/metrics")
    assert status == 200
    for name in (
        "ringfence_reports_in_total",
        "ringfence_reports_refused",
        'ringfence_alerts_open{severity="critical"}',
        "ringfence_notices_undelivered",
        "ringfence_oldest_unjudged_seconds",
        "ringfence_disk_free_bytes",
    ):
        assert name in text


def test_pages_ask_for_a_sign_in_and_talk_to_nobody_else(platform):
    connection = HTTPConnection("127.0.0.1", platform.port, timeout=10)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.status == 302
    assert answer.getheader("Location", "").startswith("/sign-in")
    policy = answer.getheader("Content-Security-Policy", "")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.getheader("X-Frame-Options") == "DENY"
    connection.close()


def test_a_second_start_on_the_same_folder_says_which_process_has_it(platform):
    refused = command("up", "--port", "0", data=platform.data)
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert f"already runs on {platform.data} as process {platform.process.pid}" in line


def test_a_port_in_use_is_refused_before_anything_is_written(platform, tmp_path):
    refused = command("up", "--port", str(platform.port), data=tmp_path)
    assert refused.returncode == 2
    assert f"port {platform.port} on 127.0.0.1 is in use" in refused.stderr
    assert not (tmp_path / "ringfence.sqlite3").exists()


def test_a_full_disk_stops_the_acknowledgements_and_they_come_back(platform):
    added = command("tags", "add", "T1", "--wearer", "X000001", data=platform.data)
    token = re.search(r"[\w-]{43}", added.stdout)
    assert token, added.stderr
    assert platform.report(token[0], 1)[0] == 200

    _, hard = resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE, (1, hard))
    try:
        status, why = platform.report(token[0], 2)
        assert status == 503
        assert "accepted" not in why
        status, why = platform.ask("GET", "/readyz")
        assert status == 503
        assert "gateway" in why
    finally:
        resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    deadline = time.monotonic() + 10
    while platform.ask("GET", "/readyz")[0] != 200:
        assert time.monotonic() < deadline, "it did not recover by itself"
        time.sleep(0.1)
    assert platform.report(token[0], 2)[0] == 200


def test_sigterm_stops_it_within_five_seconds_and_leaves_the_folder_free(tmp_path):
    up = start(tmp_path / "data", "--only", "gateway", "--only", "web")
    # A sender in the middle of its body must not hold it up.
    hanging = socket.create_connection(("127.0.0.1", up.port))
    hanging.sendall(b"POST /gateway/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
    time.sleep(0.2)
    began = time.monotonic()
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(10) == 0
    assert time.monotonic() - began < 5
    hanging.close()
    again = FolderLock(up.data)
    again.take()
    again.release()


def test_a_file_is_no_data_folder(tmp_path):
    (tmp_path / "file").touch()
    refused = command("up", data=tmp_path / "file")
    assert refused.returncode == 2
    assert "is not a folder" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
