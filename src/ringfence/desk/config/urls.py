"""Which page answers which path."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("ringfence.desk.alerts.urls")),
    path("", include("ringfence.desk.monitoring.urls")),
    path("", include("ringfence.desk.accounts.urls")),
    path("", include("ringfence.desk.kit.urls")),
]
