"""Who lives in the made-up world. Every name says that it is made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ringfence.sim.ground import Spot

WEARERS = (
    "Wes Example", "Walt Specimen", "Ward Fixture", "Wade Placeholder", "Wolf Sampleton",
    "Warren Mockford", "Wayne Testerby", "Wilf Inventing", "Winston Fable", "Wyatt Notional",
    "Woody Makebelieve", "Walden Demoworth", "Wendell Fictive", "Willis Pretending",
    "Watkin Dummyhall", "Wystan Imagine", "Wilbur Stubbs-Mock", "Whit Phantom", "Wynn Hypothet",
    "Wallace Trialrun", "Westley Supposed", "Wilson Unreal", "Woodrow Story", "Wim Exemplar",
)  # fmt: skip
VICTIMS = (
    "Vera Example", "Vivian Specimen", "Val Fixture", "Verity Placeholder",
    "Viola Sampleton", "Vanessa Mockford", "Veda Testerby", "Vita Inventing",
)  # fmt: skip
RELATIONSHIPS = ("ex_partner", "acquaintance", "stranger")
RISKS = ("medium", "high", "very_high", "low")
ORDERS = ("licence", "community_order")


@dataclass(frozen=True, slots=True)
class Haunt:
    """A place where somebody spends time."""

    what: str
    """`home`, `work`, `shop`, `park`, `pub`, `library`, `probation`, …"""
    district: int
    node: tuple[int, int]
    """The street corner of its district's grid that it is reached from."""
    spot: Spot
    indoors: bool = True


@dataclass(frozen=True, slots=True)
class Wearer:
    """A person on probation who wears a tag; `id` has the shape of a CRN."""

    id: str
    name: str
    relationship: str
    risk: str
    victim: str | None
    """The enrolled victim of his offence, if any."""
    tag: str
    home: Haunt
    work: Haunt | None
    haunts: tuple[Haunt, ...]
    beacon: bool
    """A radio beacon in the home tells the tag that it is there."""
    drives: bool


@dataclass(frozen=True, slots=True)
class Victim:
    """A protected person. Where she lives stays inside the simulator."""

    id: str
    """`V3`: a label that says nothing of who or where."""
    name: str
    home: Haunt


@dataclass(frozen=True, slots=True)
class Order:
    """What a wearer's conditions hang on."""

    id: str
    wearer: str
    type: str
    from_at: datetime
    to_at: datetime
    unit: str
    """The probation delivery unit."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A device and when it was fitted."""

    id: str
    wearer: str
    fitted_at: datetime
