"""How much undecodable input is kept, so that nobody can fill the disk with it."""

from __future__ import annotations

from ringfence.gateway.report import SetApart

RAW_KEPT = 64 * 1024
"""Of one body, at most its first 64 KiB."""
TOO_MANY = "too_many"
"""The reason under which it is kept apart that a tag sends more than it may."""
ROW_BYTES = 512
"""What a row costs beside its raw bytes."""
OWN_BURST = 512 << 10
OWN_PER_S = 1 << 10
"""Of one known sender, within what all have together: an eighth of it, so that one who sends
rubbish leaves room for what others' tags say, and for the word that he sends too much."""


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


class Allowances:
    """Strangers have one, known senders another, and each of these one of its own within it."""

    def __init__(self, now_s: float) -> None:
        self._all = {known: Allowance(now_s) for known in (True, False)}
        self._own: dict[tuple[str, int], Allowance] = {}

    def grant(self, item: SetApart, now_s: float) -> bool:
        """Whether `item` may be kept; takes it from whoever's it is."""
        size = min(len(item.raw), RAW_KEPT)
        sender = item.tag or item.feed
        if sender is not None:
            key = type(sender).__name__, sender.id
            own = self._own.get(key)
            if own is None:
                own = Allowance(now_s, burst=OWN_BURST, per_s=OWN_PER_S)
                self._own[key] = own
            # Word that a tag sends too much is one a minute: rubbish before it must not hide it.
            if item.reason != TOO_MANY and not own.grant(size, now_s):
                return False
        return self._all[item.sender_known].grant(size, now_s)
