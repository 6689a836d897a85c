"""The only way to write: an action, in one transaction, by a named actor."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

P = ParamSpec("P")
R = TypeVar("R")

_acting: ContextVar[bool] = ContextVar("ringfence_acting", default=False)


class NotAnActionError(RuntimeError):
    """A guarded row was written outside an action."""


def action(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` an action: one transaction, in which guarded models may be written.

    State, audit row and message commit together or not at all.
    """

    @wraps(function)
    def acting(*args: P.args, **kwargs: P.kwargs) -> R:
        token = _acting.set(True)
        try:
            with transaction.atomic():
                return function(*args, **kwargs)
        finally:
            _acting.reset(token)

    return acting


def require_action(what: str) -> None:
    """Refuse unless an action is under way."""
    if not _acting.get():
        raise NotAnActionError(
            f"{what} is written by actions only: call the room's actions module, with by=…"
        )
