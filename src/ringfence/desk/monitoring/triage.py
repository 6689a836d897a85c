"""Who is judged in a round: tags that never stopped first; what an outage kept waits its turn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ringfence.desk.monitoring.judging import FOREVER_MS, NEVER_MS
from ringfence.desk.monitoring.late import Late
from ringfence.desk.monitoring.states import Stand, stands
from ringfence.gateway.pace import ALARMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

YOUNG_MS = 60_000
"""A tag whose newest report was older as it came tells of the past: it empties its memory."""
SILENT_MS = 300_000
"""A tag that told nothing for longer is back from an outage (the Ministry's map calls that missing
data); a tag in its usual rhythm, be it one report in four minutes, never stopped."""

_NOBODY = Stand(NEVER_MS, NEVER_MS, NEVER_MS)


@dataclass(frozen=True, slots=True)
class Round:
    """New reports, sorted out."""

    rows: NDArray[np.void]
    """To be judged at once."""
    waits: list[Late]
    """The rest, by wearer."""
    joined: set[int]
    """To be judged at once, with what waits of them since before: it is older than what came, or
    what came holds an alarm of just now."""
    held: NDArray[np.bool_]
    """Which of the reports wait."""


def sort_out(
    rows: NDArray[np.void], needs: Collection[int], room: int, paired: Collection[int] = ()
) -> Round:
    """Let all wait that is no live report, if it is of more than `room` wearers.

    Args:
        rows: new reports of wearers.
        needs: who is judged in any case, with all that came of them.
        room: how many more may be judged again, or for the first time after a silence.
        paired: who is judged by a victim's device, too: what is of just now waits for nothing,
            though the other device's report moved the clock past it.
    """
    wearers, of = np.unique(rows["wearer"], return_inverse=True)
    known = stands(wearers.tolist())
    stand = np.array([known.get(w, _NOBODY) for w in wearers.tolist()], np.int64).reshape(-1, 3)
    clock_ms, heard_ms, waits_to_ms = stand.T
    late = rows["time_ms"] <= clock_ms[of]
    past = late
    if paired:
        young = rows["time_ms"] >= rows["received_ms"] - YOUNG_MS
        past = late & ~(young & np.isin(rows["wearer"], list(paired)))
    live = _live(rows, of, past, heard_ms)
    needed = np.isin(wearers, list(needs))
    joined = ~needed & (_alarmed(rows, of, len(wearers)) | (live & (waits_to_ms > clock_ms)))
    held = (past | ~live[of]) & ~(needed | joined)[of]
    if len(np.unique(of[held])) <= room:
        held[:] = False
    waits = _by_wearer(rows[held], late[held]) if held.any() else []
    return Round(rows[~held], waits, set(wearers[joined].tolist()), held)


def _live(
    rows: NDArray[np.void],
    of: NDArray[np.intp],
    late: NDArray[np.bool_],
    heard_ms: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whose tag never stopped, and tells of the present, by wearer."""
    newest_ms, last_ms = np.full((2, len(heard_ms)), NEVER_MS)
    first_ms = np.full(len(heard_ms), FOREVER_MS)
    np.maximum.at(newest_ms, of[~late], rows["time_ms"][~late])
    np.maximum.at(last_ms, of, rows["received_ms"])
    np.minimum.at(first_ms, of, rows["received_ms"])
    live: NDArray[np.bool_] = (newest_ms >= last_ms - YOUNG_MS) & (first_ms - heard_ms <= SILENT_MS)
    return live


def _alarmed(rows: NDArray[np.void], of: NDArray[np.intp], wearers: int) -> NDArray[np.bool_]:
    """Whose tag says that its strap or case was opened just now: that waits for nothing."""
    now = rows["time_ms"] >= rows["received_ms"] - YOUNG_MS
    alarmed = np.zeros(wearers, np.bool_)
    alarmed[of[now & (rows["signals"] & ALARMS != 0)]] = True
    return alarmed


def _by_wearer(rows: NDArray[np.void], late: NDArray[np.bool_]) -> list[Late]:
    """What waits, one for each wearer."""
    order = np.argsort(rows["wearer"], kind="stable")
    rows, late = rows[order], late[order]
    firsts = np.flatnonzero(np.diff(rows["wearer"], prepend=-1))
    columns = (
        rows["wearer"][firsts],
        np.minimum.reduceat(rows["time_ms"], firsts),
        np.maximum.reduceat(rows["time_ms"], firsts),
        np.minimum.reduceat(rows["received_ms"], firsts),
        np.maximum.reduceat(rows["received_ms"], firsts),
        np.diff(firsts, append=len(rows)),
        np.add.reduceat(late.astype(np.int64), firsts),
    )
    return [Late(*values) for values in zip(*(c.tolist() for c in columns), strict=True)]
