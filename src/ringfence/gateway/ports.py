"""Where the TCP doors listen and how much they let in, as settings say it. Loads nothing heavy."""

from __future__ import annotations

from typing import NamedTuple

MQTT = "mqtt"
PROTOCOLS = ("megastek", "queclink", "r16h", "teltonika")


class Limits(NamedTuple):
    """How much is let in."""

    connections: int = 20_000
    """In all."""
    per_address: int = 2_000
    """From one address: a network's address translation puts hundreds of devices behind one."""
    idle_s: float = 3_900.0
    """A connection that brings no byte for so long is closed: a compliant tag calls in hourly."""
    slow_s: float = 30.0
    """An unfinished frame that is older is given up: its sender holds a place others need."""
    unknown_s: float = 60.0
    """Within this a device must have said who it is."""


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


def read_port(protocol: str, text: str) -> Address:
    """Read `1883` or `0.0.0.0:1883`.

    Raises:
        ValueError: it can't be used, and what to write.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError("must be a port from 0 to 65535, or address:port")
    return Address(protocol, host.strip("[]"), int(port))


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
