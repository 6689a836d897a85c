"""Addresses of the alerts room: opaque ids, never a name, a place or a case number."""

from __future__ import annotations

from django.urls import path

from ringfence.desk.alerts import deeds, views, wearer_views

urlpatterns = [
    path("", views.control_room, name="control-room"),
    path("alerts", views.alert_list, name="alerts"),
    path("alerts/queue", views.queue_part, name="queue"),
    path("alerts/seen", deeds.seen, name="alerts-seen"),
    path("alerts/<str:public_id>", views.alert, name="alert"),
    path("alerts/<str:public_id>/trail.json", views.alert_trail, name="alert-trail"),
    path("alerts/<str:public_id>/zones.geojson", views.alert_zones, name="alert-zones"),
    path("alerts/<str:public_id>/acknowledge", deeds.acknowledge, name="alert-acknowledge"),
    path("alerts/<str:public_id>/note", deeds.note, name="alert-note"),
    path("alerts/<str:public_id>/verdict", deeds.verdict, name="alert-verdict"),
    path("alerts/<str:public_id>/close", deeds.close, name="alert-close"),
    path("wearers", wearer_views.wearer_list, name="wearers"),
    path("wearers/<str:public_id>", wearer_views.wearer, name="wearer"),
    path("wearers/<str:public_id>/reason", wearer_views.reason, name="wearer-reason"),
    path("wearers/<str:public_id>/trail.json", wearer_views.wearer_trail, name="wearer-trail"),
    path("wearers/<str:public_id>/zones.geojson", wearer_views.wearer_zones, name="wearer-zones"),
]
