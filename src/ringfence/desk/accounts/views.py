"""Signing in and out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from ringfence.desk.accounts.forms import SignInForm
from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.roles import Permission


class SignIn(LoginView):
    """One question: who are you?"""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        """Lead to the first page that the role may see."""
        user = self.request.user
        if isinstance(user, User) and not user.may(Permission.SEE_CONTROL_ROOM):
            return reverse("wearers" if user.may(Permission.SEE_WEARER) else "reading")
        return super().get_default_redirect_url()


class SignOut(LogoutView):
    """Back to the sign-in page; by POST only."""

    next_page = "sign-in"


@login_not_required
def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Say that too many wrong passwords came, and when to try again (`AXES_LOCKOUT_CALLABLE`)."""
    return render(request, "accounts/locked_out.html", status=429)
