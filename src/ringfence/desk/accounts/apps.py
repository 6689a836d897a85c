"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """`desk.accounts`."""

    name = "ringfence.desk.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to sign-ins."""
        from ringfence.desk.accounts.signing import connect

        connect()
