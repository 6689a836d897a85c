"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """`desk.accounts`."""

    name = "ringfence.desk.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
