"""A person looked at a tag: stored as a report, since only reports tell the engine anything.

The engine never lets a tag clear its own tamper. Without this row a strap cut once would count as
cut for ever, and a second cut would be nothing new.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction

from ringfence.desk.cases.models import Fitting, Wearer
from ringfence.desk.kit import bell
from ringfence.desk.kit.acting import require_action
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.models import DESK_DOOR, Frame, Report, fingerprint
from ringfence.engine.fix import Signal
from ringfence.gateway.report import Report as Said
from ringfence.gateway.report import seal


def note_inspection(*, by: str, wearer: Wearer, at: datetime) -> Report | None:
    """Record that a person found the wearer's tag to be whole, or put it right.

    Args:
        by: who; kept with the report.
        wearer: whose tag.
        at: when; it ends the tampers that began before.

    Returns:
        The stored report; None where the wearer has no tag on, so that nothing can be cleared.
    """
    require_action("An inspection")
    fittings = Fitting.objects.filter(wearer=wearer, from_at__lte=at).select_related("tag")
    fitting = fittings.exclude(to_at__lte=at).first()
    if fitting is None:
        return None
    raw = json.dumps({"tamper_inspected": {"by": by}}).encode()
    at_ms = to_ms(at)
    frame = Frame(
        tag=fitting.tag,
        door=DESK_DOOR,
        peer="",
        received_ms=at_ms,
        raw=raw,
        sha256=fingerprint(raw),
    )
    frame.save()
    report = Report(tag=fitting.tag, frame=frame, received_ms=at_ms, **inspected(at_ms)._asdict())
    report.save()
    transaction.on_commit(bell.ring)
    return report


def inspected(at_ms: int) -> Said:
    """What an inspection says to the engine."""
    nowhere = (None,) * 3
    return seal((None, at_ms, *nowhere, 0, *nowhere, *nowhere, int(Signal.TAMPER_INSPECTED)))
