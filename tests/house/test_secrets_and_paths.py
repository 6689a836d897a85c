"""What may not stand in the project: host names in locks, paths of a machine, people's data."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.house.source import ROOT


def tracked() -> list[str]:
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if out.returncode:
        pytest.skip("not a git checkout: nothing is tracked")
    return [name for name in out.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "requirements-heavy.lock"]
)
def test_a_lock_file_holds_hashes_and_no_host_names(name: str) -> None:
    text = (ROOT / name).read_text()
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)
    assert len(pinned) > 20
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text


def test_the_front_end_lock_holds_no_host_names() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in text


def test_no_path_of_a_machine_is_committed() -> None:
    pattern = re.compile(r"/(?:home|root|work|Users)/[a-z]")
    guilty = [
        name
        for name in tracked()
        if name.endswith((".py", ".md", ".toml", ".json", "Makefile", ".yml", ".sh"))
        and "/static/" not in name
        and name != "tests/house/test_secrets_and_paths.py"
        and pattern.search((ROOT / name).read_text(errors="replace"))
    ]
    assert not guilty


def test_no_real_trace_is_committed() -> None:
    named = re.compile(r"geolife|mobilitynet|real_tag|goal_walk|liverpool_bus")
    assert not [name for name in tracked() if named.search(name)]
