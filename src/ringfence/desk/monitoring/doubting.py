"""What the engine doubts about each fix of a trail: for the tables that people read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ringfence.desk.kit.clock import from_ms
from ringfence.engine import Batch, compile_plan, evaluate, initial_state
from ringfence.engine.fix import NO_POSITION
from ringfence.engine.hindsight import in_hindsight
from ringfence.engine.words import Doubt

if TYPE_CHECKING:
    from ringfence.desk.monitoring.models import Report

WORDS = {
    Doubt.MOCKED: "made up by an app, as the phone itself says",
    Doubt.NULL_ISLAND: "0°, 0°: what a receiver without a fix sends",
    Doubt.IMPOSSIBLE_SPEED: "farther than anyone can travel in the time",
    Doubt.JUMP: "a jump that its speed does not allow",
    Doubt.TWO_PLACES: "two places at one instant",
    Doubt.FROZEN: "the same position again and again",
    Doubt.NO_ACCURACY: "no accuracy given",
    Doubt.CELL: "by cell: can be hundreds of metres off",
}
"""In the order of gravity. Doubts that are not of a single fix are told with the violation."""


RETURNED = "a jump and a return: the fixes before and after it agree on another place"
BORNE_OUT = "doubted at first ({}); the next fix bears the place out"
OF_THE_WAY = Doubt.IMPOSSIBLE_SPEED | Doubt.JUMP


def doubts_along(reports: Sequence[Report]) -> list[tuple[str, ...]]:
    """The doubts about each of one wearer's reports, which must be in order of time.

    Each is looked at again with its neighbours: what they show of it is marked, nothing is left
    out. The first fixes are judged without what came before them, the last without what comes.
    """
    if not reports:
        return []
    plan = compile_plan(
        [],
        start_at=from_ms(reports[0].time_ms),
        end_at=from_ms(reports[-1].time_ms),
        wearers=["trail"],
    )
    batch = _batch(reports)
    doubts = evaluate(plan, initial_state(plan), batch).doubts
    borne_out, returned = in_hindsight(batch, doubts)
    return [
        _said(int(bits), borne_out=bool(borne), returned=bool(back))
        for bits, borne, back in zip(doubts, borne_out, returned, strict=True)
    ]


def _said(bits: int, *, borne_out: bool, returned: bool) -> tuple[str, ...]:
    said = [(doubt, text) for doubt, text in WORDS.items() if bits & doubt]
    texts = [BORNE_OUT.format(t) if borne_out and d & OF_THE_WAY else t for d, t in said]
    return tuple([*texts, RETURNED] if returned else texts)


def _batch(reports: Sequence[Report]) -> Batch:
    batch = Batch.empty(len(reports))
    batch.wearer[:] = 0
    batch.time_ms[:] = [r.time_ms for r in reports]
    batch.lat_e7[:] = [NO_POSITION if r.lat_e7 is None else r.lat_e7 for r in reports]
    batch.lon_e7[:] = [NO_POSITION if r.lon_e7 is None else r.lon_e7 for r in reports]
    batch.accuracy_m[:] = [np.nan if r.accuracy_m is None else r.accuracy_m for r in reports]
    batch.source[:] = [r.source for r in reports]
    batch.speed_mps[:] = [np.nan if r.speed_mps is None else r.speed_mps for r in reports]
    batch.signals[:] = [r.signals for r in reports]
    return batch
