"""Who comes in through the doors of devices: how many, and by what certificate."""

from __future__ import annotations

import asyncio
from collections import Counter

from ringfence.gateway.ports import Limits


def common_name(transport: asyncio.BaseTransport) -> str:
    """Whom the certificate that the other end showed is made out to; empty = it showed none."""
    certificate = transport.get_extra_info("peercert") or {}
    for (name, value), *_ in certificate.get("subject", ()):
        if name == "commonName":
            return str(value)
    return ""


class Guests:
    """Counts who is in."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._in = 0
        self._from: Counter[str] = Counter()

    def arrive(self, address: str) -> str | None:
        """Count one more, also who is not let in: it must `leave`, too.

        Returns:
            Why it is not let in; None = it is.
        """
        crowded = self._from[address] >= self.limits.per_address
        self._from[address] += 1
        self._in += 1
        if crowded:
            return "too_many_from_address"
        return "too_many" if self._in > self.limits.connections else None

    def leave(self, address: str) -> None:
        """Count one less."""
        self._in -= 1
        self._from[address] -= 1
        if self._from[address] <= 0:
            del self._from[address]
