"""Alerts against the truth: false, found, how soon, how often twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.quality.truth import Week

Alert = tuple[float, float]
"""From when it would have opened until it would have ended, seconds of the week."""
NEAR_S = 120.0
"""An alert this near to a true stay is of that stay: the engine may end it late."""


@dataclass
class Score:
    """Counts over many weeks."""

    weeks: int = 0
    false: int = 0
    long_stays: int = 0
    long_found: int = 0
    longest: int = 0
    longest_found: int = 0
    passes: int = 0
    passes_found: int = 0
    passes_possible: int = 0
    visits_alerted: int = 0
    doubled: int = 0
    delays_s: list[float] = field(default_factory=list)

    def add(
        self, week: Week, heard_s: NDArray[np.float64], alerts: list[Alert], possible: list[Alert]
    ) -> None:
        """Score one week. A stay in which the tag said nothing at all is nobody's to find."""
        self.weeks += 1
        owners: dict[int, int] = {}
        for opened, ended in alerts:
            stay = stay_of(week, opened, ended)
            if stay is None:
                self.false += 1
            else:
                owners[stay] = owners.get(stay, 0) + 1
        self.visits_alerted += len(owners)
        self.doubled += sum(n - 1 for n in owners.values())
        for i, (begin, end) in enumerate(week.stays):
            if bool(((heard_s >= begin) & (heard_s < end)).any()) or i in owners:
                self._stay(begin, end, alerts, possible, found=i in owners)

    def _stay(
        self, begin: int, end: int, alerts: list[Alert], possible: list[Alert], *, found: bool
    ) -> None:
        lasts = end - begin
        if lasts >= 180:
            self.long_stays += 1
            self.long_found += found
            self.longest += lasts >= 600
            self.longest_found += found and lasts >= 600
            firsts = [a for a, b in alerts if b >= begin and a <= end + NEAR_S]
            if firsts:
                self.delays_s.append(max(0.0, min(firsts) - begin))
        elif lasts >= 20:
            self.passes += 1
            self.passes_found += found
            seen = any(b >= begin and a <= end + NEAR_S for a, b in possible)
            self.passes_possible += found or seen

    def row(self) -> dict[str, float]:
        """The figures that the targets name."""
        delays = self.delays_s or [float("nan")]
        return {
            "false per wearer-week": self.false / max(self.weeks, 1),
            "stays >=3 min %": 100 * self.long_found / max(self.long_stays, 1),
            "stays >=10 min %": 100 * self.longest_found / max(self.longest, 1),
            "median delay s": float(np.median(delays)),
            "p95 delay s": float(np.quantile(delays, 0.95)),
            "passes possible %": 100 * self.passes_possible / max(self.passes, 1),
            "passes confirmed %": 100 * self.passes_found / max(self.passes, 1),
            "doubled %": 100 * self.doubled / max(self.visits_alerted, 1),
        }


def stay_of(week: Week, opened: float, ended: float) -> int | None:
    """The true stay that an alert is of, by number; None = of none."""
    for i, (begin, end) in enumerate(week.stays):
        if opened <= end + NEAR_S and ended >= begin - 5:
            return i
    return None
