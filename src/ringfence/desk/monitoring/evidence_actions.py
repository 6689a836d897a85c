"""Looking at a report as evidence: a consultation, logged before anything of it is shown."""

from __future__ import annotations

from ringfence.desk.audit.actions import record_look
from ringfence.desk.monitoring.report_evidence import ReportEvidence


def look_at_report(*, by: str, why: str, found: ReportEvidence) -> None:
    """Log that somebody looks at one report.

    Args:
        by: who, with the permission to.
        why: the justification.
        found: at what.

    Raises:
        MissingReasonError: the reason is empty.
    """
    wearer, victim = found.wearer, found.victim
    subject = f"wearer:{wearer.public_id}" if wearer else f"tag:{found.report.tag_id}"
    if victim is not None:
        subject = f"victim:{victim.public_id}"
    record_look(by=by, subject=subject, reason=why, purpose=f"report {found.report.pk}")
