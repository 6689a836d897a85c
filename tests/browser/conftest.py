"""A real platform, a real browser: nothing between them is made up but the people."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.stage import CAST, PASSWORD, UNWORN
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # A browser that phones home would fail the test that no request leaves the machine.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
METRES_PER_DEGREE = 111_320.0


@dataclass
class Live:
    """A running platform, with what its tags need to report."""

    url: str
    tokens: dict[str, str]
    seq: int = 0

    def report(self, crn: str, **said: object) -> None:
        """Send one report as a tag does, and wait for its acknowledgement."""
        self.seq += 1
        tag = f"T{list(CAST).index(crn) + 1}"
        status, text = self.post(tag, self.tokens[crn], [{"seq": self.seq, **said}])
        assert status == 200, text
        assert json.loads(text)["accepted"] == 1, text

    def flood(self) -> None:
        """Let the tag that is on nobody send until it is told that it is too much."""
        status = 200
        while status == 200:
            at = datetime.now(UTC).isoformat()
            many = [{"seq": self.seq + n, "time": at} for n in range(3_000)]
            self.seq += len(many)
            status, _ = self.post(UNWORN, self.tokens[UNWORN], many)
        assert status == 429

    def post(self, tag: str, token: str, reports: list[dict[str, object]]) -> tuple[int, str]:
        """Send reports over HTTP; the answer."""
        body = json.dumps({"tag": tag, "reports": reports})
        link = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            link.request(
                "POST",
                "/gateway/v1/reports",
                body,
                {
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                },
            )
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()

    def fix(self, crn: str, north_m: float, at: datetime, accuracy_m: float = 8.0) -> None:
        """Report a satellite fix so many metres north of the middle of the wearer's zone."""
        lon, lat = CAST[crn][2]
        self.report(
            crn,
            time=at.isoformat().replace("+00:00", "Z"),
            lat=lat + north_m / METRES_PER_DEGREE,
            lon=lon,
            accuracy_m=accuracy_m,
            source="gnss",
            speed_mps=1.4,
            course_deg=180,
            satellites=9,
            hdop=0.9,
            battery_pct=81,
        )

    def walk(self, crn: str, norths_m: list[float], every_s: int = 60) -> None:
        """Report a walk that ends now."""
        last_at = datetime.now(UTC).replace(microsecond=0)
        for number, north_m in enumerate(norths_m):
            back_s = every_s * (len(norths_m) - 1 - number)
            self.fix(crn, north_m, last_at - timedelta(seconds=back_s))

    def cut_strap(self, crn: str) -> None:
        """Report a cut strap, without a position."""
        at = datetime.now(UTC).replace(microsecond=0)
        self.report(crn, time=at.isoformat().replace("+00:00", "Z"), signals=["strap_cut"])


@dataclass
class Visitor:
    """Somebody at a browser, and every address that it asked for."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """`ringfence up` in a fresh data folder."""
    data = tmp_path_factory.mktemp("browser") / "data"
    environment = {**os.environ, "RINGFENCE_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    staged = subprocess.run(
        [sys.executable, "-m", "tests.browser.stage", str(data)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    # Compiled before the clock runs: an edited kernel would be compiled under the first report.
    subprocess.run(
        [sys.executable, "-m", "ringfence.engine.warm"], cwd=ROOT, check=True, capture_output=True
    )
    log = (data.parent / "platform.log").open("w+")
    command = [sys.executable, "-c", "from ringfence.cli import main; main()", "up", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
    )
    try:
        url = _address(process, log)
        wait_until(lambda: _ready(url), 60, "the platform to be ready")
        yield Live(url, json.loads(staged.stdout.splitlines()[-1]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        log.close()


def _address(process: subprocess.Popen[str], log) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://[0-9.:]+", line)
        if found:
            return found[0]
    log.seek(0)
    pytest.fail(f"the platform did not start: {log.read()[-2000:]}")


def _ready(url: str) -> bool:
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        link.request("GET", "/readyz")
        return link.getresponse().status == 200
    except OSError:
        return False
    finally:
        link.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: run tools/need-chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, live: Live) -> Iterator[Callable[..., Visitor]]:
    """Open a browser as somebody: `visit("otto")`, `visit("ola", PHONE)`."""
    contexts: list[BrowserContext] = []

    def visiting(user: str | None, size: dict[str, int] = DESK) -> Visitor:
        context = browser.new_context(viewport=size, base_url=live.url, locale="en-GB")
        contexts.append(context)
        visitor = Visitor(context.new_page())
        context.on("request", lambda request: visitor.asked.append(request.url))
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitor.page.on(
            "console",
            lambda said: visitor.complaints.append(said.text) if said.type == "error" else None,
        )
        if user is not None:
            sign_in(visitor.page, user)
        return visitor

    yield visiting
    for context in contexts:
        context.close()


def sign_in(page: Page, user: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def wait_until(what: Callable[[], bool], seconds: float, why: str) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.1)
    pytest.fail(f"waited {seconds} s for {why}")


def drawn(page: Page) -> None:
    """Wait until a page's map shows what it has."""
    page.wait_for_selector(".rf-map[data-drawn]", timeout=20_000)
    page.wait_for_timeout(400)


def picture(name: str) -> Path:
    """Where screenshots go; with KEEP_PICTURES set, the README's own replaces the committed one."""
    kept = name == "control-room.png" and "KEEP_PICTURES" in os.environ
    folder = ROOT / "docs" / "images" if kept else ROOT / ".screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
