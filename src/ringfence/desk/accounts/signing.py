"""Signing in and out leaves a trace."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from ringfence.desk.accounts.models import User
from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.kit.acting import action


@action
def _signed(*, event: Event, user: User) -> None:
    record(by=user.get_username(), event=event, subject=f"user:{user.pk}")


@action
def _refused() -> None:
    # Not the name that was typed: people type passwords into that field.
    record(by="system:sign-in", event=Event.SIGN_IN_REFUSED, subject="sign-in")


def _on_sign_in(*, user: User, **_said: Any) -> None:
    _signed(event=Event.SIGNED_IN, user=user)


def _on_sign_out(*, user: User | None, **_said: Any) -> None:
    if user is not None:
        _signed(event=Event.SIGNED_OUT, user=user)


def _on_refusal(**_said: Any) -> None:
    _refused()


def connect() -> None:
    """Listen to Django's signals; called once, when the room opens."""
    user_logged_in.connect(_on_sign_in, dispatch_uid="audit_sign_in")
    user_logged_out.connect(_on_sign_out, dispatch_uid="audit_sign_out")
    user_login_failed.connect(_on_refusal, dispatch_uid="audit_refusal")
