from __future__ import annotations

import pytest
from django.db import transaction

from ringfence.desk.alerts.models import Moment
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.models import ConditionVersion
from ringfence.desk.kit.acting import action

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Entry, Moment, ConditionVersion])
def test_a_log_is_not_rewritten_even_inside_an_action(model) -> None:
    rows = model.objects.all()
    for rewriting in (
        lambda: rows.update(pk=1),
        rows.delete,
        lambda: rows.bulk_update([], ["pk"]),
    ):
        with transaction.atomic(), pytest.raises(TypeError, match="append-only"):
            action(rewriting)()
