"""Everything that may be written about staff."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.passwords import new_password
from ringfence.desk.accounts.permission import Actor, NotPermittedError
from ringfence.desk.accounts.roles import ROLES
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.kit.acting import action


class AccountError(ValueError):
    """An account that can't be; the text names the field and says what to do."""


@action
def add_user(
    *, by: Actor, username: str, role: str, password: str | None = None
) -> tuple[User, str]:
    """Let somebody sign in.

    Args:
        by: the machine's keeper; nobody adds staff from a page yet.
        username: what they type; unique.
        role: a code of `accounts.roles.ROLES`.
        password: None = a new random one.

    Returns:
        The user and the password in plain: shown this once, kept only as a hash.

    Raises:
        AccountError: a name that is taken, an unknown role, a weak password.
        NotPermittedError: `by` is not the machine's keeper.
    """
    actor = _keeper(by)
    if role not in ROLES:
        raise AccountError(f"role must be one of {', '.join(ROLES)}")
    if not username or len(username) > 150 or any(c.isspace() for c in username):
        raise AccountError("the user name must be 1 to 150 characters without spaces")
    if User.objects.filter(username__iexact=username).exists():
        raise AccountError("that user name is taken: choose another, or set a new password")
    user = User(username=username, role=role)
    plain = _set_password(user, password)
    record(
        by=actor,
        event=Event.USER_ADDED,
        subject=f"user:{user.pk}",
        detail={"role": role},
    )
    return user, plain


@action
def set_password(*, by: Actor, user: User, password: str | None = None) -> str:
    """Give `user` a new password, returned in plain this once.

    Raises:
        AccountError: it is too weak.
        NotPermittedError: `by` is not the machine's keeper.
    """
    actor = _keeper(by)
    plain = _set_password(user, password)
    record(by=actor, event=Event.PASSWORD_SET, subject=f"user:{user.pk}")
    return plain


def _set_password(user: User, password: str | None) -> str:
    plain = new_password() if password is None else password
    try:
        validate_password(plain, user)
    except ValidationError as error:
        raise AccountError(" ".join(error.messages)) from None
    user.set_password(plain)
    user.save()
    return plain


def _keeper(by: Actor) -> str:
    if not isinstance(by, str) or not by.startswith(("shell:", "system:")):
        raise NotPermittedError("accounts are kept from the command line: ringfence users")
    return by
