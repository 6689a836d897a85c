from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ringfence.desk.kit.logs import set_up_logs


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    set_up_logs(tmp_path / "log")
    yield tmp_path / "log"
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail(error: Exception) -> None:
    raise error


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_event_keeps_its_values_and_loses_whom_and_where(log_file):
    structlog.get_logger("ringfence.test").info(
        "stored", count=3, lat=51.5, lon=-0.1, crn="X000001", username="ola", token="t", peer="::1"
    )
    (line,) = lines(log_file)
    assert line.pop("logged_at")
    assert line == {"event": "stored", "count": 3, "level": "info"}


def test_an_error_says_where_in_the_code_but_not_its_message(log_file):
    try:
        fail(ValueError("wearer X000001 at 51.5, -0.1"))
    except ValueError:
        structlog.get_logger("ringfence.test").exception("stage_failed", stage="s")
    (line,) = lines(log_file)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in str(line["at"])
    assert "X000001" not in log_file.read_text()


def test_the_machine_s_own_message_is_kept(log_file):
    try:
        fail(OSError(28, "No space left on device"))
    except OSError:
        structlog.get_logger("ringfence.test").exception("stage_failed")
    assert "No space left" in str(lines(log_file)[0]["said"])


def test_other_libraries_say_their_pattern_only(log_file):
    logging.getLogger("django.request").error("Not Found: %s", "/wearers/abc?lat=51.5")
    (line,) = lines(log_file)
    assert line["event"] == "Not Found: %s"


@pytest.mark.parametrize("name", ["axes", "uvicorn.access"])
def test_loggers_that_name_people_are_silent(log_file, name):
    logging.getLogger(name).error("ola from 192.0.2.1")
    assert log_file.read_text() == ""
