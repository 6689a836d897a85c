"""What the engine doubts about each fix of a trail: for tables that people read, and for files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ringfence.desk.kit.clock import from_ms
from ringfence.desk.monitoring.fitted import Fitted
from ringfence.desk.monitoring.rows import reports_worn
from ringfence.engine import Batch, compile_plan, evaluate, initial_state
from ringfence.engine.fix import NO_POSITION
from ringfence.engine.hindsight import Hindsight, in_hindsight
from ringfence.engine.words import Doubt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.desk.cases.models import Tag
    from ringfence.desk.monitoring.models import Report

NEIGHBOURS_MS = 12 * 3_600_000
"""What the engine doubts about a fix hangs on those around it: on a still tag, for hours."""

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
IN_FILES = {
    doubt: str(doubt.name).lower()
    for doubt in WORDS
    if doubt not in (Doubt.NO_ACCURACY, Doubt.CELL)
}
"""What a file's column `doubts` calls them; accuracy and source have columns of their own."""
BORNE_OUT_IN_FILES = "borne_out"
RETURNED_IN_FILES = "jump_and_return"
COLUMNS = ("time_ms", "lat_e7", "lon_e7", "accuracy_m", "source", "speed_mps", "signals")


def doubts_along(reports: Sequence[Report]) -> list[tuple[str, ...]]:
    """The doubts about each of one wearer's reports, which must be in order of time.

    Each is looked at again with its neighbours: what they show of it is marked, nothing is left
    out. The first fixes are judged without what came before them, the last without what comes.
    """
    if not reports:
        return []
    doubts, (borne_out, returned) = _looked_at(_batch(reports))
    return [
        _said(int(bits), borne_out=bool(borne), returned=bool(back))
        for bits, borne, back in zip(doubts, borne_out, returned, strict=True)
    ]


def doubted_reports(
    from_ms: int, to_ms: int, up_to_id: int, *, tag: Tag | None = None
) -> dict[int, str]:
    """Every report that was judged and is doubted, by id: its doubts as files say them.

    Args:
        from_ms: of reports not earlier than this, or little earlier: they say what is doubted.
        to_ms: … nor later than this, or little later.
        up_to_id: id of the last report to be seen.
        tag: of this one's wearers only.
    """
    fitted = Fitted()
    fitted.refresh()
    doubted: dict[int, str] = {}
    for wearer_id in fitted.by_wearer if tag is None else fitted.wearers_of({tag.pk}):
        worn = fitted.worn_by(wearer_id, from_ms - NEIGHBOURS_MS - 1, to_ms + NEIGHBOURS_MS)
        rows = reports_worn(worn, up_to_id)
        doubted |= _doubted(rows[np.lexsort((rows["id"], rows["time_ms"]))])
    return doubted


def _doubted(rows: NDArray[np.void]) -> dict[int, str]:
    if not len(rows):
        return {}
    columns = {name: np.ascontiguousarray(rows[name]) for name in COLUMNS}
    nobody = np.zeros(len(rows), np.int32)
    course = np.full(len(rows), np.nan, np.float32)
    batch = Batch(wearer=nobody, victim=nobody.copy(), course_deg=course, **columns)
    doubts, seen = _looked_at(batch)
    told = np.flatnonzero((doubts & sum(IN_FILES) != 0) | seen.returned)
    return {
        int(rows["id"][at]): _in_files(int(doubts[at]), seen.borne_out[at], seen.returned[at])
        for at in told
    }


def _in_files(bits: int, borne_out: np.bool_, returned: np.bool_) -> str:
    said = [name for doubt, name in IN_FILES.items() if bits & doubt]
    said += [BORNE_OUT_IN_FILES] * bool(said and borne_out)
    return " ".join(said + [RETURNED_IN_FILES] * bool(returned))


def _looked_at(batch: Batch) -> tuple[NDArray[np.int32], Hindsight]:
    """What is doubted of each item of one wearer's, and what its neighbours show of it."""
    plan = compile_plan(
        [],
        start_at=from_ms(int(batch.time_ms[0])),
        end_at=from_ms(int(batch.time_ms[-1])),
        wearers=["trail"],
    )
    doubts = evaluate(plan, initial_state(plan), batch).doubts
    return doubts, in_hindsight(batch, doubts)


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
