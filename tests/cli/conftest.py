"""The command line, run in this process against the test's database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ringfence.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("RINGFENCE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RINGFENCE_LOG", str(tmp_path / "log"))
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield lambda *words: CliRunner().invoke(app, list(words))
    root.handlers = handlers
    root.setLevel(level)
