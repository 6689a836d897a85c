"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """`desk.cases`."""

    name = "ringfence.desk.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
