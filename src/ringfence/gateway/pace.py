"""How many reports a tag may send: a tag that loops must not starve the others or fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable

AT_ONCE = 10_000
"""Reports that a tag may send at once: a week in a fix a minute, kept while it had no network."""
PER_S = 2.0
"""… and a second after that: thirty times what a tag sends while its wearer is in violation (one in
15 s). A tag that loops for a day stores 43 MB at most."""
TELL_EVERY_S = 60.0
"""How often it is told that one tag sends too much."""
MOST_TAGS = 100_000
"""Tags remembered; before one more, those whose allowance is whole again are forgotten."""


class Bucket:
    """What one tag may still send."""

    __slots__ = ("at_s", "left", "told_s")

    def __init__(self, at_s: float) -> None:
        self.left = float(AT_ONCE)
        self.at_s = at_s
        self.told_s = -TELL_EVERY_S


class Pace:
    """An allowance for each tag, whatever doors it uses; duplicates count, too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, Bucket] = {}

    def wait_s(self, tag: int, reports: int) -> float:
        """Take `reports` from the allowance of tag number `tag`.

        Returns:
            0 when they were granted; else in how many seconds they will be, and nothing is taken.
        """
        now_s = self._clock()
        bucket = self._buckets.get(tag)
        if bucket is None:
            if len(self._buckets) >= MOST_TAGS:
                self._forget(now_s)
            bucket = self._buckets[tag] = Bucket(now_s)
        bucket.left = min(AT_ONCE, bucket.left + (now_s - bucket.at_s) * PER_S)
        bucket.at_s = now_s
        # More than it ever holds is granted to a full bucket: a week in one body is no loop.
        if bucket.left >= min(reports, AT_ONCE):
            bucket.left -= reports
            return 0.0
        return (min(reports, AT_ONCE) - bucket.left) / PER_S

    def give_back(self, tag: int, reports: int) -> None:
        """Undo a grant whose reports could not be taken in after all."""
        self._buckets[tag].left += reports

    def is_news(self, tag: int) -> bool:
        """Whether it should be told that this tag sends too much: once a minute."""
        bucket = self._buckets[tag]
        if bucket.at_s - bucket.told_s < TELL_EVERY_S:
            return False
        bucket.told_s = bucket.at_s
        return True

    def _forget(self, now_s: float) -> None:
        whole = [
            tag
            for tag, b in self._buckets.items()
            if b.left + (now_s - b.at_s) * PER_S >= AT_ONCE and now_s - b.told_s >= TELL_EVERY_S
        ]
        for tag in whole:
            del self._buckets[tag]
