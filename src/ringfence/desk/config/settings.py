"""Settings: read from the environment once; `docs/settings.md` lists them."""

from __future__ import annotations

import os
from pathlib import Path

from ringfence.desk.config.secret import secret_key

DATA = Path(os.environ.get("RINGFENCE_DATA", "ringfence-data")).absolute()
SECRET_KEY = secret_key(DATA)
DEBUG = False
ALLOWED_HOSTS = os.environ.get("RINGFENCE_HOSTS", "127.0.0.1,localhost,[::1]").split(",")

INSTALLED_APPS = [
    "ringfence.desk.kit",
    "ringfence.desk.audit",
    "ringfence.desk.accounts",
    "ringfence.desk.cases",
    "ringfence.desk.monitoring",
    "ringfence.desk.alerts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "ringfence.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            # Writers queue instead of failing half-way through a read-then-write transaction.
            "transaction_mode": "IMMEDIATE",
            # FULL: an acknowledged report survives a power cut (promise 3).
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA foreign_keys=ON; PRAGMA cache_size=-20000;",
        },
    }
}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
