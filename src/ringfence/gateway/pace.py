"""How many reports a tag may send: a tag that loops must not starve the others or fill the disk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ringfence.engine.fix import Signal
from ringfence.gateway.report import FUTURE_MS, Report

AT_ONCE = 10_000
"""Reports that a tag may send at once: a week in a fix a minute, kept while it had no network."""
PER_S = 2.0
"""… and a second after that: thirty times what a tag sends while its wearer is in violation (one in
15 s). A tag that loops for a day stores 43 MB at most."""
RESERVED = 500
RESERVED_PER_S = 0.5
"""Of these, what only the address can use from which the tag usually reports: seven times what a
tag sends while its wearer is in violation. A device protocol has no secret, so that a stranger may
spend the rest in its name."""
USUAL_S = 900.0
"""An address that said nothing for so long is not the usual one any more, once another speaks."""
REPORT_BYTES = 2048
"""Bytes that count as one report: what Traccar forwards of one has some 1,200. A body may hold a
megabyte beside its one report, and all of it is kept as evidence: counted by reports alone, one tag
could fill a disk at 37 MB/s."""
ALARMS = int(Signal.STRAP_CUT | Signal.CASE_OPEN)
"""What always opens an alert: it goes on beyond a tag's allowance, or a wearer who floods the doors
in his tag's name would keep his own strap alarm out."""
ALARM_FRESH_MS = 24 * 3_600_000
"""An older one is as likely said again as new."""
ALARMS_AT_ONCE = 500
"""What goes on so, counted as above, and …"""
ALARMS_PER_S = 0.1
"""… again a second: whoever uses it up has raised that alarm himself."""
LONGEST_DEAF_S = 60.0
"""As long as it is asked to wait at most."""
TELL_EVERY_S = 60.0
"""How often it is told that one tag sends too much."""
MOST_TAGS = 100_000
"""Tags remembered; before one more, those whose allowance is whole again are forgotten."""


class Load(NamedTuple):
    """What a delivery takes of an allowance."""

    reports: int
    """Or as many as its bytes count for, if that is more."""
    alarm: bool = False
    """Whether it holds a fresh alarm."""


def load_of(reports: Sequence[Report], raw: bytes, received_ms: int, *, refused: int = 0) -> Load:
    """What these reports, in these bytes, take of their tag's allowance; also what was refused."""
    fresh_ms = received_ms - ALARM_FRESH_MS
    # What is dated later is not judged, so that it raises no alarm.
    alarm = any(
        r.signals & ALARMS and fresh_ms < r.time_ms <= received_ms + FUTURE_MS for r in reports
    )
    return Load(max(len(reports) + refused, math.ceil(len(raw) / REPORT_BYTES)), alarm)


class Bucket:
    """What one tag may still send."""

    __slots__ = ("alarms", "at_s", "deaf_s", "left", "reserve", "told_s", "usual", "usual_s")

    def __init__(self, at_s: float, usual: str) -> None:
        self.left = float(AT_ONCE - RESERVED)
        self.reserve = float(RESERVED)
        self.usual = usual
        """The address from which its tag reports …"""
        self.usual_s = at_s
        """… and when it last did."""
        self.alarms = float(ALARMS_AT_ONCE)
        self.at_s = at_s
        self.told_s = -TELL_EVERY_S
        self.deaf_s = at_s
        """Until then it was asked to wait: what is large is not even read before."""

    def refill(self, now_s: float) -> None:
        """Add what has come in since; what the reserve can't hold is anybody's."""
        since_s = now_s - self.at_s
        kept = min(RESERVED, self.reserve + since_s * RESERVED_PER_S)
        shared = since_s * PER_S - (kept - self.reserve)
        self.reserve = kept
        self.left = min(AT_ONCE - RESERVED, self.left + shared)
        self.alarms = min(ALARMS_AT_ONCE, self.alarms + since_s * ALARMS_PER_S)
        self.at_s = now_s

    def hear(self, peer: str) -> bool:
        """Note that `peer` speaks; return whether it may use the reserve."""
        if peer != self.usual and self.at_s - self.usual_s >= USUAL_S:
            self.usual = peer
        if peer == self.usual:
            self.usual_s = self.at_s
        return peer == self.usual

    def take(self, reports: float) -> None:
        """Take so many; the reserve goes last."""
        self.left -= reports
        if self.left < 0:
            lent = min(self.reserve, -self.left)
            self.reserve -= lent
            self.left += lent


class Pace:
    """An allowance for each tag, whatever doors it uses; duplicates count, too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, Bucket] = {}

    def wait_s(self, tag: int, load: Load, peer: str = "") -> float:
        """Take `load` from the allowance of tag number `tag`.

        Args:
            tag: its number.
            load: what it sent.
            peer: the address that it came from, where nothing else proves who it is.

        Returns:
            0 when it was granted; else in how many seconds it will be, and nothing is taken.
        """
        bucket = self._bucket(tag, peer)
        usual = bucket.hear(peer)
        left, most = bucket.left, AT_ONCE - RESERVED
        if usual:
            left, most = left + bucket.reserve, AT_ONCE
        # More than it ever holds is granted to a full bucket: a week in one body is no loop.
        if left >= min(load.reports, most):
            if usual:
                bucket.take(load.reports)
            else:
                bucket.left -= load.reports
            return 0.0
        if load.alarm and bucket.alarms >= min(load.reports, ALARMS_AT_ONCE):
            bucket.alarms -= load.reports
            return 0.0
        wait_s = (min(load.reports, most) - left) / (PER_S if usual else PER_S - RESERVED_PER_S)
        bucket.deaf_s = bucket.at_s + min(wait_s, LONGEST_DEAF_S)
        return wait_s

    def spend(self, tag: int, load: Load) -> None:
        """Take `load` from the allowance of this tag, as far as there is any left."""
        bucket = self._bucket(tag)
        bucket.take(min(load.reports, bucket.left + bucket.reserve))

    def spent_s(self, tag: int) -> float:
        """In how many seconds this tag may send one more report; 0 = at once."""
        bucket = self._bucket(tag)
        return max(0.0, (1.0 - bucket.left - bucket.reserve) / PER_S)

    def deaf_s(self, tag: int) -> float:
        """In how many seconds the wait is over that this tag was last asked for; 0 = it is."""
        bucket = self._bucket(tag)
        return max(0.0, bucket.deaf_s - bucket.at_s)

    def give_back(self, tag: int, load: Load) -> None:
        """Undo a grant whose reports could not be taken in after all."""
        self._buckets[tag].left += load.reports

    def is_news(self, tag: int) -> bool:
        """Whether it should be told that this tag sends too much: once a minute."""
        bucket = self._buckets[tag]
        if bucket.at_s - bucket.told_s < TELL_EVERY_S:
            return False
        bucket.told_s = bucket.at_s
        return True

    def _bucket(self, tag: int, peer: str = "") -> Bucket:
        """This tag's, as it stands now."""
        now_s = self._clock()
        bucket = self._buckets.get(tag)
        if bucket is None:
            if len(self._buckets) >= MOST_TAGS:
                self._forget(now_s)
            bucket = self._buckets[tag] = Bucket(now_s, peer)
        bucket.refill(now_s)
        return bucket

    def _forget(self, now_s: float) -> None:
        whole = [
            tag
            for tag, b in self._buckets.items()
            if b.left + b.reserve + (now_s - b.at_s) * PER_S >= AT_ONCE
            and now_s - b.told_s >= TELL_EVERY_S
        ]
        for tag in whole:
            del self._buckets[tag]
