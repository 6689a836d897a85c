"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """`desk.alerts`."""

    name = "ringfence.desk.alerts"
    label = "alerts"
    default_auto_field = "django.db.models.BigAutoField"
