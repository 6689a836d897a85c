"""Guarded models: rows that only actions write; and the rows that wake live pages."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from django.db import models

from ringfence.desk.kit.acting import require_action

M = TypeVar("M", bound=models.Model)


def public_id() -> str:
    """An opaque name for URLs: says nothing of the person behind it."""
    return secrets.token_urlsafe(9)


def _refuse_rewriting(model: type[models.Model]) -> None:
    """Refuse, even inside an action, what would change a log."""
    if issubclass(model, AppendOnlyModel):
        raise TypeError(f"{model.__name__} is append-only: write a new row instead")


class GuardedQuerySet(models.QuerySet[M]):
    """Refuses bulk writes outside actions."""

    def update(self, **values: Any) -> int:
        """Update rows, inside an action."""
        _refuse_rewriting(self.model)
        require_action(self.model.__name__)
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete rows, inside an action."""
        _refuse_rewriting(self.model)
        require_action(self.model.__name__)
        return super().delete()

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Create rows, inside an action."""
        require_action(self.model.__name__)
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> int:
        """Update rows, inside an action."""
        _refuse_rewriting(self.model)
        require_action(self.model.__name__)
        return super().bulk_update(objs, *args, **kwargs)


GuardedManager = models.Manager.from_queryset(GuardedQuerySet)


class GuardedModel(models.Model):
    """A row that only an action may write (`kit.acting.action`)."""

    objects = GuardedManager()

    class Meta:
        """Every room's models stand on this."""

        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, inside an action."""
        require_action(type(self).__name__)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete, inside an action."""
        require_action(type(self).__name__)
        return super().delete(*args, **kwargs)


class AppendOnlyModel(GuardedModel):
    """A row that is written once and never changed."""

    class Meta:
        """Every log stands on this."""

        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write once, inside an action."""
        if self.pk is not None and type(self).objects.filter(pk=self.pk).exists():
            raise TypeError(f"{type(self).__name__} is append-only: write a new row instead")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: the log outlives everything."""
        raise TypeError(f"{type(self).__name__} is append-only")


class Change(models.Model):
    """A live page should look again: what changed, in the order of its commit.

    Not a record of anything: rows older than an hour may go.
    """

    TOPICS = (("wearer", "wearer"), ("alert", "alert"))

    id = models.BigAutoField(primary_key=True)
    topic = models.CharField(max_length=16, choices=TOPICS)
    ref = models.CharField(max_length=16)
    """The public id of what changed."""
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.topic} {self.ref}"
