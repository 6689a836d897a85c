"""Are probabilities what they say? Of violations given 0.9, are 90 % true?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.quality.score import Alert, stay_of
from bench.quality.truth import Week

TENTHS = 10


@dataclass
class Reliability:
    """Violations, possible and confirmed, by the tenth in which their probability lies."""

    said: NDArray[np.int64] = field(default_factory=lambda: np.zeros(TENTHS, np.int64))
    true: NDArray[np.int64] = field(default_factory=lambda: np.zeros(TENTHS, np.int64))

    def add(self, week: Week, violations: list[tuple[float, Alert]]) -> None:
        """Count one week's: probability, and from when until when."""
        for probability, (begin, end) in violations:
            tenth = min(int(probability * TENTHS), TENTHS - 1)
            self.said[tenth] += 1
            self.true[tenth] += stay_of(week, begin, end) is not None

    def rows(self) -> list[tuple[str, int, float]]:
        """For each tenth that was used: its name, how many, and how many of a hundred are true."""
        return [
            (f"{t / TENTHS:.1f}–{(t + 1) / TENTHS:.1f}", int(n), 100.0 * int(k) / int(n))
            for t, (n, k) in enumerate(zip(self.said, self.true, strict=True))
            if n
        ]
