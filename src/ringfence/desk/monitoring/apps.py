"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """`desk.monitoring`."""

    name = "ringfence.desk.monitoring"
    label = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"
