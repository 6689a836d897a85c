"""35 scripted approaches of a wearer and a victim, seven sorts of five, and controls beside them.

Queensland's police had officers act seven scenarios at several places, 35 runs in all [S: The
Domestic and Family Violence GPS-enabled Electronic Monitoring Technology, evaluation report, 2019].
These are not their scenarios, which name places of their own; they are as many, of the sorts that
the field names. Metres are east and north of the victim's home; minutes from the script's start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.engine.fix import Source

Point = tuple[float, float, float]
WALK, JOG, BIKE, CAR, ROAD = 80.0, 150.0, 300.0, 780.0, 1500.0
"""Metres a minute."""
HOME: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Side:
    """One person's way, and what their device tells of it."""

    way: tuple[Point, ...]
    """(minute, east, north); straight between; before the first and after the last, at rest."""
    every_s: float = 60.0
    source: Source = Source.GNSS
    claimed_m: float | None = 10.0
    """The circle that the device claims, and that holds 95 %; None = it claims none (true: 10)."""
    gaps: tuple[tuple[float, float], ...] = ()
    """Minutes from and to, without a fix."""
    lost_share: float = 0.0
    delay_min: float = 0.0
    """Fixes reach the platform this much later, newest first."""
    by_cell: tuple[tuple[float, float], ...] = ()
    """Minutes from and to in which only cells are heard."""


@dataclass(frozen=True)
class Script:
    """One approach, and what the truth asks for."""

    sort: str
    name: str
    he: Side
    she: Side
    distance_m: float = 500.0
    court_m: float | None = None
    """Radius of a derogated place round the victim's home."""
    until_min: float = 90.0
    both_report: bool = True
    """Whether both devices tell of the approach at all."""
    wants: str = "violation"
    """… or, of a control: `pre-alert`, `nothing`, `unknown`."""


@dataclass
class _Way:
    """A way under construction."""

    points: list[Point] = field(default_factory=list)

    def go(self, east: float, north: float, speed: float) -> _Way:
        minute, e, n = self.points[-1]
        metres = ((east - e) ** 2 + (north - n) ** 2) ** 0.5
        self.points.append((minute + metres / speed, east, north))
        return self

    def rest(self, minutes: float) -> _Way:
        minute, e, n = self.points[-1]
        self.points.append((minute + minutes, e, n))
        return self


def start(east: float, north: float, after: float = 12.0) -> _Way:
    """At rest there for a while, then on the way."""
    return _Way([(0.0, east, north)]).rest(after)


def side(way: _Way, **more: object) -> Side:
    return Side(tuple(way.points), **more)  # type: ignore[arg-type]  # checked by Side


STILL = Side(((0.0, 0.0, 0.0),))
INDOORS = Side(((0.0, 0.0, 0.0),), source=Source.WIFI, claimed_m=35.0)
WIFI = {"source": Source.WIFI, "claimed_m": 35.0}
FAR = (3000.0, 0.0)


def walk_to_her(speed: float = WALK) -> _Way:
    return start(*FAR).go(40, 0, speed)


def _on_foot() -> list[Script]:
    winding = start(2500, 400).go(1800, 900, WALK).go(1300, 200, WALK).go(800, 600, WALK)
    pausing = start(*FAR).go(1300, 0, WALK).rest(9).go(700, 0, WALK).rest(6).go(40, 0, WALK)
    return [
        Script("on foot", "straight to her home", side(walk_to_her()), STILL),
        Script("on foot", "by winding streets", side(winding.go(30, 40, WALK)), STILL),
        Script("on foot", "with pauses on the way", side(pausing), STILL),
        Script("on foot", "at a jog", side(walk_to_her(JOG)), STILL),
        Script("on foot", "at night, she is indoors", side(walk_to_her()), INDOORS),
    ]


def _by_car() -> list[Script]:
    town = start(6000, 500)
    for east in (4500, 3300, 2300, 1500, 900):
        town = town.go(east, 500, CAR).rest(0.8)
    parks = start(6000, 0).go(800, 0, CAR).rest(3).go(40, 0, WALK)
    return [
        Script(
            "by car",
            "straight, told every 15 s",
            side(start(8e3, 0).go(60, 0, CAR), every_s=15),
            STILL,
        ),
        Script(
            "by car",
            "straight, told every minute",
            side(start(8e3, 0).go(60, 0, CAR)),
            STILL,
            1000.0,
        ),
        Script(
            "by car", "through town, stops at lights", side(town.go(60, 0, CAR), every_s=30), STILL
        ),
        Script("by car", "parks 800 m off and walks", side(parks), STILL),
        Script(
            "by car", "a fast road", side(start(2e4, 0).go(100, 0, ROAD), every_s=30), STILL, 2000.0
        ),
    ]


def _to_still() -> list[Script]:
    """She comes to him; he does not move."""
    bus = start(6000, 0).go(3000, 0, 480).rest(0.5).go(1500, 0, 480).rest(0.5).go(60, 0, 480)
    mixed = side(walk_to_her(), by_cell=((14.0, 19.0), (30.0, 34.0)))
    return [
        Script("to a still wearer", "she walks, he sits outdoors", STILL, side(walk_to_her())),
        Script("to a still wearer", "she walks, he is indoors", INDOORS, side(walk_to_her())),
        Script("to a still wearer", "she comes by bus", STILL, side(bus, every_s=30)),
        Script("to a still wearer", "she jogs", STILL, side(walk_to_her(JOG))),
        Script("to a still wearer", "her phone hears only cells at times", STILL, mixed),
    ]


