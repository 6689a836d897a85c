from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from ringfence.desk.config.errors import CantStartError
from ringfence.desk.config.health import schema_is_current
from ringfence.desk.config.schema import migrate, missing_migrations, unknown_migrations

pytestmark = pytest.mark.django_db


def tell(sql: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_database_at_this_version_needs_nothing(tmp_path):
    assert missing_migrations() == unknown_migrations() == []
    assert migrate(tmp_path) == []
    assert schema_is_current()() is None


def test_models_and_migrations_say_the_same():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_later_version_s_database_is_left_alone(tmp_path):
    tell(
        "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)",
        *("cases", "0999_later", "2030-01-01"),
    )
    with pytest.raises(CantStartError, match=r"made by a later version .* knows cases\.0999_later"):
        migrate(tmp_path)


def test_a_missing_migration_is_a_reason_not_to_be_ready():
    tell("DELETE FROM django_migrations WHERE app = %s", "alerts")
    assert "migration alerts." in str(schema_is_current()())
