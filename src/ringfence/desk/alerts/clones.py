"""Two devices that report as one tag: by turns, and from places too far apart. Pure.

A tag that changes networks comes from another address, once. Only who comes back to an address
after another had spoken, again and again, is two; and only if nobody could have travelled between
the places is it sure enough to tell.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

WINDOW_S = 600.0
"""Within which turns and places are compared."""
TURNS = 3
"""Impossible turns in the window before it is told."""
FASTEST_MPS = 100.0
"""Faster than any train: who seems to travel so is two, or flies."""
NEAREST_M = 1_000.0
"""Less than this apart, both circles aside, is no proof whatever the time between."""
UNKNOWN_M = 200.0
"""The circle of a fix whose accuracy is not known."""
MOST_PEERS = 4
"""Connections of a tag that are remembered."""
_M_PER_E7 = 111_320.0 / 1e7


class Sighting(NamedTuple):
    """A fix, and over which connection it came."""

    tag_id: int
    peer: str
    received_ms: int
    time_ms: int
    lat_e7: int
    lon_e7: int
    accuracy_m: float | None


@dataclass(slots=True)
class _Seen:
    by_peer: dict[str, Sighting] = field(default_factory=dict)
    last_peer: str = ""
    turns: deque[int] = field(default_factory=lambda: deque(maxlen=TURNS))
    """When impossible turns were received."""


class Clones:
    """What was seen of late, of each tag."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def see(self, new: Sighting) -> None:
        """Take the next fix in the order of arrival."""
        seen = self._seen.setdefault(new.tag_id, _Seen())
        if seen.last_peer and seen.last_peer != new.peer and new.peer in seen.by_peer:
            other = seen.by_peer[seen.last_peer]
            fresh = new.received_ms - other.received_ms <= WINDOW_S * 1000
            if fresh and is_impossible(other, new):
                seen.turns.append(new.received_ms)
        seen.by_peer.pop(new.peer, None)
        seen.by_peer[new.peer] = new
        seen.last_peer = new.peer
        if len(seen.by_peer) > MOST_PEERS:
            del seen.by_peer[next(iter(seen.by_peer))]

    def suspected(self, now_ms: int) -> list[int]:
        """Tags that are two, as it looks now; forgets what is older than the window."""
        since_ms = now_ms - WINDOW_S * 1000
        for tag_id, seen in list(self._seen.items()):
            if seen.by_peer[seen.last_peer].received_ms < since_ms:
                del self._seen[tag_id]
        return [
            tag_id
            for tag_id, seen in self._seen.items()
            if len(seen.turns) == TURNS and seen.turns[0] >= since_ms
        ]


def is_impossible(one: Sighting, other: Sighting) -> bool:
    """Whether nobody could have been at both, circles and all."""
    north_m = (other.lat_e7 - one.lat_e7) * _M_PER_E7
    round_the_world = (other.lon_e7 - one.lon_e7 + 1_800_000_000) % 3_600_000_000 - 1_800_000_000
    east_m = round_the_world * _M_PER_E7 * math.cos(math.radians(one.lat_e7 / 1e7))
    circles_m = (one.accuracy_m or UNKNOWN_M) + (other.accuracy_m or UNKNOWN_M)
    apart_m = math.hypot(north_m, east_m) - circles_m
    seconds = max(1.0, abs(other.time_ms - one.time_ms) / 1000)
    return apart_m > NEAREST_M and apart_m / seconds > FASTEST_MPS
