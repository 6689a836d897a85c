"""The compiled plan, kept until a condition changes or its horizon runs out."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.desk.cases.models import Wearer
from ringfence.desk.cases.queries import engine_conditions, latest_version_id
from ringfence.desk.kit.clock import from_ms
from ringfence.engine import Plan, compile_plan
from ringfence.engine.profiles import STANDARD

AHEAD_MS = 21 * 86_400_000
"""How far ahead deadlines are known; a longer look costs time, and changes no judgement."""
RENEW_MS = 7 * 86_400_000
"""A horizon nearer than this is moved on."""
BEHIND_MS = 3 * 86_400_000
"""How far before the earliest instant asked for the plan reaches back, so that it serves longer."""


@dataclass(slots=True)
class Plans:
    """The plan in use. Which horizon it has makes no difference to what is found."""

    version_id: int = -1
    wearers: int = -1
    plan: Plan | None = None

    def covering(self, from_instant_ms: int, to_instant_ms: int) -> Plan:
        """The plan of all conditions as they are now, for judging between two instants.

        Args:
            from_instant_ms: earliest item or clock to be judged.
            to_instant_ms: latest; deadlines are known from there for a week at least.
        """
        version_id, wearers = latest_version_id(), Wearer.objects.count()
        plan = self.plan
        if (
            plan is None
            or (self.version_id, self.wearers) != (version_id, wearers)
            or plan.start_ms > from_instant_ms
            or plan.end_ms < to_instant_ms + RENEW_MS
        ):
            plan = _compile(from_instant_ms, to_instant_ms)
            self.plan, self.version_id, self.wearers = plan, version_id, wearers
        return plan


def _compile(from_instant_ms: int, to_instant_ms: int) -> Plan:
    return compile_plan(
        engine_conditions(),
        STANDARD,
        start_at=from_ms(from_instant_ms - BEHIND_MS),
        end_at=from_ms(to_instant_ms + AHEAD_MS),
        wearers=list(Wearer.objects.values_list("crn", flat=True)),
    )
