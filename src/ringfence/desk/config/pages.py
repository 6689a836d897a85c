"""Django's own ASGI application: every page."""

from __future__ import annotations

from typing import cast

from django.core.handlers.asgi import ASGIHandler
from django.urls import get_resolver

from ringfence.desk.config.plain import Application


def pages() -> Application:
    """The pages, with the addresses read now: a faulty one stops the start, not a request."""
    list(get_resolver().url_patterns)
    return cast("Application", ASGIHandler())
