"""Live data behind the maps: the table of wearers, zones, and what has changed."""

from __future__ import annotations

import re

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from ringfence.desk.accounts.access import needs
from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.accounts.watching import enter_control_room
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.paging import pages
from ringfence.desk.monitoring.bulletin import event_stream
from ringfence.desk.monitoring.live_rows import is_stale, live_rows
from ringfence.desk.monitoring.queries import live_wearers
from ringfence.desk.monitoring.unworn import unworn_tags
from ringfence.desk.monitoring.zones import zones_geojson

TAGS_PER_PAGE = 50
CHANGE_ID = re.compile(r"[0-9]{1,18}")


async def events(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events: which topics changed. `Last-Event-ID` resumes without a gap."""
    user = await request.auser()
    if not isinstance(user, User) or not user.may(Permission.SEE_CONTROL_ROOM):
        raise PermissionDenied("Live pages need the permission to see the control room")
    asked = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return StreamingHttpResponse(
        event_stream(int(asked) if CHANGE_ID.fullmatch(asked) else None),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@require_GET
@never_cache
@needs(Permission.SEE_CONTROL_ROOM)
def wearers_table(request: HttpRequest) -> HttpResponse:
    """The live table alone: what an open page asks for when wearers change."""
    enter_control_room(request)
    live, at = live_wearers(), now()
    return render(
        request,
        "monitoring/wearers_table.html",
        {"rows": live_rows(live, at), "stale": is_stale(live, at), "at": at},
    )


@require_GET
@never_cache
@needs(Permission.SEE_CONTROL_ROOM)
def zones(request: HttpRequest) -> HttpResponse:
    """Everybody's zones that hold now."""
    enter_control_room(request)
    return JsonResponse(zones_geojson())


@require_GET
@never_cache
@needs(Permission.MANAGE_TAGS)
def unworn(request: HttpRequest) -> HttpResponse:
    """Tags that nobody wears and that report all the same."""
    page = Paginator(unworn_tags(), TAGS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "monitoring/unworn.html",
        {"page": page, "pages": pages(request, page), "at": now()},
    )
