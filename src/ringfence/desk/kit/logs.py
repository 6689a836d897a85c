"""Logs are events with values, one JSON object a line, and never say who or where."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from ringfence.desk.kit.private import PRIVATE

Event = MutableMapping[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

QUIET = ("amqtt", "asyncio", "axes", "django.security.csrf", "mqtt", "uvicorn.access")
"""Loggers that would name people, addresses or peers, or say nothing that helps."""


def drop_private(_logger: object, _method: str, event: Event) -> Event:
    """Take private fields out of an event, in case somebody passed one."""
    for key in PRIVATE.intersection(event):
        del event[key]
    return event


def describe_error(_logger: object, _method: str, event: Event) -> Event:
    """Say which error and where in the code.

    Its message stays out unless it is the machine's: messages of ours name rows and people.
    """
    info: ExcInfo | tuple[None, None, None] | bool | BaseException | None = event.pop(
        "exc_info", None
    )
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    elif info is True:
        info = sys.exc_info()
    if not isinstance(info, tuple) or info[1] is None:
        return event
    event["error"] = type(info[1]).__qualname__
    event["at"] = [
        f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(info[2])[-6:]
    ]
    if isinstance(info[1], OSError) or type(info[1]).__name__ == "OperationalError":
        event["said"] = str(info[1])[:200]
    return event


def set_up_logs(path: Path | None = None) -> None:
    """Send our events and other libraries' warnings to `path`, or to standard error."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="logged_at"),
        drop_private,
        describe_error,
    ]
    render = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        # The pattern of other libraries' messages, never what they fill in: URLs, names, peers.
        use_get_message=False,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.FileHandler(path) if path else logging.StreamHandler(sys.stderr)
    handler.setFormatter(render)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ringfence").setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
