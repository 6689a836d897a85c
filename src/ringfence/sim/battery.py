"""A tag's battery: a day's life and an evening's charge; some evenings it is forgotten."""

from __future__ import annotations

import numpy as np

from ringfence.engine.fix import Signal
from ringfence.sim import habits

DRAIN_PCT_H, CHARGE_PCT_H = 2.4, 45.0
LOW_PCT, CRITICAL_PCT = 20.0, 8.0
EVENING_H = (20, 23)
FORGETS = 0.06


class Battery:
    """Charge in percent, moved on by whoever asks."""

    def __init__(self, rng: np.random.Generator, from_s: float) -> None:
        self._rng, self._last_s = rng, from_s
        self.pct = float(rng.uniform(75, 98))
        self._is_charging = False
        self._forgets: dict[int, bool] = {}

    def advance(self, at_s: float, *, at_home: bool) -> Signal:
        """Move on to an instant; returns what the tag says of its battery on the way."""
        before, hours = self.pct, max(0.0, at_s - self._last_s) / 3600
        self._last_s = at_s
        rate = CHARGE_PCT_H if self._is_charging else -DRAIN_PCT_H
        self.pct = min(100.0, max(1.0, before + rate * hours))
        said = Signal(0)
        if before >= LOW_PCT > self.pct:
            said |= Signal.BATTERY_LOW
        if before >= CRITICAL_PCT > self.pct:
            said |= Signal.BATTERY_CRITICAL
        was_charging, self._is_charging = self._is_charging, at_home and self._plugged_in(at_s)
        if self._is_charging and not was_charging:
            said |= Signal.CHARGING
        return said

    def _plugged_in(self, at_s: float) -> bool:
        if self._is_charging:
            return self.pct < 100.0
        if self.pct < CRITICAL_PCT:
            return True
        local_at = habits.london(at_s)
        day = local_at.toordinal()
        if day not in self._forgets:
            self._forgets = {day: bool(self._rng.random() < FORGETS)}
        is_evening = EVENING_H[0] <= local_at.hour < EVENING_H[1]
        return is_evening and self.pct < 90.0 and not self._forgets[day]
