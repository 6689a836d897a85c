"""Promise 3 for files: an import that is killed anywhere is run again, and nothing is doubled."""

from __future__ import annotations

import os
import random
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.live.running import RINGFENCE, Running, add_tag, command

START = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 12_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fixes.csv"
    rng = random.Random(1)
    with path.open("w") as out:
        out.write("tag,time,lat,lon,accuracy_m\n")
        for n in range(ROWS):
            at = START + timedelta(seconds=20 * n)
            out.write(f"T1,{at.isoformat()},{51.5 + rng.gauss(0, 1e-4):.7f},-0.1,8\n")
    return path


def imported(platform: Running, file: Path) -> list[str]:
    return [str(RINGFENCE), "import", "fixes", str(file), "--reason", "a test",
            "--data", str(platform.data)]  # fmt: skip


def stored(platform: Running) -> tuple[int, int]:
    ((count, different),) = platform.rows(
        "SELECT COUNT(*), COUNT(DISTINCT time_ms) FROM monitoring_report "
        "WHERE frame_id IN (SELECT id FROM monitoring_frame WHERE door = 'import')"
    )
    return count, different


def killed_after(platform: Running, file: Path, rows: int) -> None:
    process = subprocess.Popen(imported(platform, file), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    end_s = time.monotonic() + 120
    while stored(platform)[0] < rows:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end_s
        time.sleep(0.02)
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "kills", [(3_000,), pytest.param((1, 1_500, 4_000, 9_000), marks=pytest.mark.heavy)]
)
def test_kill_9_at_any_row_then_once_more_stores_each_row_once(
    platform: Running, file: Path, kills: tuple[int, ...]
) -> None:
    add_tag(platform.data, "T1", "X000001", START.isoformat())
    for rows in kills:
        killed_after(platform, file, rows)
        count, different = stored(platform)
        assert rows <= count == different < ROWS
    done = subprocess.run(imported(platform, file), capture_output=True, text=True, check=True)
    assert "an earlier import of this file did not end: going on" in done.stderr
    assert stored(platform) == (ROWS, ROWS)
    assert f"{ROWS - count:,} reports stored, {count:,} known already" in done.stdout
    assert "whole" in command("audit", "verify", "--data", platform.data).stdout


@pytest.mark.heavy
def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else(platform: Running, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("tag,time,lat,lon\nT1,2026-03-01T10:02:00Z,51.5,-0.1\n")
    command("tags", "add", "T1", "--data", platform.data)
    words = [*imported(platform, tmp_path / "a.csv"), "--dry-run"]
    ours, theirs = os.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    for terminal in (True, False):
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=theirs if terminal else subprocess.PIPE,
            env={**env, "FORCE_COLOR": "1"},
            check=True,
        )
        said = os.read(ours, 65_536) if terminal else done.stderr
        assert (b"looking through a.csv" in said) == terminal
    os.close(ours)
    os.close(theirs)


@pytest.mark.heavy
def test_an_import_into_a_running_platform_lets_live_reports_through_and_is_judged(
    platform: Running, file: Path
) -> None:
    add_tag(platform.data, "T1", "X000001", START.isoformat())
    live = add_tag(platform.data, "T2", "X000002", START.isoformat())
    platform.start()
    platform.wait_ready()
    process = subprocess.Popen(imported(platform, file), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    slowest_s, sent = 0.0, 0
    while process.poll() is None:
        began_s = time.monotonic()
        at = datetime.now(UTC).isoformat()
        assert platform.post("T2", live, [{"seq": sent, "time": at, "lat": 51.5, "lon": -0.1}])
        slowest_s, sent = max(slowest_s, time.monotonic() - began_s), sent + 1
        time.sleep(0.1)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert f"{ROWS:,} reports stored, 0 known already" in out
    assert sent > 3
    # A tag waits some seconds for its acknowledgement before it tries again.
    assert slowest_s < 5
    platform.wait_settled()
    assert stored(platform) == (ROWS, ROWS)
    ((judged,),) = platform.rows(
        "SELECT COUNT(*) FROM monitoring_wearerstate s JOIN cases_wearer w ON w.id = s.wearer_id "
        "WHERE w.crn = 'X000001'"
    )
    assert judged == 1
