"""How much of the past is stored while one round of judging goes on, where both are one process.

Thousands of tags that come back at once can fill the database faster than it is read, and take the
processor from who reads; live reports would then wait to be found among the rest. So what tags kept
is stored in portions, one a round. They wait for their answers meanwhile: nothing is lost.
"""

from __future__ import annotations

import time

MOST = 4_000
"""Reports of the past that are stored in one round of judging."""
PATIENCE_S = 1.0
"""A round that takes longer keeps nobody waiting: a stage that fails must not close the doors."""


class Pacing:
    """Tells the inbox's writer when it may go on with the past; one thread on either side."""

    def __init__(self) -> None:
        self._rounds = 0
        self._seen = 0
        self._stored = 0
        self._since_s = 0.0

    def round_begins(self) -> None:
        """Judging begins to read anew: what is stored by now will be found."""
        self._rounds += 1

    def may_store(self) -> bool:
        """Whether more of the past may be stored now; always, where nobody judges."""
        at_s = time.monotonic()
        if self._rounds != self._seen or at_s - self._since_s >= PATIENCE_S:
            self._seen, self._stored, self._since_s = self._rounds, 0, at_s
        return self._stored < MOST or not self._rounds

    def stored(self, reports: int) -> None:
        """So many of the past are stored."""
        self._stored += reports


pacing = Pacing()
"""Of this process."""
