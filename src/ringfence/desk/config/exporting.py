"""Takes violations out of the database, as `ringfence evaluate` writes them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ringfence.desk.audit.actions import record
from ringfence.desk.audit.events import Event
from ringfence.desk.kit.acting import action
from ringfence.desk.monitoring.models import Violation as Row
from ringfence.engine.events import Violation
from ringfence.trail.violations_file import violation_lines


def recorded_violations(crn: str | None = None) -> list[Violation]:
    """Every violation that stands (none that was withdrawn), of one wearer or of all."""
    rows = Row.objects.filter(withdrawn_at__isnull=True).select_related("wearer")
    if crn is not None:
        rows = rows.filter(wearer__crn=crn)
    return [_violation(row) for row in rows.order_by("begin_at", "id")]


@action
def export_violations(out: Path, *, by: str, crn: str | None = None) -> int:
    """Write JSON Lines (contract: evaluate) to `out`, which appears whole or not at all.

    Args:
        out: the file.
        by: who takes the data out; recorded.
        crn: of one wearer only.

    Returns:
        How many violations were written.

    Raises:
        OSError: the file can't be written.
    """
    found = recorded_violations(crn)
    record(
        by=by, event=Event.VIOLATIONS_EXPORTED, subject="violations", detail={"count": len(found)}
    )
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(violation_lines(found))
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return len(found)


def _violation(row: Row) -> Violation:
    return Violation(
        wearer=row.wearer.crn,
        condition=row.condition_key or None,
        version=row.version,
        kind=row.kind,
        state=row.state,
        how=row.how,
        begin_at=row.begin_at,
        confirmed_at=row.confirmed_at,
        end_at=row.end_at,
        ended_by=row.ended_by or None,
        probability=row.probability,
        depth_m=row.depth_m,
        fixes=row.fixes,
        profile=row.profile,
        why=tuple(row.why),
        doubts=tuple(row.doubts),
    )
