"""Is the database the one that this version of the code knows?"""

from __future__ import annotations

import fcntl
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from ringfence.desk.config.errors import CantStartError


def missing_migrations() -> list[str]:
    """What this code knows and the database has not seen, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def unknown_migrations() -> list[str]:
    """What the database has seen and this code does not know: it was made by a later version."""
    loader = MigrationExecutor(connection).loader
    known, seen = set(loader.disk_migrations), set(loader.applied_migrations)
    return sorted(f"{app}.{name}" for app, name in seen - known - set(loader.replacements))


def migrate(data: Path) -> list[str]:
    """Bring the database up to this code's schema; returns what was applied.

    Two processes on one folder take turns.

    Raises:
        CantStartError: the database was made by a later version.
    """
    with (data / "migrate.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        unknown = unknown_migrations()
        if unknown:
            raise CantStartError(
                f"the database in {data} was made by a later version of Ringfence (it knows "
                f"{unknown[0]}): install that version, or give another folder with --data"
            )
        missing = missing_migrations()
        if missing:
            call_command("migrate", verbosity=0, interactive=False)
        return missing
