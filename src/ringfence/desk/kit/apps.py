"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    """`desk.kit`."""

    name = "ringfence.desk.kit"
    label = "kit"
    default_auto_field = "django.db.models.BigAutoField"
