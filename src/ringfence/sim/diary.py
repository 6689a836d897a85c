"""What the simulator writes down as it goes: the truth, and how far the tags have reported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from ringfence.engine.conditions import Condition
from ringfence.sim.cast import Cast
from ringfence.sim.clock import SimClock
from ringfence.sim.script import part_of
from ringfence.sim.streets import Streets
from ringfence.sim.tag import iso
from ringfence.sim.truth import TruthFile

EVERY_S = 60.0
PIECE_S, PAUSE_S = 600, 0.05
"""The truth of a day is written in small pieces: tags must not wait for it."""
LATER_S = 75.0
"""It is begun when the first minute is over, which has enough to do."""


class Diary:
    """Keeps the truth file and the memory of a cast."""

    def __init__(
        self,
        cast: Cast,
        conditions: Sequence[Condition],
        *,
        truth: Path | None = None,
        memory: Path | None = None,
    ) -> None:
        """Begin.

        Args:
            cast: who is to be written about.
            conditions: the world's, read.
            truth: JSON Lines, continued if it is there; None = not kept.
            memory: the file of `reported_until`; None = not kept.

        Raises:
            OSError: `truth` can't be written.
        """
        self._cast, self._memory = cast, memory
        self._written_s = cast.from_s
        self._truth = None
        if truth:
            self._truth = TruthFile(truth.open("a"), cast.tracks, conditions)
            _say_script(cast, self._truth)

    async def keep(self, clock: SimClock) -> None:
        """Write down what has happened, each minute, until cancelled."""
        await asyncio.sleep(LATER_S)
        while True:
            now_s = int(clock.now_s())
            while self._written_s < now_s:
                self._write(min(now_s, self._written_s + PIECE_S))
                await asyncio.sleep(PAUSE_S)
            self._remember(now_s)
            await asyncio.sleep(min(EVERY_S, 1 + clock.wait_s(now_s + EVERY_S)))

    def close(self, now_s: int) -> None:
        """Write down the rest up to an instant."""
        if now_s > self._written_s:
            self._write(now_s)
        self._remember(now_s)
        if self._truth:
            self._truth.close()

    def _write(self, until_s: int) -> None:
        if self._truth:
            self._truth.write(self._written_s, until_s)
        self._written_s = until_s

    def _remember(self, until_s: int) -> None:
        if self._memory:
            said = {"seed": self._cast.world.seed, "reported_until_s": until_s}
            self._memory.write_text(json.dumps(said) + "\n")


def reported_until_s(memory: Path, seed: int) -> int:
    """How far tags of this seed have reported before, in epoch seconds; 0 = never.

    A simulator that is started again goes on from there: the past is not told twice, with other
    errors.
    """
    try:
        said = json.loads(memory.read_text())
        return int(said["reported_until_s"]) if said["seed"] == seed else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _say_script(cast: Cast, truth: TruthFile) -> None:
    """Write down what was arranged: the seed, the signals to come and the scripted drifts."""
    world = cast.world
    truth.say("run", seed=world.seed, at=iso(world.at.timestamp()), begin=iso(cast.from_s))
    streets = Streets(world.seed)
    for number, wearer in enumerate(world.people):
        part = part_of(world, number, streets)
        for at_s, signal in part.forced:
            if signal:
                truth.say("event", wearer=wearer.id, time=iso(at_s), signals=signal.names())
        for drift in part.drifts[:8]:
            truth.say("event", wearer=wearer.id, time=iso(drift.from_s), drift_to=iso(drift.to_s))
