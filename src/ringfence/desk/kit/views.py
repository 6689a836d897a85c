"""Pages that speak of no person: help and the accessibility statement."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ringfence.desk.kit.words import YARDSTICK


@login_not_required
def reading(request: HttpRequest) -> HttpResponse:
    """How to read the symbols, the circles and the words."""
    return render(request, "kit/reading.html", {"yardstick": YARDSTICK})


@login_not_required
def accessibility(request: HttpRequest) -> HttpResponse:
    """What works for whom, what does not, and whom to tell."""
    return render(request, "kit/accessibility.html")
