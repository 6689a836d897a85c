"""Where the TCP doors listen, as a setting says it."""

from __future__ import annotations

from typing import NamedTuple

from ringfence.gateway.frames import Codec

CODECS: dict[str, Codec] = {}
"""By the name of their protocol."""
PROTOCOLS = ("megastek", "queclink", "r16h", "teltonika")


class Address(NamedTuple):
    """One port that is to be opened."""

    protocol: str
    host: str
    """Empty: where the pages are."""
    port: int
    """0 = any free one."""


def read_addresses(text: str) -> list[Address]:
    """Read `teltonika:5027, queclink:0.0.0.0:5004, r16h:[::]:5010`.

    Raises:
        ValueError: a part can't be used; the text says why and what to write.
    """
    return [_address(part.strip()) for part in text.split(",") if part.strip()]


def _address(part: str) -> Address:
    protocol, _, rest = part.partition(":")
    host, _, port = rest.rpartition(":")
    if protocol not in PROTOCOLS:
        raise ValueError(f"knows {', '.join(PROTOCOLS)}, not {protocol or 'nothing'}")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(
            f"must say a port from 0 to 65535 after {protocol}:, as in {protocol}:5027"
        )
    return Address(protocol, host.strip("[]"), int(port))
