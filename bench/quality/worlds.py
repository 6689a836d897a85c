"""The made-up worlds, by name: who lives in them, and what their tags say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.quality import errands, overlay, receivers, truth
from ringfence.engine import Batch


@dataclass(frozen=True)
class World:
    """Two functions of a week's number, and the habits that its tags may have."""

    name: str
    make_week: Callable[[int], truth.Week]
    report_week: Callable[..., Batch]
    """Of a week, the residuals, a seed and `habit=`."""
    habits: Sequence[str]


WORLDS = {
    w.name: w
    for w in (
        World("lives", truth.make_week, overlay.report_week, overlay.HABITS),
        World("errands", errands.make_week, receivers.report_week, list(receivers.HABITS)),
    )
}
