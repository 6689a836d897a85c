"""One tag: the truth, its errors and its habits, as reports for the gateway's JSON door."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ringfence.engine.conditions import Condition, Kind
from ringfence.engine.fix import Signal, Source
from ringfence.geo.distance import signed_distance_m
from ringfence.geo.edges import build_edge_table
from ringfence.sim.battery import Battery
from ringfence.sim.errors import ErrorModel
from ringfence.sim.ground import Spot
from ringfence.sim.movement import Truth
from ringfence.sim.script import Part
from ringfence.sim.track import Track

OUTDOORS_S, INDOORS_S, NEAR_S = 60, 300, 15
"""Between fixes [S]: by satellite each minute, by cell each five, and 15 s near a zone."""
NEAR_M = 20.0
"""Beyond the buffer: the tag hurries before it gets there."""
WAKE_S = 20
"""The motion sensor wakes an indoor tag so soon after its wearer has left."""

Report = dict[str, Any]


class SimTag:
    """A tag that knows when it reports next. It never looks at a clock: it is asked.

    Numbers (`seq`) are the second of the report, so that a restarted simulator never gives one
    number to two reports.
    """

    def __init__(
        self,
        track: Track,
        conditions: Sequence[Condition],
        part: Part,
        *,
        rng: np.random.Generator,
        from_s: int,
    ) -> None:
        """Begin at an instant (UTC epoch seconds); `conditions` are its wearer's own."""
        self.track, self.id = track, track.wearer.tag
        self._forced = sorted(f for f in part.forced if f[0] >= from_s)
        self._rng = rng
        self._errors = ErrorModel(rng, calm=part.calm, drifts=part.drifts)
        self._battery = Battery(rng, from_s)
        zones = [c for c in conditions if c.kind is Kind.EXCLUSION and c.shape is not None]
        self._zones = build_edge_table([c.shape for c in zones if c.shape]).arrays()
        self._reaches_m = [c.buffer_m + NEAR_M for c in zones]
        # Tags were not switched on in the same second.
        self._due_s = from_s + int(rng.integers(1, OUTDOORS_S))

    @property
    def next_s(self) -> int:
        """The instant of its next report."""
        return min(self._due_s, self._forced[0][0]) if self._forced else self._due_s

    def take(self) -> Report:
        """Make the report of `next_s`, and go on to the next one."""
        at_s, signals, is_alarm = self.next_s, Signal(0), False
        if self._forced and self._forced[0][0] == at_s:
            signals = self._forced.pop(0)[1]
            is_alarm = bool(signals)
        truth = self.track.at(at_s)
        signals |= self._battery.advance(at_s, at_home=truth.where == "home")
        report: Report = {"seq": at_s, "time": iso(at_s)}
        if is_alarm:
            # An alarm does not wait for a position.
            self._due_s = max(self._due_s, at_s + 1)
        else:
            report |= self._fix(truth, at_s)
        report["battery_pct"] = round(self._battery.pct)
        if signals:
            report["signals"] = signals.names()
        return report

    def _fix(self, truth: Truth, at_s: int) -> Report:
        source = self._source(truth)
        mistake = self._errors.mistake(source, at_s)
        place = truth.spot.moved(mistake.east_m, mistake.north_m)
        self._due_s = self._next_due_s(truth, place, at_s)
        fix: Report = {
            "lat": round(place.lat, 7),
            "lon": round(place.lon, 7),
            "accuracy_m": round(mistake.claimed_m, 1),
            "source": source.name.lower(),
        }
        return fix | self._satellites(truth) if source is Source.GNSS else fix

    def _satellites(self, truth: Truth) -> Report:
        seen = int(self._rng.integers(7, 15))
        speed = max(0.0, truth.speed_mps + float(self._rng.normal(0, 0.15)))
        made: Report = {
            "satellites": seen,
            "hdop": round(9 / seen, 1),
            "speed_mps": round(speed, 2),
        }
        if truth.course_deg is not None:
            wobble = float(self._rng.normal(0, 4))
            made["course_deg"] = round((truth.course_deg + wobble) % 360, 1) % 360
        return made

    def _source(self, truth: Truth) -> Source:
        if not truth.indoors:
            return Source.GNSS
        return Source.RF if truth.where == "home" and self.track.wearer.beacon else Source.CELL

    def _next_due_s(self, truth: Truth, place: Spot, at_s: int) -> int:
        if self._near(place):
            return at_s + NEAR_S
        if not truth.indoors:
            return at_s + OUTDOORS_S
        leaves_s = math.ceil(self.track.segment(at_s).to_s)
        # At midnight one stay becomes another of the same place: no motion, and none felt.
        moves = self.track.segment(leaves_s + 1).mode != "rest"
        return min(at_s + INDOORS_S, leaves_s + WAKE_S) if moves else at_s + INDOORS_S

    def _near(self, place: Spot) -> bool:
        """Whether the tag believes that it is in a zone, its buffer, or just outside."""
        return any(
            signed_distance_m(self._zones, k, place.lon, place.lat, reach_m) >= -reach_m
            for k, reach_m in enumerate(self._reaches_m)
        )


def iso(at_s: float) -> str:
    """An instant as a tag writes it."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
