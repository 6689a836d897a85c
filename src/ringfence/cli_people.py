"""`ringfence users …`: who may sign in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option(help="The data folder.", envvar="RINGFENCE_DATA", show_default=False)
]
Name = Annotated[str, typer.Argument(help="What they type to sign in.")]
Ask = Annotated[
    bool, typer.Option("--ask", help="Ask for a password instead of making a random one.")
]


def add(
    name: Name,
    *,
    role: Annotated[str, typer.Option(help="operator, officer, equipment or auditor.")],
    ask: Ask = False,
    data: Data = None,
) -> None:
    """Let somebody sign in; a random password is printed, this once."""
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.accounts.actions import AccountError, add_user

    given = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else None
    try:
        _, password = add_user(by=shell_actor(), username=name, role=role, password=given)
    except AccountError as error:
        _refuse(str(error))
    else:
        _tell(name, None if ask else password)


def password(name: Name, *, ask: Ask = False, data: Data = None) -> None:
    """Give somebody a new password; a random one is printed, this once."""
    from ringfence.desk.config.opening import open_desk, shell_actor

    open_desk(data)

    from ringfence.desk.accounts.actions import AccountError, set_password
    from ringfence.desk.accounts.models import User

    user = User.objects.filter(username=name).first()
    if user is None:
        _refuse("nobody has that user name: see ringfence users list")
        return
    given = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else None
    try:
        plain = set_password(by=shell_actor(), user=user, password=given)
    except AccountError as error:
        _refuse(str(error))
    else:
        _tell(name, None if ask else plain)


def list_(data: Data = None) -> None:
    """List who may sign in, with their roles."""
    from ringfence.desk.config.opening import open_desk

    open_desk(data)

    from ringfence.desk.accounts.models import User
    from ringfence.desk.accounts.roles import ROLES

    for user in User.objects.order_by("username"):
        title = ROLES[user.role].title if user.role in ROLES else "no role"
        state = "" if user.is_active else " (may not sign in)"
        typer.echo(f"{user.username:<24}{title}{state}")


def _tell(name: str, password: str | None) -> None:
    typer.echo(f"{name} may sign in")
    if password:
        typer.echo(f"password: {password}")


def _refuse(why: str) -> None:
    typer.echo(why, err=True)
    raise typer.Exit(2)
