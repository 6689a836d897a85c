"""Violations as the engine would have left them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from ringfence.desk.alerts.models import Alert
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.cases.models import Wearer
from ringfence.desk.monitoring.models import Violation

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
Find = Callable[..., Violation]


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


@pytest.fixture
def find(wes: Wearer) -> Find:
    """Write a violation of Wes, or say an old one again with changes, under a new revision."""
    revisions = count(1)

    def finding(row: Violation | None = None, **changes: Any) -> Violation:
        row = row or Violation(
            wearer=wes,
            condition_key="c1",
            version=1,
            kind="exclusion",
            state="confirmed",
            how="entered",
            begin_at=at(0),
            confirmed_at=at(1),
            probability=0.998,
            depth_m=84.0,
            fixes=2,
            profile="standard/1",
            received_at=at(1.1),
            detected_at=at(1.2),
        )
        for name, value in changes.items():
            setattr(row, name, value)
        row.revision = next(revisions)
        row.save()
        return row

    return finding


@pytest.fixture
def alert(find: Find) -> Alert:
    """Wes entered his zone and an alert is open."""
    find()
    open_alerts()
    return Alert.objects.get()
