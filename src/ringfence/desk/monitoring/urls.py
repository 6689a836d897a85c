"""Addresses of the monitoring room."""

from __future__ import annotations

from django.urls import path

from ringfence.desk.monitoring import views

urlpatterns = [
    path("events", views.events, name="events"),
    path("tags/unworn", views.unworn, name="tags-unworn"),
    path("map/wearers", views.wearers_table, name="wearers-table"),
    path("map/zones.geojson", views.zones, name="zones"),
]
