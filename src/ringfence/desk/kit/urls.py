"""Addresses of the kit's own pages."""

from __future__ import annotations

from django.urls import path

from ringfence.desk.kit import views

urlpatterns = [
    path("help/reading", views.reading, name="reading"),
    path("help/accessibility", views.accessibility, name="accessibility"),
]
