"""The quarantine's pages, for the equipment team: counts, the list, an item, decoding it again."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ringfence.desk.accounts.access import needs, signed_in
from ringfence.desk.accounts.roles import Permission
from ringfence.desk.accounts.watching import KEPT_IN_SESSION
from ringfence.desk.kit.clock import from_ms, now
from ringfence.desk.kit.paging import pages
from ringfence.desk.monitoring.dump import as_text, hex_lines
from ringfence.desk.monitoring.forms import QuarantineReasonForm, RedecodeForm
from ringfence.desk.monitoring.models import Quarantine
from ringfence.desk.monitoring.prospects import Prospect, prospect
from ringfence.desk.monitoring.quarantine import STATES, doors, in_words, items, tallies, tries
from ringfence.desk.monitoring.quarantine_actions import (
    QuarantineError,
    Redecoded,
    look,
    redecode,
)

PER_PAGE = 50
SHOWN_BYTES = 4096
"""Of an item; a link shows the rest."""
LOOK = "quarantine"


@require_GET
@never_cache
@needs(Permission.MANAGE_TAGS)
def quarantine(request: HttpRequest) -> HttpResponse:
    """Counts by reason, and what was set apart, latest first."""
    if not _reason(request):
        return redirect("quarantine-reason")
    counts, at_doors = tallies(now()), doors()
    asked = {
        "reason": _one_of([c.reason for c in counts], request.GET.get("reason", "")),
        "door": _one_of(at_doors, request.GET.get("door", "")),
        "state": _one_of(STATES, request.GET.get("state", "")) or "open",
    }
    page = Paginator(items(**asked), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "monitoring/quarantine.html",
        {
            "tallies": counts,
            "doors": at_doors,
            "asked": asked,
            "page": page,
            "pages": pages(request, page),
            "in_words": in_words,
        },
    )


@require_http_methods(["GET", "POST"])
@never_cache
@needs(Permission.MANAGE_TAGS)
def reason(request: HttpRequest) -> HttpResponse:
    """Why do you need to see the quarantine? Asked once a session."""
    form = QuarantineReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data["reason"]
        look(by=signed_in(request), reason=said)
        _remember(request, LOOK, said)
        return redirect("quarantine")
    status = 422 if form.errors else 200
    return render(request, "monitoring/quarantine_reason.html", {"form": form}, status=status)


@require_GET
@never_cache
@needs(Permission.MANAGE_TAGS)
def quarantined(request: HttpRequest, number: int) -> HttpResponse:
    """One item: its bytes, why it was set apart, and what it comes to today."""
    return _show(request, _item(number))


@require_POST
@never_cache
@needs(Permission.MANAGE_TAGS)
def decode_again(request: HttpRequest, number: int) -> HttpResponse:
    """Decode one item again; what can be used becomes reports."""
    item = _item(number)
    if not _reason(request):
        return redirect("quarantine-reason")
    found = prospect(item)
    form = RedecodeForm(request.POST, expected=_to_be_named(found))
    if not form.is_valid():
        return _show(request, item, form)
    said = form.cleaned_data
    try:
        done = redecode(by=signed_in(request), item=item, why=said["why"], tag=said["tag"])
    except QuarantineError as error:
        messages.warning(request, f"Nothing was stored: {error}")
    else:
        stays = messages.info if done.accepted else messages.warning
        level = stays if done.reason else messages.success
        level(request, _told(done))
    return redirect("quarantined", number)


def _show(request: HttpRequest, item: Quarantine, form: RedecodeForm | None = None) -> HttpResponse:
    why = _reason(request)
    if not why:
        return redirect("quarantine-reason")
    mark = f"{LOOK}:{item.pk}"
    if mark not in request.session.get(KEPT_IN_SESSION, {}):
        look(by=signed_in(request), reason=why, item=item)
        _remember(request, mark, why)
    raw = bytes(item.raw)
    shown = raw if "all" in request.GET else raw[:SHOWN_BYTES]
    found = prospect(item) if item.resolved_at is None else None
    return render(
        request,
        "monitoring/quarantined.html",
        {
            "item": item,
            "received_at": from_ms(item.received_ms),
            "reason": in_words(item.reason),
            "sha256": bytes(item.sha256).hex(),
            "kept": len(raw),
            "shown": len(shown),
            "hex": "\n".join(hex_lines(shown)),
            "text": as_text(shown),
            "found": found,
            "named": _to_be_named(found) if found else "",
            "times": [from_ms(r.time_ms) for r in found.read.reports] if found else [],
            "tries": tries(item),
            "in_words": in_words,
            "form": form or RedecodeForm(),
        },
        status=422 if form and form.errors else 200,
    )


def _item(number: int) -> Quarantine:
    return get_object_or_404(Quarantine.objects.select_related("tag", "feed"), pk=number)


def _to_be_named(found: Prospect) -> str:
    return found.tag.name if found.to_confirm and found.tag else ""


def _told(done: Redecoded) -> str:
    new = f"{done.accepted} {'report' if done.accepted == 1 else 'reports'} stored"
    known = f", {done.duplicate} known already" if done.duplicate else ""
    stays = f". It stays: {done.detail}" if done.reason else ". Nothing is left to be done."
    return new + known + stays


def _reason(request: HttpRequest) -> str:
    """Why this session looks at the quarantine; empty = nobody was asked yet."""
    return next(iter(request.session.get(KEPT_IN_SESSION, {}).get(LOOK, [])), "")


def _remember(request: HttpRequest, what: str, why: str) -> None:
    looks = request.session.get(KEPT_IN_SESSION, {})
    request.session[KEPT_IN_SESSION] = {**looks, what: [why]}


def _one_of(known: list[str] | tuple[str, ...], asked: str) -> str:
    return asked if asked in known else ""
