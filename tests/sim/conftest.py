"""One small world for all: twelve wearers, its script at a quarter past nine on a Tuesday."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.engine.conditions import Condition
from ringfence.sim.cast import Cast, build_cast
from ringfence.sim.tag import Report
from ringfence.sim.world import World, build_world
from ringfence.trail.conditions_file import read_features

AT = datetime(2026, 11, 24, 9, 15, 20, tzinfo=UTC)
AT_S = int(AT.timestamp())
DAY_S = 86_400


def reports(cast: Cast, number: int, until_s: int) -> list[Report]:
    """What one tag says from its beginning to an instant."""
    tag, made = cast.tags[number], []
    while tag.next_s <= until_s:
        made.append(tag.take())
    return made


@pytest.fixture(scope="session")
def world() -> World:
    return build_world(7, AT, wearers=12)


@pytest.fixture(scope="session")
def conditions(world: World) -> list[Condition]:
    return read_features(world.conditions)


@pytest.fixture
def cast(world: World, conditions: list[Condition]) -> Cast:
    return build_cast(world, conditions)


@pytest.fixture
def day(world: World, conditions: list[Condition]) -> Cast:
    """The same, with the day before the script."""
    return build_cast(world, conditions, backfill_s=DAY_S)
