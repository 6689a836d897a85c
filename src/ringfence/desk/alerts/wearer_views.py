"""Device wearers: the list, one wearer's page, and the question why.

They live in this room because a wearer's page shows alerts, and imports only go down.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from ringfence.desk.accounts.access import needs, signed_in
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.accounts.watching import open_register
from ringfence.desk.alerts.forms import ReasonForm
from ringfence.desk.alerts.looking import (
    alert_reason,
    give_reason,
    has_looked,
    has_reason,
    look_for_alert,
)
from ringfence.desk.alerts.queries import alerts_of
from ringfence.desk.alerts.wearer_page import conditions_of, tag_health
from ringfence.desk.cases.models import Wearer
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.paging import pages
from ringfence.desk.monitoring.live_rows import heeding_tampers, live_rows
from ringfence.desk.monitoring.queries import live_wearer, live_wearers, trail
from ringfence.desk.monitoring.trail_rows import trail_json, trail_rows
from ringfence.desk.monitoring.zones import zones_geojson

SHOWN = timedelta(hours=24)
FIXES_PER_PAGE = 100
ALERTS_PER_PAGE = 20
WEARERS_PER_PAGE = 100


@require_GET
@never_cache
@needs(Permission.SEE_WEARER)
def wearer_list(request: HttpRequest) -> HttpResponse:
    """Everybody who wears a tag, or did."""
    open_register(request)
    at = now()
    rows = sorted(live_rows(live_wearers(), at), key=lambda r: r.wearer.crn)
    page = Paginator(rows, WEARERS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "alerts/wearer_list.html", {"page": page, "pages": pages(request, page), "at": at}
    )


@require_GET
@never_cache
@needs(Permission.SEE_WEARER)
def wearer(request: HttpRequest, public_id: str) -> HttpResponse:
    """One wearer: conditions and how they stand, the tag, the last day, the alerts."""
    person = get_object_or_404(Wearer, public_id=public_id)
    by_alert = alert_reason(request.GET.get("alert", ""), person)
    if by_alert is not None:
        look_for_alert(request, by_alert)
    elif not has_reason(request, person):
        return redirect("wearer-reason", public_id)
    user, at = signed_in(request), now()
    (live,) = heeding_tampers([live_wearer(person)])
    sees_trail = user.may(Permission.SEE_TRAIL)
    points = trail(person, at - SHOWN, at) if sees_trail else []
    # Latest first: on this page, what matters is where somebody is now.
    fixes = Paginator(trail_rows(points)[::-1], FIXES_PER_PAGE).get_page(request.GET.get("page"))
    alerts = Paginator(alerts_of(person), ALERTS_PER_PAGE).get_page(request.GET.get("alerts"))
    return render(
        request,
        "alerts/wearer.html",
        {
            "wearer": person,
            "live": live,
            "conditions": conditions_of(person, live, at),
            "health": tag_health(person, live, points, at),
            "may_see_trail": sees_trail,
            "may_see_alerts": user.may(Permission.SEE_CONTROL_ROOM),
            "fixes": fixes,
            "pages": pages(request, fixes, anchor="fixes"),
            "alerts": alerts,
            "by_alert": by_alert.public_id if by_alert else "",
            "at": at,
            "tiles": settings.MAP_STYLE,
        },
    )


@require_http_methods(["GET", "POST"])
@never_cache
@needs(Permission.SEE_WEARER)
def reason(request: HttpRequest, public_id: str) -> HttpResponse:
    """Why do you need to see this person's record? Asked once per purpose and session."""
    person = get_object_or_404(Wearer, public_id=public_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        give_reason(request, person, purpose=said["purpose"], reason=said["reason"])
        return redirect("wearer", public_id)
    return render(
        request,
        "alerts/reason.html",
        {"wearer": person, "form": form},
        status=422 if form.errors else 200,
    )


@require_GET
@never_cache
@needs(Permission.SEE_TRAIL)
def wearer_trail(request: HttpRequest, public_id: str) -> HttpResponse:
    """The last day's fixes, for the map. Empty until a reason was given."""
    person = get_object_or_404(Wearer, public_id=public_id)
    if not has_looked(request, person):
        return redirect("wearer-reason", public_id)
    at = now()
    return JsonResponse(trail_json(trail(person, at - SHOWN, at)))


@require_GET
@never_cache
@needs(Permission.SEE_TRAIL)
def wearer_zones(request: HttpRequest, public_id: str) -> HttpResponse:
    """The wearer's own zones that hold now."""
    person = get_object_or_404(Wearer, public_id=public_id)
    if not has_looked(request, person):
        return redirect("wearer-reason", public_id)
    return JsonResponse(zones_geojson(wearers=[person.pk]))
