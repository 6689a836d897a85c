"""Signing in."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """User name and password, with errors that say what to do and never which of them was wrong."""

    error_messages = {  # noqa: RUF012 -- Django's own shape
        "invalid_login": "The user name or the password is not right. Check both and try again",
        "inactive": "The user name or the password is not right. Check both and try again",
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["username"].error_messages["required"] = "Enter your user name"
        self.fields["password"].error_messages["required"] = "Enter your password"
