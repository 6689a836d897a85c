"""A command typed at the shell for somebody: both are in the log, and their role is what counts."""

from __future__ import annotations

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import NotPermittedError, permitted
from ringfence.desk.accounts.roles import Permission


class UnknownUserError(ValueError):
    """Nobody who may sign in has this name."""


def on_behalf_of(username: str, *permissions: Permission, shell: str) -> str:
    """How the audit log names whoever types a command for `username`.

    Args:
        username: for whom.
        permissions: one of these their role must have.
        shell: who types it, `shell:<login>`.

    Raises:
        UnknownUserError: nobody has this name.
        NotPermittedError: their role has none of the permissions.
    """
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise UnknownUserError(f"nobody is called {username}: `ringfence users list` shows who is")
    if not any(user.may(permission) for permission in permissions):
        lacking = " or ".join(permissions)
        raise NotPermittedError(f"the role of {username} lacks {lacking}")
    return permitted(f"{shell} for {username}", permissions[0])
