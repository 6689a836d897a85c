"""Whether the bytes under the reports are still what came: each frame against its hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Max, Min, QuerySet

from ringfence.desk.monitoring.models import Frame, Quarantine, fingerprint

PIECE = 500
"""Frames read at once: at most 0.5 GiB if each were the largest body that a door takes."""
SAMPLE = 1000
"""Frames that the doctor looks at: some milliseconds."""


@dataclass(slots=True)
class Checked:
    """What a look at frames found."""

    frames: int = 0
    altered: list[int] = field(default_factory=list)
    """Ids of those whose bytes do not have their hash."""


def is_unchanged(kept: Frame | Quarantine) -> bool:
    """Whether bytes still have the hash that was kept with them."""
    return fingerprint(bytes(kept.raw)) == bytes(kept.sha256)


def check_frames() -> Iterator[Checked]:
    """Compare every stored frame with its hash; says where it stands after each piece."""
    seen, position = Checked(), 0
    # Those that come meanwhile are another look's.
    end = _last()
    while piece := list(_rows(Frame.objects.filter(id__gt=position, id__lte=end))[:PIECE]):
        _compare(piece, seen)
        position = piece[-1].pk
        yield seen
    if not seen.frames:
        yield seen


def check_some_frames(count: int = SAMPLE) -> Checked:
    """Compare some frames with their hashes, evenly spread over all, the latest among them.

    Args:
        count: at most so many.
    """
    seen, last = Checked(), _last()
    first = Frame.objects.aggregate(first=Min("id"))["first"] or 1
    ids = list(range(last, first - 1, -max(1, -(-(last - first + 1) // count))))
    for start in range(0, len(ids), PIECE):
        _compare(list(_rows(Frame.objects.filter(id__in=ids[start : start + PIECE]))), seen)
    return seen


def _rows(frames: QuerySet[Frame]) -> QuerySet[Frame]:
    return frames.order_by("id").only("id", "raw", "sha256")


def _compare(piece: list[Frame], seen: Checked) -> None:
    seen.frames += len(piece)
    seen.altered += [f.pk for f in piece if not is_unchanged(f)]


def _last() -> int:
    return Frame.objects.aggregate(last=Max("id"))["last"] or 0
