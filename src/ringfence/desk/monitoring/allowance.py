"""How much undecodable input is kept, so that nobody can fill the disk with it."""

from __future__ import annotations

RAW_KEPT = 64 * 1024
"""Of one body, at most its first 64 KiB."""
ROW_BYTES = 512
"""What a row costs beside its raw bytes."""


class Allowance:
    """A bucket of bytes that refills steadily.

    4 MiB at once and 8 KiB a second after that: 0.7 GB a day under steady attack. A firmware that
    sends a bad frame of 300 bytes each minute on 200 tags uses a third of it.
    """

    def __init__(self, now_s: float, *, burst: float = 4 << 20, per_s: float = 8 << 10) -> None:
        self._burst = burst
        self._per_s = per_s
        self._left = float(burst)
        self._at_s = now_s

    def grant(self, size: int, now_s: float) -> bool:
        """Take `size` raw bytes and their row from the bucket, if it holds as much.

        Args:
            size: raw bytes to keep.
            now_s: a monotonic clock, seconds.
        """
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        cost = size + ROW_BYTES
        if cost > self._left:
            return False
        self._left -= cost
        return True
