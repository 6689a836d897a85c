"""A real `ringfence up` in its own process, started, killed and asked from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RINGFENCE = Path(sys.executable).parent / "ringfence"
READY_S = 120.0
"""Generous: test machines compile and share."""


def command(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [RINGFENCE, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


ONE_BY_ONE = """
import json, sys
from typer.testing import CliRunner
from ringfence.cli import app
said = []
for words in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, (words, done.output, done.exception)
    said.append(done.stdout)
print(json.dumps(said))
"""


def commands(*each: Sequence[str | Path]) -> list[str]:
    """What several commands say, run one after the other in one process: starting takes longest."""
    words = json.dumps([[str(word) for word in one] for one in each])
    done = subprocess.run(
        [RINGFENCE.parent / "python", "-c", ONE_BY_ONE, words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """The platform on a data folder of its own."""

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.data.parent / "up.log").open("ab")
        self.process = subprocess.Popen(
            [RINGFENCE, "up", "--data", self.data, "--port", str(self.port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "NUMBA_NUM_THREADS": "1"},
        )

    def wait_ready(self) -> None:
        end_s = time.monotonic() + READY_S
        while not self.is_ready():
            assert self.process is not None
            assert self.process.poll() is None, (self.data.parent / "up.log").read_text()[-2000:]
            assert time.monotonic() < end_s, "the platform does not get ready"
            time.sleep(0.05)

    def is_ready(self) -> bool:
        try:
            status, _ = self.ask("GET", "/readyz")
        except OSError:
            return False
        return status == 200

    def kill(self) -> None:
        """As a power cut: no handler runs."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, token: str = ""
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        try:
            connection.request(method, path, body, headers if body is not None else {})
            response = connection.getresponse()
            text = response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        return response.status, text

    def post(self, tag: str, token: str, reports: Sequence[dict[str, Any]]) -> bool:
        """Send reports as a tag does; True only when the platform acknowledged them."""
        body = json.dumps({"tag": tag, "reports": list(reports)}).encode()
        try:
            status, text = self.ask("POST", "/gateway/v1/reports", body, token)
        except OSError:
            return False
        assert status in (200, 429, 503), (status, text)
        if status != 200:
            return False
        receipt = json.loads(text)
        assert receipt["refused"] == []
        assert receipt["accepted"] + receipt["duplicate"] == len(reports)
        return True

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.data / "ringfence.sqlite3", timeout=30)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def wait_settled(self, within_s: float = 300.0) -> None:
        """Wait until every report is judged, every deadline due has fired, every alert is open."""
        end_s = time.monotonic() + within_s
        while self._unsettled():
            assert time.monotonic() < end_s, "the monitor does not catch up"
            time.sleep(0.1)

    def _unsettled(self) -> bool:
        ((unread, due, unseen),) = self.rows(
            """
            WITH read AS (SELECT stage, position FROM monitoring_cursor)
            SELECT (SELECT COUNT(*) FROM monitoring_report WHERE id > COALESCE(
                       (SELECT position FROM read WHERE stage = 'monitoring.detect'), 0)),
                   (SELECT COUNT(*) FROM monitoring_wearerstate WHERE wake_ms <= ?),
                   (SELECT COUNT(*) FROM monitoring_violation WHERE revision > COALESCE(
                       (SELECT position FROM read WHERE stage = 'alerts.opening'), 0))
            """,
            int(time.time() * 1000),
        )
        return bool(unread or due or unseen)


def new_tag(data: Path, tag: str, wearer: str, since: str) -> tuple[str | Path, ...]:
    """The command that makes a tag on a wearer; it says its token."""
    return ("tags", "add", tag, "--wearer", wearer, "--from", since, "--data", data)


def add_tag(data: Path, tag: str, wearer: str, since: str) -> str:
    """Make a tag on a wearer; its token."""
    return command(*new_tag(data, tag, wearer, since)).stdout.strip()


def lines_of(path: Path) -> list[str]:
    return sorted(path.read_text().splitlines())
