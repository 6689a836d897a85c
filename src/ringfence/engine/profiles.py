"""Named, frozen thresholds with their source; never edited, only superseded.

[S], [C], [V], [D] as in docs/engine.md: read in a primary source, read in the Ministry of Justice's
public code, a standard, computed. [M]: measured on the traces that docs/engine.md names.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import log
from typing import Final, cast

import numpy as np

from ringfence.engine.fix import Source

MINUTE_MS = 60_000
NEVER_MS = 2**62
"""A limit that is never reached."""


class Thresholds:
    """A profile's numbers as the kernel reads them; log-odds are natural logarithms.

    A row, handed on as one pointer: fifty numbers a call take long to compile.
    """

    geometric: bool
    default_radius_m: tuple[float, ...]
    least_radius_m: tuple[float, ...]
    outlier: tuple[float, ...]
    outlier_on_way: float
    outlier_strayed: float
    turning: float
    drive: float
    going_mps: float
    going_sure: float
    tail: float
    tail_m: float
    drift_ms: tuple[float, ...]
    floor: float
    floor_moving: float
    ceiling: float
    unknown: float
    forget_ms: float
    possible: float
    clear: float
    confirm: float
    end: float
    agreeing: int
    moving_ms: float
    moving_mps: float
    drift_m: float
    at_rest_weight: float
    top_speed_mps: float
    top_acceleration_mps2: float
    quiet_ms: int
    silence_ms: int
    no_fix_ms: int
    settled_mps: float
    walking_mps: float


THRESHOLDS_ROW: Final = np.dtype(
    [
        ("geometric", np.bool_),
        ("default_radius_m", np.float64, (len(Source),)),
        ("least_radius_m", np.float64, (len(Source),)),
        ("outlier", np.float64, (len(Source),)),
        ("outlier_on_way", np.float64),
        ("outlier_strayed", np.float64),
        ("turning", np.float64),
        ("drive", np.float64),
        ("going_mps", np.float64),
        ("going_sure", np.float64),
        ("tail", np.float64),
        ("tail_m", np.float64),
        ("drift_ms", np.float64, (len(Source),)),
        ("floor", np.float64),
        ("floor_moving", np.float64),
        ("ceiling", np.float64),
        ("unknown", np.float64),
        ("forget_ms", np.float64),
        ("possible", np.float64),
        ("clear", np.float64),
        ("confirm", np.float64),
        ("end", np.float64),
        ("agreeing", np.int64),
        ("moving_ms", np.float64),
        ("moving_mps", np.float64),
        ("drift_m", np.float64),
        ("at_rest_weight", np.float64),
        ("top_speed_mps", np.float64),
        ("top_acceleration_mps2", np.float64),
        ("quiet_ms", np.int64),
        ("silence_ms", np.int64),
        ("no_fix_ms", np.int64),
        ("settled_mps", np.float64),
        ("walking_mps", np.float64),
    ],
    align=True,
)
"""`Thresholds` as it lies in memory."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One named set of thresholds. `source` says where each number comes from."""

    name: str
    summary: str
    geometric: bool = False
    """Geometry alone: each fix decides at once."""
    default_radius_m: tuple[float, ...] = (100.0, 30.0, 60.0, 750.0, 30.0)
    """95 % circle where a fix gives none, by `Source` (unknown, gnss, wifi, cell, rf)."""
    least_radius_m: tuple[float, ...] = (25.0, 12.0, 30.0, 250.0, 15.0)
    """A smaller claimed circle is read as this."""
    outlier: tuple[float, ...] = (0.1, 0.06, 0.1, 0.25, 0.06)
    """How often a fix says nothing of the true place, whatever its circle."""
    outlier_on_way: float = 0.002
    """… if it carries on the way that the fixes before it show."""
    outlier_strayed: float = 0.03
    """… if it only lies within reach, at the pace that they show."""
    turning: float = 0.3
    """Of its length, what a way may turn or change its pace in a minute (standard deviation)."""
    drive: float = 0.002
    """How much speed wanders: its variance after a second, m²/s³."""
    going_mps: float = 0.6
    """A track as fast as this, and sure of it, shows motion …"""
    going_sure: float = 2.0
    """… when the square of its speed exceeds so many of its variances."""
    tail: float = 0.3
    """In motion, such a share of errors is wider than the circle says …"""
    tail_m: float = 15.0
    """… by about this much (standard deviation along one axis)."""
    drift_s: tuple[float, ...] = (120.0, 90.0, 300.0, 3600.0, 300.0)
    """Errors at rest stay alike for about this long: one drift is one piece of evidence."""
    moving_s: float = 15.0
    """… and in motion for about this long."""
    prior: float = 0.005
    """Probability of a violation after long compliance …"""
    prior_moving: float = 0.02
    """… and of one on the move, at least, before a fix is read."""
    ceiling: float = 0.998
    """No run of fixes makes the engine surer than this."""
    unknown: float = 0.12
    """What belief decays to while nothing is heard."""
    forget_s: float = 600.0
    possible_above: float = 0.15
    clear_below: float = 0.08
    confirm_above: float = 0.93
    end_below: float = 0.05
    agreeing: int = 2
    """So many believed fixes in a row, not by cell, before anything is confirmed or ended."""
    moving_mps: float = 0.8
    drift_m: float = 100.0
    """From rest, a fix nearer than this to the resting place may be drift."""
    at_rest_weight: float = 0.5
    """What evidence counts that may be drift."""
    top_speed_mps: float = 70.0
    top_acceleration_mps2: float = 6.0
    quiet_s: float = 900.0
    """Without a fix for this long, a condition's state is `no_data`."""
    silence_s: float | None = 4500.0
    """Without a report for this long: a `silence` violation. None = never."""
    no_fix_s: float | None = 1800.0
    """Reports but no position for this long: a `no_fix` violation. None = never."""
    settled_mps: float = 0.3
    """So fast may the place of a device at rest be leaving its last fix behind …"""
    walking_mps: float = 1.5
    """… and that of one on its way, or not known to rest, if no greater speed is known."""
    source: tuple[tuple[str, str], ...] = ()

    def thresholds(self) -> Thresholds:
        """The numbers in the kernel's units."""
        as_they_are = {n: getattr(self, n) for n in THRESHOLDS_ROW.names or () if hasattr(self, n)}
        in_the_kernels_units = {
            "drift_ms": tuple(1000.0 * s for s in self.drift_s),
            "floor": _log_odds(self.prior),
            "floor_moving": _log_odds(self.prior_moving),
            "ceiling": _log_odds(self.ceiling),
            "unknown": _log_odds(self.unknown),
            "forget_ms": 1000.0 * self.forget_s,
            "possible": _log_odds(self.possible_above),
            "clear": _log_odds(self.clear_below),
            "confirm": _log_odds(self.confirm_above),
            "end": _log_odds(self.end_below),
            "moving_ms": 1000.0 * self.moving_s,
            "quiet_ms": NEVER_MS if self.geometric else int(1000 * self.quiet_s),
            "silence_ms": NEVER_MS if self.silence_s is None else int(1000 * self.silence_s),
            "no_fix_ms": NEVER_MS if self.no_fix_s is None else int(1000 * self.no_fix_s),
        }
        said = as_they_are | in_the_kernels_units
        row = np.array([tuple(said[n] for n in THRESHOLDS_ROW.names or ())], THRESHOLDS_ROW)
        return cast("Thresholds", row.view(np.recarray)[0])

    def lines(self) -> list[str]:
        """The profile for people: each threshold, its value, its source."""
        said = dict(self.source)
        lines = [f"{self.name}: {self.summary}"]
        if self.geometric:
            return lines
        for field in fields(self)[3:-1]:
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                value = ", ".join(
                    f"{s.name.lower()} {v:g}" for s, v in zip(Source, value, strict=True)
                )
            lines.append(f"  {field.name}: {value}  {said.get(field.name, '')}".rstrip())
        return lines


