"""From a tag's report to its alert on an open page, with the demo running.

The clock starts when the report's bytes are sent to the gateway and stops when the browser has
drawn the alert: storing, judging, opening, the server-sent event, the queue's own request and the
page are all in between. Needs chromium (`tools/need-chromium`).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from bench.row import Row

if TYPE_CHECKING:
    from playwright.sync_api import Page

TARGET_S = 1.0
ALERTS = 20
WARM_S = 75
"""The demo's own first minute, with its backfill, is not what is measured."""
PROGRAM = "from ringfence.cli import main; main()"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
WATCH = """() => {
  window.drawn = {};
  const look = () => document.querySelectorAll("#queue [data-alert]").forEach((item) => {
    const words = item.textContent;
    const crn = words.match(/Y\\d{6}/)?.[0];
    if (crn && !(crn in window.drawn)) {
      window.drawn[crn] = 0;
      // After the frame that shows it, not when the markup arrived.
      requestAnimationFrame(() => setTimeout(() => { window.drawn[crn] = Date.now(); }, 0));
    }
  });
  const queue = document.querySelector("#queue");
  new MutationObserver(look).observe(queue, {childList: true, subtree: true});
}"""


def run() -> list[Row]:
    """Cut so many straps, one at a time, and take the time of each on the page."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("alert_to_page: chromium is not installed; run tools/need-chromium", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with _demo(data) as (url, name, password):
            begun_s = time.monotonic()
            tokens = {f"Y{n:06d}": _tag(data, f"Y{n:06d}") for n in range(1, ALERTS + 1)}
            time.sleep(max(0.0, begun_s + WARM_S - time.monotonic()))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                page = browser.new_page(base_url=url)
                _sign_in(page, name, password)
                page.evaluate(WATCH)
                taken_s = [_cut(page, url, crn, token) for crn, token in tokens.items()]
                browser.close()
    p50_s, p95_s = statistics.median(taken_s), statistics.quantiles(taken_s, n=20)[18]
    return [
        Row("report → alert on an open page, p50", p50_s, "s"),
        Row("report → alert on an open page, p95", p95_s, "s"),
        Row("report → alert on an open page, longest", max(taken_s), "s"),
        Row("what is promised (1 s)", TARGET_S / p95_s, "×", target=1.0, ratio_to="p95"),
    ]


@contextmanager
def _demo(data: Path) -> Iterator[tuple[str, str, str]]:
    process = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-u", "-c", PROGRAM, "demo", "--port", "0"],
        env={**os.environ, "RINGFENCE_DATA": str(data)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = name = password = ""
        for line in process.stdout or ():
            if found := re.search(r"http://[\d.:]+", line):
                url = found[0]
            if line.strip().startswith("Control room operator"):
                name, password = line.split()[-2:]
                break
        if not password:
            raise RuntimeError("the demo did not start: run `make demo` to see why")
        yield url, name, password
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def _tag(data: Path, crn: str) -> str:
    made = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-c", PROGRAM, "tags", "add", f"bench-{crn}", "--wearer", crn],
        env={**os.environ, "RINGFENCE_DATA": str(data)},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()


def _sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.wait_for_selector(".rf-map[data-drawn]")
    page.wait_for_function("document.querySelector('[data-connection]').textContent === 'Live'")


def _cut(page: Page, url: str, crn: str, token: str) -> float:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    report = {"seq": 1, "time": at, "signals": ["strap_cut"]}
    body = json.dumps({"tag": f"bench-{crn}", "reports": [report]})
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    sent_s = time.time()
    link.request(
        "POST",
        "/gateway/v1/reports",
        body,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    answer = link.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"the gateway answered {answer.status}")
    link.close()
    drawn_ms = page.wait_for_function("(crn) => window.drawn[crn] || null", arg=crn).json_value()
    # Not in step with the page's or the platform's own rhythms.
    time.sleep(0.37)
    return float(drawn_ms) / 1000 - sent_s
