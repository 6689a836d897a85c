"""Which devices may speak, and for which tag: what the doors of device protocols ask."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ringfence.gateway.frames import DeviceModel
from ringfence.gateway.report import KnownTag


class Device(NamedTuple):
    """A device on the list: whose it is, and its make."""

    tag: KnownTag
    model: DeviceModel


class Devices(Protocol):
    """The list. Called on the event loop for each frame; never blocks it."""

    def find(self, protocol: str, device: str) -> Device | None:
        """The device that names itself so in this protocol; None = nobody registered it."""

    def tag_named(self, name: str) -> KnownTag | None:
        """The tag of this name, unless it is revoked."""
