"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """`desk.audit`."""

    name = "ringfence.desk.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
