"""May they? Asked by every action, so that no page can forget to."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.roles import Permission

Actor = User | str
"""A signed-in person, or `system:<stage>` / `shell:<login>` for the machine and its keeper."""

TRUSTED = ("system:", "shell:")


class NotPermittedError(PermissionDenied):
    """Their role does not permit it; Django answers 403."""


def actor_name(by: Actor) -> str:
    """How the audit log names `by`."""
    return by if isinstance(by, str) else by.get_username()


def permitted(by: Actor, permission: Permission) -> str:
    """Return the actor's name for the audit log, or refuse.

    Raises:
        NotPermittedError: their role lacks the permission; says which.
        ValueError: a text that is neither `system:…` nor `shell:…`.
    """
    if isinstance(by, str):
        if not by.startswith(TRUSTED):
            raise ValueError("by= is a User, 'system:<stage>' or 'shell:<login>'")
        return by
    if not by.may(permission):
        raise NotPermittedError(
            f"the role {by.role or 'none'} lacks {permission}: ask whoever keeps the accounts"
        )
    return by.get_username()
