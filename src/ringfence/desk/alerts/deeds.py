"""What the buttons on an alert's page do: ask an action, then show the page again."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from ringfence.desk.accounts.access import needs, signed_in
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.alerts import actions
from ringfence.desk.alerts.forms import NoteForm, VerdictForm
from ringfence.desk.alerts.refusals import AlertRefusedError
from ringfence.desk.alerts.views import show_alert


@require_POST
@needs(Permission.HANDLE_ALERT)
def acknowledge(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take the alert: I have seen it and I am on it."""
    return _done(
        request,
        public_id,
        lambda: actions.acknowledge(by=signed_in(request), public_id=public_id),
        "You acknowledged this alert. It is yours until you close it.",
    )


@require_POST
@needs(Permission.HANDLE_ALERT)
def note(request: HttpRequest, public_id: str) -> HttpResponse:
    """Add a line to the timeline."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return show_alert(request, public_id, note=form)
    text = form.cleaned_data["text"]
    return _done(
        request,
        public_id,
        lambda: actions.add_note(by=signed_in(request), public_id=public_id, text=text),
        "The note is on the timeline.",
    )


@require_POST
@needs(Permission.DECIDE_ALERT)
def verdict(request: HttpRequest, public_id: str) -> HttpResponse:
    """True, false or can’t tell."""
    form = VerdictForm(request.POST)
    if not form.is_valid():
        return show_alert(request, public_id, verdict=form)
    said = form.cleaned_data
    return _done(
        request,
        public_id,
        lambda: actions.dispose(
            by=signed_in(request),
            public_id=public_id,
            disposition=said["disposition"],
            reason=said["reason"],
        ),
        "Your verdict is recorded.",
    )


@require_POST
@needs(Permission.HANDLE_ALERT)
def close(request: HttpRequest, public_id: str) -> HttpResponse:
    """Nothing is left to do."""
    return _done(
        request,
        public_id,
        lambda: actions.close(by=signed_in(request), public_id=public_id),
        "The alert is closed.",
    )


@require_POST
@needs(Permission.SEE_CONTROL_ROOM)
def seen(request: HttpRequest) -> HttpResponse:
    """An open, visible page shows these alerts: that is delivery."""
    public_ids = request.POST.getlist("alert")
    actions.mark_delivered(by=signed_in(request), public_ids=public_ids)
    return HttpResponse(status=204)


def _done(
    request: HttpRequest, public_id: str, act: Callable[[], object], said: str
) -> HttpResponse:
    try:
        act()
    except AlertRefusedError as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, said)
    return redirect("alert", public_id)