def _log_odds(probability: float) -> float:
    return log(probability / (1 - probability))


_SOURCES = (
    (
        "default_radius_m",
        "[V] NIJ 1004.00: 10 m outdoors, 30 m indoors; cell [M] 729 m is the p90 claim",
    ),
    (
        "least_radius_m",
        "[M] cell fixes claiming 10 m lay up to 229 m (p99) off; satellite 12 m at rest",
    ),
    (
        "outlier",
        "[S] 200 m off at a claimed 1.7 m is known; one such fix must stay below confirm_above",
    ),
    ("outlier_on_way", "[S] jumps in 0.15 % of fixes; few of them lie where the way leads"),
    (
        "outlier_strayed",
        "[D] jumps in 0.15 % of fixes [S]; ways turn one time in five, over their reach",
    ),
    ("turning", "[D] a turn of 17 degrees, or as much faster or slower, in a minute"),
    ("drive", "[D] after a minute at rest a walk may have begun: 0.35 m/s along one axis"),
    ("going_mps", "[D] half a walk: less may be drift"),
    ("going_sure", "[D] 1.4 standard deviations: a second fix must bear it out in any case"),
    ("tail", "[M] phones on known routes: 95 % of errors at claims of 4 to 12 m are below 30 m"),
    ("tail_m", "[M] the same: a mixture of two widths, fitted by likelihood"),
    ("drift_s", "[M] 70 % of successive cell fixes repeat the last one's place exactly"),
    ("moving_s", "[D] a receiver filters over seconds; a minute apart is a new look"),
    (
        "prior",
        "[D] so low that two fixes out of a long rest decide nothing: drift can last that [M]",
    ),
    ("prior_moving", "[D] who is out and about is in a zone more often than who lies at home"),
    ("ceiling", "[D] leaves the end of a violation to three good fixes"),
    ("unknown", "[D] between clear_below and possible_above: silence neither clears nor accuses"),
    ("forget_s", "[D] after 10 min a third of a belief is left: less than one fix decides"),
    ("possible_above", "[D] one good satellite fix past the edge reaches it"),
    ("clear_below", "[D] about half of possible_above, so that it does not flicker"),
    (
        "confirm_above",
        "[D] one wrong alert in fourteen, if the model held; measured: one in a hundred",
    ),
    ("end_below", "[D] as sure of the end as of the beginning"),
    (
        "agreeing",
        "[S] one fix alone never confirms: exits by drift, a man jailed for floating points",
    ),
    ("moving_mps", "[M] a tag at rest reports less; a slow walk is 0.8 m/s"),
    ("drift_m", "[M] satellite drift at rest indoors stays within 100 m"),
    ("at_rest_weight", "[M] fixes in a drift repeat each other's error"),
    ("top_speed_mps", "[D] 252 km/h: a fast train"),
    ("top_acceleration_mps2", "[D] hard braking is 8, a sports car gains 5"),
    ("quiet_s", "[C] 15 min: the Ministry's stale-feed banner"),
    ("silence_s", "[S] hourly call-in when compliant, and 15 min to upload [V]"),
    ("no_fix_s", "[C] twice the stale-feed banner"),
    ("settled_mps", "[D] at rest for minutes: 270 m at most by the time that it is stale"),
    ("walking_mps", "[D] a brisk walk, by which the circle of an old place grows"),
)

NAIVE = Profile(
    "naive/1",
    "geometry alone: a fix past the edge is a violation at once, the next one within ends it",
    geometric=True,
    agreeing=1,
    silence_s=None,
    no_fix_s=None,
)
STANDARD = Profile("standard/1", "for monitoring: sure enough to wake someone", source=_SOURCES)
CAUTIOUS = Profile(
    "cautious/1",
    "for evidence: sure enough to put before a court",
    confirm_above=0.99,
    agreeing=3,
    outlier=(0.15, 0.08, 0.15, 0.35, 0.08),
    source=_SOURCES,
)
PROFILES = {p.name: p for p in (NAIVE, STANDARD, CAUTIOUS)}
"""Every profile there ever was, by name: old decisions are replayed with theirs."""


def find_profile(name: str) -> Profile:
    """A profile by name, `standard` or `standard/1`; `ValueError` names the known ones."""
    if name in PROFILES:
        return PROFILES[name]
    versions = [p for p in PROFILES.values() if p.name.partition("/")[0] == name]
    if not versions:
        raise ValueError(f"profile {name!r} is none of " + ", ".join(PROFILES))
    return max(versions, key=lambda p: int(p.name.partition("/")[2]))