def _both_move() -> list[Script]:
    behind = side(start(-1500, 0, 10).go(4000, 0, 130))
    ahead = side(start(0, 0, 10).go(3000, 0, WALK))
    north = side(start(0, 2600, 12).go(0, 0, WALK))
    drive = side(start(9000, 60).go(100, 60, CAR), every_s=20)
    drives = side(start(-3000, 0).go(0, 0, 500.0), every_s=20)
    return [
        Script(
            "both move",
            "head on, on foot",
            side(walk_to_her()),
            side(start(-900, 0).go(600, 0, WALK)),
        ),
        Script("both move", "he follows and overtakes", behind, ahead),
        Script("both move", "they converge on a corner", side(walk_to_her()), north),
        Script(
            "both move",
            "he cycles, she walks",
            side(walk_to_her(BIKE), every_s=30),
            side(start(-600, 0).go(0, 0, WALK)),
        ),
        Script("both move", "both drive to one place", drive, drives, 1000.0),
    ]


def _indoors() -> list[Script]:
    hall = side(start(1900, 0).go(60, 0, WALK), **WIFI)
    slow = side(walk_to_her(), every_s=120, **WIFI)
    station = side(walk_to_her(), by_cell=((12.0, 24.0),))
    claims_none = Side(((0.0, 0.0, 0.0),), claimed_m=None)
    return [
        Script("indoors", "a shopping street, both by Wi-Fi", hall, INDOORS),
        Script("indoors", "he by Wi-Fi, she under the sky", hall, STILL),
        Script("indoors", "cells first, then satellites", station, STILL),
        Script(
            "indoors", "both by Wi-Fi, every two minutes", slow, Side(INDOORS.way, 120.0, **WIFI)
        ),
        Script("indoors", "her phone claims no circle", side(walk_to_her()), claims_none),
    ]


def _gaps() -> list[Script]:
    return [
        Script(
            "gaps",
            "his 8 minutes of silence end 1,100 m off",
            side(walk_to_her(), gaps=((28.0, 36.0),)),
            STILL,
        ),
        Script(
            "gaps",
            "her 10 minutes of silence as he sets out",
            side(walk_to_her()),
            Side(STILL.way, gaps=((12.0, 22.0),)),
        ),
        Script(
            "gaps",
            "a third of all fixes is lost",
            side(walk_to_her(), lost_share=0.33),
            Side(STILL.way, lost_share=0.33),
        ),
        Script(
            "gaps",
            "his uploads come in bundles, newest first",
            side(walk_to_her(), delay_min=2.0),
            STILL,
        ),
        Script(
            "gaps",
            "his silence lasts from 1,700 m to her door",
            side(walk_to_her(), gaps=((28.0, 50.0),)),
            STILL,
            both_report=False,
        ),
    ]


def _passing() -> list[Script]:
    edging = start(1150, 0).go(420, 0, 15.0)
    crossing = side(start(-1500, 150).go(1500, 150, WALK))
    beside = start(2000, 900).go(700, 350, WALK).go(-700, 350, WALK)
    she_walks = side(start(1200, 0, 23).go(-1200, 0, WALK))
    return [
        Script("passing", "past her window on foot", crossing, STILL, 300.0),
        Script(
            "passing",
            "their ways cross at right angles",
            side(start(0, -1500).go(0, 1500, WALK)),
            side(start(-1500, 0).go(1500, 0, WALK)),
        ),
        Script("passing", "a walk beside hers, 350 m off", side(beside), she_walks),
        Script("passing", "edging closer, 15 m a minute", side(edging), STILL, until_min=100),
        Script(
            "passing",
            "out of the court they share",
            side(start(30, 0, 40).go(260, 0, 40.0).rest(20)),
            STILL,
            court_m=120.0,
        ),
    ]


APPROACHES = (
    *_on_foot(),
    *_by_car(),
    *_to_still(),
    *_both_move(),
    *_indoors(),
    *_gaps(),
    *_passing(),
)

CONTROLS = (
    Script(
        "control",
        "700 m off and no nearer",
        side(start(*FAR).go(700, 0, WALK)),
        STILL,
        wants="pre-alert",
    ),
    Script(
        "control",
        "1,300 m off and no nearer",
        side(start(*FAR).go(1300, 0, WALK)),
        STILL,
        wants="nothing",
    ),
    Script(
        "control",
        "in court, both",
        Side(((0.0, 30.0, 0.0),)),
        STILL,
        court_m=150.0,
        wants="nothing",
    ),
    Script(
        "control",
        "both at home, 1,200 m apart, by Wi-Fi",
        Side(((0.0, 1200.0, 0.0),), **WIFI),
        INDOORS,
        wants="nothing",
    ),  # type: ignore[arg-type]
    Script(
        "control",
        "her device falls silent for good",
        side(walk_to_her()),
        Side(STILL.way, gaps=((6.0, 99.0),)),
        wants="unknown",
    ),
    Script(
        "control",
        "his device falls silent for good",
        side(walk_to_her(), gaps=((14.0, 99.0),)),
        STILL,
        wants="unknown",
    ),
)
