"""Try a zone that was never imposed on a wearer's stored trail. Writes nothing but that."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from ringfence.desk.audit.actions import MissingReasonError, record
from ringfence.desk.audit.events import Event
from ringfence.desk.cases.models import Wearer
from ringfence.desk.kit.acting import action
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.fitted import Fitted
from ringfence.desk.monitoring.models import Cursor, WearerState
from ringfence.desk.monitoring.queries import STAGE
from ringfence.desk.monitoring.rows import reports_worn
from ringfence.engine import STANDARD, Backtest, Batch, Condition, Profile, backtest

DAY_MS = 86_400_000
COLUMNS = (
    "time_ms", "lat_e7", "lon_e7", "accuracy_m", "source", "speed_mps", "course_deg", "signals",
)  # fmt: skip


def backtest_stored(
    zone: Condition,
    wearer: Wearer,
    *,
    by: str,
    why: str,
    days: float = 30.0,
    until_at: datetime | None = None,
    profile: Profile = STANDARD,
) -> Backtest:
    """How often `zone` would have alerted on the last days of a trail, when and for what.

    Args:
        zone: any condition but a proximity; its wearer and times in force mean nothing.
        wearer: whose trail.
        by: who looks; recorded, before anything is read.
        why: the reason.
        days: how many, back from `until_at`.
        until_at: None = up to where the wearer was judged.
        profile: the thresholds to judge by.

    Raises:
        MissingReasonError: the reason is empty.
        ValueError: the condition has no zone.
    """
    _record(by, why, wearer, days)
    judged = WearerState.objects.filter(wearer=wearer).values_list("judged_ms", flat=True).first()
    last_ms = judged if until_at is None else to_ms(until_at)
    trail = Batch.empty() if last_ms is None else _trail(wearer, last_ms, days)
    return backtest(zone, {wearer.crn: trail}, profile=profile)


@action
def _record(by: str, why: str, wearer: Wearer, days: float) -> None:
    if not why.strip():
        raise MissingReasonError("Say why this zone is tried on a person: --why")
    record(
        by=by,
        event=Event.ZONE_BACKTESTED,
        subject=f"wearer:{wearer.public_id}",
        reason=why.strip(),
        detail={"days": days},
    )


def _trail(wearer: Wearer, last_ms: int, days: float) -> Batch:
    fitted = Fitted()
    fitted.refresh()
    up_to = Cursor.objects.filter(stage=STAGE).values_list("position", flat=True).first() or 0
    worn = fitted.worn_by(wearer.pk, last_ms - round(days * DAY_MS), last_ms)
    rows = reports_worn(worn, up_to)
    columns = {name: np.ascontiguousarray(rows[name]) for name in COLUMNS}
    nobody = np.zeros(len(rows), np.int32)
    return Batch(wearer=nobody, victim=nobody.copy(), **columns)
