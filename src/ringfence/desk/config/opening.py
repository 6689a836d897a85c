"""Opens a data folder for a command: folder, key, Django, logs and schema, in that order."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import django

from ringfence.desk.config.environment import Environment, with_data
from ringfence.desk.config.folder import open_folder
from ringfence.desk.config.schema import migrate
from ringfence.desk.config.secret import make_secret_key
from ringfence.desk.kit.logs import set_up_logs


def set_up_django(data: Path | None = None) -> Environment:
    """Open the data folder and make Django usable, without touching the database.

    Args:
        data: the folder; None = `RINGFENCE_DATA`, or `ringfence-data` here.

    Raises:
        CantStartError: the folder can't be used.
        SettingError: a variable of the environment can't.
    """
    environment = with_data(data)
    open_folder(environment.data)
    make_secret_key(environment.data)
    set_up_logs(environment.log)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ringfence.desk.config.settings")
    django.setup()
    return environment


def open_desk(data: Path | None = None) -> Environment:
    """Open the data folder for a command: usable, and at this version's schema.

    Raises:
        CantStartError: the folder can't be used, or its database is a later version's.
        SettingError: a variable of the environment can't be used.
    """
    environment = set_up_django(data)
    migrate(environment.data)
    return environment


def shell_actor() -> str:
    """How the audit log names whoever typed a command."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):
        return "shell:unknown"
