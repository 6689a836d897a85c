"""Signing in and out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ringfence.desk.accounts.access import first_page, signed_in
from ringfence.desk.accounts.forms import SignInForm


class SignIn(LoginView):
    """One question: who are you?"""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        """Lead to the first page that the role may see."""
        return first_page(signed_in(self.request))


class SignOut(LogoutView):
    """Back to the sign-in page; by POST only."""

    next_page = "sign-in"


@login_not_required
def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Say that too many wrong passwords came, and when to try again (`AXES_LOCKOUT_CALLABLE`)."""
    return render(request, "accounts/locked_out.html", status=429)
