"""One platform a test, gone with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.running import Running, command


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder at today's schema with nothing in it, made once: that takes two seconds."""
    folder = tmp_path_factory.mktemp("blank") / "data"
    command("tags", "list", "--data", folder)
    return folder


@pytest.fixture
def data(blank: Path, tmp_path: Path) -> Path:
    """A data folder of the test's own, with nothing in it."""
    return Path(shutil.copytree(blank, tmp_path / "data"))


@pytest.fixture
def platform(data: Path) -> Iterator[Running]:
    running = Running(data)
    yield running
    running.stop()
