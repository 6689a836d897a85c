"""Doors of pages: signed in, and permitted. Actions ask again; pages ask before they read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import permitted
from ringfence.desk.accounts.roles import Permission

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Open a page to signed-in people whose role has `permission`; others get 403 with the reason.

    Raises:
        NotPermittedError: the role lacks it.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            permitted(signed_in(request), permission)
            return view(request, *args, **kwargs)

        return cast("View[P]", login_required(guarded))

    return decorate


def signed_in(request: HttpRequest) -> User:
    """The person behind a request to a page that is for signed-in people only.

    Raises:
        TypeError: nobody is signed in; the page forgot its door.
    """
    if not isinstance(request.user, User):
        raise TypeError("this page was reached without signing in: guard it with needs(…)")
    return request.user


def first_page(user: User) -> str:
    """Address of the first page that the role may see: where signing in leads, and `/`."""
    if user.may(Permission.SEE_CONTROL_ROOM):
        return reverse("control-room")
    return reverse("wearers" if user.may(Permission.SEE_WEARER) else "reading")
