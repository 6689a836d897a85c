"""The whole platform under load through all doors at once: lag, memory, loss.

`python -m bench mixed` takes a few minutes; `python -m bench.mixed --seconds 3600 --rate 2000` as
long as it is told. `--kills 10` kills the platform (-9) at random meanwhile; `--outage 5000`
let so many tags replay an hour instead, newest first. One process on one core, the load on another.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.gateway import _free_port, _on, _run, _wait
from bench.row import Row

SECONDS = 60
RATE = 2_000
"""Reports a second: as many tags, each one a second."""
OUTAGE_TAGS = 5_000
BUFFERED = 60
"""Reports of an hour, one a minute."""
LIVE_TAGS = 200
"""Tags that were not cut off, beside those that were."""
JUDGED_UP_TO = (
    "SELECT (SELECT COUNT(*) FROM monitoring_latereports) + (SELECT {} > MAX(position) FROM "
    "monitoring_cursor WHERE stage = 'monitoring.detect')"
)
CAUGHT_UP_S = 60.0
FLAT = 0.05
CORES = sorted(os.sched_getaffinity(0))
HERE = Path(sys.executable).parent


class Platform:
    """`ringfence up` with all doors, on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: _free_port() for name in ("http", "tcp", "mqtt")}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        up = [HERE / "ringfence", "up", "--data", self.folder, "--port", str(self.ports["http"])]
        env = {
            **os.environ,
            "RINGFENCE_TCP": f"queclink:{self.ports['tcp']}",
            "RINGFENCE_TCP_PER_ADDRESS": "20000",
            "RINGFENCE_MQTT_PORT": str(self.ports["mqtt"]),
            "NUMBA_NUM_THREADS": "1",
        }
        with (self.folder.parent / "up.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own command
                [*_on(CORES[0]), *map(str, up)], stdout=log, stderr=log, env=env
            )
        _wait(self.ports["http"])

    def kill(self) -> None:
        """As a power cut."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def rss_mib(self) -> float:
        """Its resident memory."""
        status = Path(f"/proc/{self.process.pid if self.process else 0}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Its CPU time so far."""
        stat = Path(f"/proc/{self.process.pid if self.process else 0}/stat").read_text()
        return sum(map(int, stat.rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def lags(self) -> dict[float, float]:
        """How many reports were judged within so many seconds of their receipt, so far."""
        address = f"http://127.0.0.1:{self.ports['http']}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            text = answer.read().decode()
        found = re.findall(r'ringfence_judged_lag_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
        return {float(le): float(count) for le, count in found}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What its database says."""
        connection = sqlite3.connect(self.folder / "ringfence.sqlite3", timeout=60)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def wait_judged(self) -> None:
        """Until every stored report was read by the monitor, and no late one waits its turn."""
        waiting = (
            "SELECT (SELECT COUNT(*) FROM monitoring_report WHERE id > COALESCE((SELECT position "
            "FROM monitoring_cursor WHERE stage = 'monitoring.detect'), 0)) + "
            "(SELECT COUNT(*) FROM monitoring_latereports)"
        )
        while self.rows(waiting)[0][0]:
            time.sleep(0.2)


@contextmanager
def _platform(tags: int) -> Iterator[tuple[Platform, list[str]]]:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        data = Path(folder) / "data"
        tokens = json.loads(_run("bench.doors.fleet", str(data), str(tags)))
        platform = Platform(data)
        platform.start()
        try:
            yield platform, tokens
        finally:
            platform.kill()


def _load(
    platform: Platform,
    tokens: list[str],
    seconds: int,
    **more: Any,
) -> Any:
    folder = platform.folder.parent
    plan = folder / "plan.json"
    said = {"ports": platform.ports, "tokens": tokens, "seconds": seconds}
    said |= {"buffered": 0, "live": 0, "floods": 0, "late": False, **more}
    said |= {"over": str(folder / "over.json"), "stop": str(folder / "stop")}
    plan.write_text(json.dumps(said))
    command = [*_on(CORES[-1]), sys.executable, "-m", "bench.doors.mixed_load", str(plan)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own


def _told(load: Any) -> dict[str, Any]:
    out, _ = load.communicate()
    if load.returncode:
        raise RuntimeError("the load failed: see above")
    told: dict[str, Any] = json.loads(out)
    return told


def _check(platform: Platform, told: dict[str, Any]) -> int:
    """Nothing acknowledged is missing and nothing is there twice; how many were acknowledged."""
    stored: dict[int, list[int]] = {}
    for name, time_ms in platform.rows(
        "SELECT t.name, r.time_ms FROM monitoring_report r JOIN cases_tag t ON t.id = r.tag_id"
    ):
        stored.setdefault(int(name[1:]), []).append(time_ms)
    for n, acknowledged in enumerate(told["acknowledged"]):
        times = stored.get(n, [])
        if len(times) < acknowledged or len(set(times)) != len(times):
            raise RuntimeError(f"tag {n}: {acknowledged} acknowledged, {len(times)} stored")
    return sum(told["acknowledged"])


def sustained(
    seconds: int = SECONDS,
    rate: int = RATE,
    kills: int = 0,
    floods: int = 0,
    *,
    late: bool = False,
) -> list[Row]:
    """One report a tag and second through all doors."""
    rng = random.Random(1)  # noqa: S311 -- instants of kills
    killed_at = sorted(rng.uniform(0.05, 0.95) * seconds for _ in range(kills))
    with _platform(rate + floods) as (platform, tokens):
        load = _load(platform, tokens, seconds, floods=floods, late=late)
        began_s, rss = time.monotonic(), []
        seen = _Seen(platform, range(LIVE_TAGS if floods else 0))
        warm: dict[float, float] = {}
        warm_ms = 0
        while load.poll() is None:
            if killed_at and time.monotonic() - began_s > killed_at[0]:
                killed_at.pop(0)
                platform.kill()
                platform.start()
            rss.append(platform.rss_mib())
            if not warm and time.monotonic() - began_s > seconds / 4:
                warm, warm_ms = platform.lags(), round(1000 * time.time())
            for _ in range(10):
                seen.look()
        told = _told(load)
        others = seen.lags(warm_ms, round(1000 * time.time()) - 5000) if floods else []
        lags = platform.lags()
        platform.wait_judged()
        acknowledged = _check(platform, told)
        flood = _flood(platform, rate, told, others) if floods else []
    name = f"{rate:,} reports a second" + (f", {kills} kills" if kills else "")
    name += f" beside {floods} looping tag" if floods else ""
    name += " that tells of hours ago" if late else ""
    rows = [
        Row(f"{name}: acknowledged", acknowledged / told["seconds"], "reports a second"),
        Row(f"{name}: p99 until acknowledged", told["acknowledged_p99_s"], "s"),
        *flood,
    ]
    if kills:
        return [*rows, Row(f"{name}: acknowledged, and stored once", acknowledged, "reports")]
    within = {le: lags[le] - warm.get(le, 0) for le in lags}
    judged = within[float("inf")]
    later, earlier = rss[-len(rss) // 4 :], rss[len(rss) // 4 : len(rss) // 2]
    growth = (sum(later) / len(later)) / (sum(earlier) / len(earlier)) - 1
    return [
        *rows,
        Row(f"{name}: judged within 1 s of receipt", 100 * within[1.0] / judged, "%", 99),
        Row(f"{name}: judged within 2.5 s", 100 * within[2.5] / judged, "%"),
        Row(f"{name}: memory, last quarter", sum(later) / len(later), "MiB"),
        Row(f"{name}: memory grew by less than 5 %", 100 * (FLAT - growth), "% to spare", 0),
        Row(f"{name}: acknowledged, and stored once", acknowledged, "reports"),
    ]


def _flood(platform: Platform, number: int, told: dict[str, Any], others: list[float]) -> list[Row]:
    """What a tag that loops at 1,000 reports a second came to, and whether anybody was told."""
    time.sleep(2)  # the platform looks after itself every second
    stored = "SELECT COUNT(*) FROM monitoring_report r JOIN cases_tag t ON t.id = r.tag_id"
    ((reports,),) = platform.rows(f"{stored} WHERE t.name = 'T{number}'")
    ((kept,),) = platform.rows("SELECT COALESCE(SUM(size), 0) FROM monitoring_quarantine")
    ((alerts,),) = platform.rows("SELECT COUNT(*) FROM alerts_alert WHERE kind = 'system'")
    (answers,) = told["answers_to_floods"]
    return [
        Row(f"{LIVE_TAGS} others: p99 until judged", others[len(others) * 99 // 100], "s"),
        Row(f"{LIVE_TAGS} others: longest until judged", others[-1], "s"),
        Row("of the looping tag: refused (429)", answers.get("429", 0), "requests of 100 reports"),
        Row("of the looping tag: stored", reports, "reports"),
        Row("of the looping tag: kept apart", kept / 1024, "KiB"),
        Row("of the looping tag: system alerts", alerts, "alerts", 1),
    ]


def outage(tags: int = OUTAGE_TAGS) -> list[Row]:
    """An hour's outage is over: tags let go of what they kept, newest first, beside live ones."""
    with _platform(tags + LIVE_TAGS) as (platform, tokens):
        load = _load(platform, tokens, 0, buffered=BUFFERED, live=LIVE_TAGS)
        over = platform.folder.parent / "over.json"
        seen = _Seen(platform, range(tags, tags + LIVE_TAGS))
        while not over.exists() and load.poll() is None:
            seen.look()
        last = platform.rows("SELECT MAX(id) FROM monitoring_report")[0][0]
        while platform.rows(JUDGED_UP_TO.format(last))[0][0]:
            seen.look()
        judged_s = time.time()
        cpu_s = platform.cpu_s()
        (platform.folder.parent / "stop").touch()
        told, times = _told(load), json.loads(over.read_text())
        acknowledged = _check(platform, told)
        lags = seen.lags(round(1000 * times["began_s"]), round(1000 * judged_s))
    name = f"an hour of {tags:,} tags, newest first"
    took_s = judged_s - times["began_s"]
    return [
        Row(f"{name}: stored once", acknowledged, "reports"),
        Row(f"{name}: acknowledged within", times["over_s"] - times["began_s"], "s"),
        Row(f"{name}: judged within", took_s, "s"),
        Row(f"{name}: of a minute to spare", CAUGHT_UP_S - took_s, "s", 0),
        Row(f"{name}: CPU that the platform took, with its start", cpu_s, "s"),
        Row(f"{LIVE_TAGS} live tags meanwhile: p99 until judged", lags[len(lags) * 99 // 100], "s"),
        Row(f"{LIVE_TAGS} live tags meanwhile: longest until judged", lags[-1], "s"),
    ]


class _Seen:
    """When some wearers were seen to be judged up to where, looked at from outside."""

    def __init__(self, platform: Platform, numbers: range) -> None:
        self.platform = platform
        names = "SELECT id, name FROM cases_tag"
        fitted = dict(platform.rows("SELECT tag_id, wearer_id FROM cases_fitting"))
        live = [pk for pk, name in platform.rows(names) if int(name[1:]) in numbers]
        self.tags = {fitted[pk]: pk for pk in live}
        self.at: dict[int, list[tuple[int, int]]] = {wearer: [] for wearer in self.tags}
        """By wearer: judged up to, and seen at, ms."""

    def look(self) -> None:
        """Look, and wait a moment."""
        if not self.tags:
            time.sleep(0.1)
            return
        marks = ",".join(map(str, self.tags))
        state = "SELECT wearer_id, judged_ms FROM monitoring_wearerstate WHERE wearer_id IN"
        found, at_ms = self.platform.rows(f"{state} ({marks})"), round(1000 * time.time())
        for wearer, judged_ms in found:
            if not self.at[wearer] or self.at[wearer][-1][0] < judged_ms:
                self.at[wearer].append((judged_ms, at_ms))
        time.sleep(0.1)

    def lags(self, from_ms: int, to_ms: int) -> list[float]:
        """Seconds from receipt to being seen judged, of reports received between two instants."""
        lags = []
        for wearer, tag in self.tags.items():
            seen = self.at[wearer]
            for time_ms, received_ms in self.platform.rows(
                "SELECT time_ms, received_ms FROM monitoring_report "  # noqa: S608 -- a number
                f"WHERE tag_id = {tag} AND received_ms BETWEEN {from_ms} AND {to_ms}"
            ):
                first = bisect_left(seen, (time_ms, 0))
                judged_ms = seen[first][1] if first < len(seen) else round(1000 * time.time())
                if judged_ms > received_ms + 1000 and received_ms > to_ms - 1000:
                    continue  # it came as the looking ended
                lags.append((judged_ms - received_ms) / 1000)
        return sorted(lags)


def run() -> list[Row]:
    return [*sustained(), *sustained(30, RATE // 4, kills=3), *outage(OUTAGE_TAGS // 5)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=int, default=SECONDS)
    asked.add_argument("--rate", type=int, default=RATE)
    asked.add_argument("--kills", type=int, default=0)
    asked.add_argument("--flood", action="store_true", help="beside a tag that loops")
    asked.add_argument("--late", action="store_true", help="the tag that loops tells of hours ago")
    asked.add_argument("--outage", type=int, metavar="TAGS", default=0)
    said = asked.parse_args()
    if said.outage:
        rows = outage(said.outage)
    else:
        floods = int(said.flood or said.late)
        rows = sustained(said.seconds, said.rate, said.kills, floods, late=said.late)
    for row in rows:
        target = "" if row.target is None else f"   (≥ {row.target:g})"
        print(f"{row.name}: {row.figure:,.4g} {row.unit}{target}")


if __name__ == "__main__":
    main()
