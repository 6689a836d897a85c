"""The control room and the pages of its alerts."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from ringfence.desk.accounts.access import first_page, needs, signed_in
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.accounts.watching import enter_control_room
from ringfence.desk.alerts.board import board
from ringfence.desk.alerts.forms import NoteForm, VerdictForm
from ringfence.desk.alerts.looking import look_for_alert
from ringfence.desk.alerts.models import Alert, AlertState, Severity
from ringfence.desk.alerts.queries import (
    AlertPage,
    alert_page,
    find_alert,
    is_system,
    queue,
    stamps,
)
from ringfence.desk.alerts.refusals import NoSuchAlertError
from ringfence.desk.alerts.sending import overdue_notices
from ringfence.desk.alerts.showing import marks, moment_title, next_step, steps
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.paging import pages
from ringfence.desk.monitoring.bulletin import latest_change_id
from ringfence.desk.monitoring.live_rows import is_stale, live_rows
from ringfence.desk.monitoring.queries import live_wearers
from ringfence.desk.monitoring.trail_rows import trail_json, trail_rows
from ringfence.desk.monitoring.zones import zones_geojson

PER_PAGE = 50
FIXES_PER_PAGE = 100


@require_GET
@never_cache
@login_required
def control_room(request: HttpRequest) -> HttpResponse:
    """The map, the queue, and the table that says the same; others are led to their first page."""
    if not signed_in(request).may(Permission.SEE_CONTROL_ROOM):
        return redirect(first_page(signed_in(request)))
    enter_control_room(request)
    shown, at = board(), now()
    live = live_wearers()
    return render(
        request,
        "alerts/control_room.html",
        {
            "board": shown,
            "severities": Severity,
            "at": at,
            "rows": live_rows(live, at),
            "stale": is_stale(live, at),
            "overdue": overdue_notices(at).count(),
            "tiles": settings.MAP_STYLE,
        },
    )


@require_GET
@never_cache
@needs(Permission.SEE_CONTROL_ROOM)
def queue_part(request: HttpRequest) -> HttpResponse:
    """The queue alone: what an open page asks for when alerts change."""
    enter_control_room(request)
    at = now()
    return render(
        request,
        "alerts/queue.html",
        {
            "board": board(),
            "severities": Severity,
            "at": at,
            "overdue": overdue_notices(at).count(),
        },
    )


@require_GET
@never_cache
@needs(Permission.SEE_CONTROL_ROOM)
def alert_list(request: HttpRequest) -> HttpResponse:
    """Every alert, a page at a time: those to be handled, or those that are closed."""
    enter_control_room(request)
    closed = request.GET.get("show") == "closed"
    alerts = (
        Alert.objects.filter(state=AlertState.CLOSED)
        .select_related("wearer")
        .order_by("-closed_at", "-id")
        if closed
        else queue()
    )
    page = Paginator(alerts, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "alerts/list.html",
        {"page": page, "pages": pages(request, page), "closed": closed, "at": now()},
    )


@require_GET
@never_cache
@needs(Permission.SEE_CONTROL_ROOM)
def alert(request: HttpRequest, public_id: str) -> HttpResponse:
    """One alert: what happened, how sure, what would make it wrong, and what to do."""
    return show_alert(request, public_id)


def show_alert(
    request: HttpRequest,
    public_id: str,
    *,
    note: NoteForm | None = None,
    verdict: VerdictForm | None = None,
) -> HttpResponse:
    """Render an alert's page, with a form that came back with errors if there is one."""
    change_id = latest_change_id()
    if is_system(public_id):
        return _show_system(request, public_id, change_id, note)
    found = _alert_page(request, public_id)
    look_for_alert(request, found.alert)
    user = signed_in(request)
    rows = trail_rows(found.trail, marks(found))
    fixes = Paginator(rows, FIXES_PER_PAGE).get_page(request.GET.get("page"))
    wrong = bool((note and note.errors) or (verdict and verdict.errors))
    return render(
        request,
        "alerts/alert.html",
        {
            "found": found,
            "alert": found.alert,
            "change_id": change_id,
            "steps": steps(found.stamps),
            "moments": [(moment_title(m), m) for m in found.moments],
            "fixes": fixes,
            "pages": pages(request, fixes, anchor="fixes"),
            "next_step": next_step(found.alert),
            "may_handle": user.may(Permission.HANDLE_ALERT),
            "may_decide": user.may(Permission.DECIDE_ALERT),
            "may_see_trail": user.may(Permission.SEE_TRAIL),
            "note": note or NoteForm(),
            "verdict": verdict or VerdictForm(),
            "at": now(),
            "tiles": settings.MAP_STYLE,
        },
        status=422 if wrong else 200,
    )


def _show_system(
    request: HttpRequest, public_id: str, change_id: int, note: NoteForm | None
) -> HttpResponse:
    user, alert = signed_in(request), find_alert(public_id)
    return render(
        request,
        "alerts/system.html",
        {
            "alert": alert,
            "change_id": change_id,
            "steps": steps(stamps(alert)),
            "moments": [(moment_title(m), m) for m in alert.moments.order_by("at", "id")],
            "next_step": next_step(alert),
            "may_handle": user.may(Permission.HANDLE_ALERT),
            "note": note or NoteForm(),
        },
        status=422 if note and note.errors else 200,
    )


@require_GET
@never_cache
@needs(Permission.SEE_TRAIL)
def alert_trail(request: HttpRequest, public_id: str) -> HttpResponse:
    """The fixes around an alert, for its map."""
    found = _alert_page(request, public_id)
    look_for_alert(request, found.alert)
    return JsonResponse(trail_json(found.trail, marks(found)))


@require_GET
@never_cache
@needs(Permission.SEE_CONTROL_ROOM)
def alert_zones(request: HttpRequest, public_id: str) -> HttpResponse:
    """The zones that an alert is about, in the versions that were broken."""
    found = _alert_page(request, public_id)
    look_for_alert(request, found.alert)
    versions = {part.version.pk for part in found.parts if part.version is not None}
    return JsonResponse(zones_geojson(versions=versions))


def _alert_page(request: HttpRequest, public_id: str) -> AlertPage:
    try:
        return alert_page(public_id, by=signed_in(request))
    except NoSuchAlertError as error:
        raise Http404(str(error)) from None
