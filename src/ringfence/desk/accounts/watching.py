"""Watching everybody at once is a look, too: logged once per session, whatever shows it."""

from __future__ import annotations

from django.http import HttpRequest

from ringfence.desk.accounts.access import signed_in
from ringfence.desk.audit.actions import record_look

KEPT_IN_SESSION = "looks"
"""Whom this session has given a reason for, by public id."""


def enter_control_room(request: HttpRequest) -> None:
    """Log, once per session, that somebody watches everybody."""
    _look_once(request, "control-room", subject="room:control", reason="live monitoring")


def open_register(request: HttpRequest) -> None:
    """Log, once per session, that somebody reads who wears a tag and how they stand."""
    _look_once(request, "register", subject="register:wearers", reason="list of device wearers")


def _look_once(request: HttpRequest, what: str, *, subject: str, reason: str) -> None:
    looks: dict[str, list[str]] = request.session.get(KEPT_IN_SESSION, {})
    if what in looks:
        return
    by = signed_in(request).get_username()
    record_look(by=by, subject=subject, reason=reason, purpose="monitoring")
    request.session[KEPT_IN_SESSION] = {**looks, what: ["monitoring"]}
