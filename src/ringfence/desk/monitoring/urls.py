"""Addresses of the monitoring room."""

from __future__ import annotations

from django.urls import path

from ringfence.desk.monitoring import quarantine_views, views

urlpatterns = [
    path("events", views.events, name="events"),
    path("tags/unworn", views.unworn, name="tags-unworn"),
    path("map/wearers", views.wearers_table, name="wearers-table"),
    path("map/zones.geojson", views.zones, name="zones"),
    path("quarantine", quarantine_views.quarantine, name="quarantine"),
    path("quarantine/reason", quarantine_views.reason, name="quarantine-reason"),
    path("quarantine/<int:number>", quarantine_views.quarantined, name="quarantined"),
    path("quarantine/<int:number>/decode", quarantine_views.decode_again, name="decode-again"),
]
