"""Promise 3: `kill -9` anywhere, under load, loses nothing acknowledged and doubles nothing."""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.live.running import Running, commands, lines_of, new_tag

START = datetime(2026, 10, 1, tzinfo=UTC)
WEARERS = 3
CENTRE = (51.5, -0.1)
WAY_M_PER_DEG = 111_000.0


def conditions(path: Path) -> None:
    """A zone with a ring for each wearer, and a curfew."""
    lat, lon = CENTRE
    square = [
        [lon, lat],
        [lon + 0.01, lat],
        [lon + 0.01, lat + 0.01],
        [lon, lat + 0.01],
        [lon, lat],
    ]
    features = []
    for n in range(WEARERS):
        wearer, since = f"W{n}", START.isoformat()
        zone = {"wearer": wearer, "kind": "exclusion", "from": since, "buffer_m": 150}
        days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        night = [{"days": days, "start": "19:00", "end": "07:00"}]
        home = {"wearer": wearer, "kind": "curfew", "from": since, "radius_m": 300, "when": night}
        features += [
            _feature(f"zone-{n}", {"type": "Polygon", "coordinates": [square]}, zone),
            _feature(f"home-{n}", {"type": "Point", "coordinates": [lon + 0.02, lat]}, home),
        ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _feature(name: str, geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": properties}


def life(n: int, seq: int, rng: random.Random) -> dict[str, Any]:
    """Report number `seq` of a wearer who walks through the zone and home every few hours."""
    phase = ((seq + 60 * n) % 240) / 240
    report: dict[str, Any] = {
        "seq": seq,
        "time": (START + timedelta(minutes=seq)).isoformat(),
        "lat": round(CENTRE[0] + 0.005 + rng.gauss(0, 3e-5), 7),
        "lon": round(CENTRE[1] - 0.02 + 0.05 * phase + rng.gauss(0, 3e-5), 7),
        "accuracy_m": 8,
        "source": "gnss",
    }
    if seq % 700 == 350:
        report["signals"] = ["battery_low"] if seq % 1400 == 350 else ["charging"]
    return report


class Load(threading.Thread):
    """A tag that sends its reports in order, again and again until they are acknowledged."""

    def __init__(self, platform: Running, n: int, token: str) -> None:
        super().__init__(daemon=True)
        self.platform, self.n, self.token = platform, n, token
        self.rng = random.Random(n)
        self.acknowledged = 0
        self.enough = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                size = self.rng.choice([1, 3, 15, 40])
                first = self.acknowledged
                reports = [life(self.n, s, self.rng) for s in range(first, first + size)]
                while not self.platform.post(f"T{self.n}", self.token, reports):
                    time.sleep(0.05)
                self.acknowledged += size
                time.sleep(0.02)
        except BaseException as error:
            self.failure = error
            raise


def kill_again_and_again(platform: Running, tmp_path: Path, times: int, seed: int) -> list[Load]:
    rng = random.Random(seed)
    conditions(tmp_path / "conditions.json")
    *tokens, _ = commands(
        *(new_tag(platform.data, f"T{n}", f"W{n}", START.isoformat()) for n in range(WEARERS)),
        ("import", "conditions", tmp_path / "conditions.json", "--data", platform.data),
    )
    loads = [Load(platform, n, token.strip()) for n, token in enumerate(tokens)]
    platform.start()
    platform.wait_ready()
    for load in loads:
        load.start()
    for _ in range(times):
        # Mostly under load; now and then while it starts, migrates or catches up.
        if rng.random() < 0.8:
            platform.wait_ready()
        time.sleep(rng.uniform(0.05, 1.5))
        platform.kill()
        platform.start()
    platform.wait_ready()
    time.sleep(0.5)
    for load in loads:
        load.enough.set()
    for load in loads:
        load.join(60)
        assert load.failure is None
    platform.wait_settled()
    return loads


def check_nothing_lost_nothing_doubled(
    platform: Running, tmp_path: Path, loads: list[Load]
) -> None:
    for load in loads:
        stored = platform.rows(
            "SELECT r.seq FROM monitoring_report r JOIN cases_tag t ON t.id = r.tag_id "
            "WHERE t.name = ? ORDER BY r.seq",
            f"T{load.n}",
        )
        assert load.acknowledged > 100
        assert [seq for (seq,) in stored] == list(range(load.acknowledged))
    until = datetime.now(UTC).isoformat()
    files = tmp_path / "conditions.json", tmp_path / "fixes.csv"
    commands(
        ("export", "fixes", "--out", tmp_path / "fixes.csv", "--data", platform.data),
        ("export", "violations", "--out", tmp_path / "live.jsonl", "--data", platform.data),
        ("evaluate", *files, "--until", until, "--out", tmp_path / "file.jsonl"),
    )
    live, file = lines_of(tmp_path / "live.jsonl"), lines_of(tmp_path / "file.jsonl")
    assert len(live) == len(set(live)) > 3
    assert live == file
    check_alerts(platform)


def check_alerts(platform: Running) -> None:
    """Each confirmed violation is in one alert; what one alert should hold is not in two."""
    ((unalerted,),) = platform.rows(
        "SELECT COUNT(*) FROM monitoring_violation v "
        "LEFT JOIN alerts_alertviolation l ON l.violation_id = v.id "
        "WHERE v.state = 'confirmed' AND v.withdrawn_at IS NULL AND l.id IS NULL"
    )
    assert unalerted == 0
    ((alerts, opened),) = platform.rows(
        "SELECT (SELECT COUNT(*) FROM alerts_alert), "
        "(SELECT COUNT(*) FROM alerts_moment WHERE what = 'opened')"
    )
    assert alerts == opened > 0
    visits = platform.rows(
        "SELECT a.wearer_id, a.condition_key, a.kind, MIN(v.begin_at), "
        "MAX(COALESCE(v.end_at, '9999')) FROM alerts_alert a "
        "JOIN alerts_alertviolation l ON l.alert_id = a.id "
        "JOIN monitoring_violation v ON v.id = l.violation_id "
        "WHERE a.state <> 'closed' GROUP BY a.id ORDER BY 1, 2, 3, 4"
    )
    for before, after in pairwise(visits):
        if before[:3] == after[:3]:
            assert before[4] < after[3], "two open alerts overlap: one visit was alerted twice"


def test_kill_9_twice_under_load_loses_and_doubles_nothing(platform: Running, tmp_path: Path):
    loads = kill_again_and_again(platform, tmp_path, times=2, seed=1)
    check_nothing_lost_nothing_doubled(platform, tmp_path, loads)


@pytest.mark.heavy
def test_kill_9_twenty_times_under_load_loses_and_doubles_nothing(
    platform: Running, tmp_path: Path
):
    loads = kill_again_and_again(platform, tmp_path, times=22, seed=2)
    check_nothing_lost_nothing_doubled(platform, tmp_path, loads)
