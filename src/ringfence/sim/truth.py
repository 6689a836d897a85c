"""The truth, kept in a file: where everybody was, and every real visit and absence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from ringfence.engine.conditions import KEEP_IN, ZONED, Condition
from ringfence.engine.schedule import in_force_spans
from ringfence.geo.distance import contains_many
from ringfence.geo.edges import build_edge_table
from ringfence.sim.tag import iso
from ringfence.sim.track import Track

STEP_S = 3600
"""The truth is worked out in pieces of an hour, second by second."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One true violation of a condition: in a zone, or not where he had to be."""

    condition: str
    wearer: str
    begin_s: int
    end_s: int | None
    """The first second at which it was over; None = it still lasts."""


@dataclass(slots=True)
class VisitLog:
    """Finds visits in order of time, however the time is chopped."""

    track: Track
    condition: Condition
    _open_s: int | None = field(default=None, init=False)

    def between(self, from_s: int, to_s: int) -> Iterator[Visit]:
        """Visits that end from `from_s` to just before `to_s`; call in order, without a gap."""
        seconds = np.arange(from_s, to_s)
        wrong = np.concatenate([[self._open_s is not None], self._is_wrong(seconds)])
        for i in np.flatnonzero(wrong[1:] != wrong[:-1]):
            at_s = int(seconds[i])
            if self._open_s is None:
                self._open_s = at_s
            else:
                yield self._visit(self._open_s, at_s)
                self._open_s = None

    def still_open(self) -> Iterator[Visit]:
        """The visit that lasts, if there is one."""
        if self._open_s is not None:
            yield self._visit(self._open_s, None)

    def _visit(self, begin_s: int, end_s: int | None) -> Visit:
        return Visit(self.condition.id, self.condition.wearer, begin_s, end_s)

    def _is_wrong(self, seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
        condition = self.condition
        bound = np.zeros(len(seconds), np.bool_)
        if condition.shape is None or condition.kind not in ZONED or not len(seconds):
            return bound
        first_at, last_at = (datetime.fromtimestamp(int(s), UTC) for s in seconds[[0, -1]])
        for span in in_force_spans(condition, first_at, last_at):
            bound |= (seconds * 1000 >= span.start_ms) & (seconds * 1000 < span.end_ms)
        if bound.any():
            lon, lat = self.track.positions(seconds[bound].astype(np.float64))
            inside = contains_many(build_edge_table([condition.shape]).arrays(), 0, lon, lat)
            bound[bound] = ~inside if condition.kind in KEEP_IN else inside
        return bound


class TruthFile:
    """JSON Lines: `run`, `position` (each minute), `event` (scripted), `visit` (when it ends)."""

    def __init__(self, out: TextIO, tracks: Sequence[Track], conditions: Sequence[Condition]):
        by_wearer = {track.wearer.id: track for track in tracks}
        self._out, self._tracks = out, tracks
        self._visits = [VisitLog(by_wearer[c.wearer], c) for c in conditions]

    def say(self, what: str, **facts: Any) -> None:
        """Write one line."""
        self._out.write(json.dumps({"what": what, **facts}, separators=(",", ":")) + "\n")

    def write(self, from_s: int, to_s: int) -> None:
        """Write the truth from `from_s` to just before `to_s`; call in order, without a gap."""
        for start_s in range(from_s, to_s, STEP_S):
            end_s = min(start_s + STEP_S, to_s)
            for at_s in range(start_s + -start_s % 60, end_s, 60):
                for track in self._tracks:
                    self._position(track, at_s)
            for log in self._visits:
                for visit in log.between(start_s, end_s):
                    self._visit(visit)
        self._out.flush()

    def close(self) -> None:
        """Write the visits that still last, and close the file."""
        for log in self._visits:
            for visit in log.still_open():
                self._visit(visit)
        self._out.close()

    def _position(self, track: Track, at_s: int) -> None:
        truth = track.at(at_s)
        self.say(
            "position",
            wearer=track.wearer.id,
            time=iso(at_s),
            lat=round(truth.spot.lat, 7),
            lon=round(truth.spot.lon, 7),
            indoors=truth.indoors,
            mode=truth.mode,
        )

    def _visit(self, visit: Visit) -> None:
        self.say(
            "visit",
            condition=visit.condition,
            wearer=visit.wearer,
            begin=iso(visit.begin_s),
            end=None if visit.end_s is None else iso(visit.end_s),
        )
