"""Whose item goes into which wearer's stream: a victim's fixes go to all who must keep away.

A wearer is judged by one stream of items alone, so that nobody's answer hangs on anybody else's
clock. A proximity needs a second device: its fixes are copied into the stream of each wearer who
is to keep away from it, marked by `Batch.victim`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ringfence.engine.fix import Batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringfence.engine.plan import Plan


def with_victims(plan: Plan, batch: Batch) -> Batch:
    """Wearers' own items, and a copy of each victim's for every wearer who must keep away.

    Args:
        plan: who must keep away from whom.
        batch: a victim's rows have `victim` set and `wearer` −1; who is nobody's in this plan is
            dropped. Rows that are a wearer's already stay as they are.
    """
    theirs = (batch.victim != 0) & (batch.wearer < 0)
    if not theirs.any():
        return batch
    hers = batch.take(theirs)
    by_victim = np.argsort(plan.rules.pair_victim, kind="stable")
    numbers = plan.rules.pair_victim[by_victim]
    first = np.searchsorted(numbers, hers.victim, "left")
    count = np.searchsorted(numbers, hers.victim, "right") - first
    rows = np.repeat(np.arange(len(hers)), count)
    nth = np.arange(len(rows)) - np.repeat(count.cumsum() - count, count)
    pairs = by_victim[np.repeat(first, count) + nth]
    copies = replace(hers.take(rows), wearer=_wearers_of_pairs(plan)[pairs])
    return Batch.concat([batch.take(~theirs), copies])


def is_of_pair(plan: Plan, batch: Batch) -> NDArray[np.bool_]:
    """(rows,): a wearer's own item, or of a victim's device that this wearer must keep away from.

    Any other item would move the wearer's clock and mean nothing.
    """
    pairs = _codes(_wearers_of_pairs(plan), plan.rules.pair_victim)
    of_pair: NDArray[np.bool_] = np.isin(_codes(batch.wearer, batch.victim), pairs)
    of_pair |= batch.victim == 0
    return of_pair


def _wearers_of_pairs(plan: Plan) -> NDArray[np.int32]:
    return np.repeat(np.arange(len(plan.wearers), dtype=np.int32), np.diff(plan.rules.first_pair))


def _codes(wearer: NDArray[np.int32], victim: NDArray[np.int32]) -> NDArray[np.int64]:
    """Both numbers in one."""
    return wearer.astype(np.int64) << 32 | victim.astype(np.int64)
