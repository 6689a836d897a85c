"""The protocols that devices speak over TCP, and the codec of each."""

from __future__ import annotations

from typing import Final

from ringfence.gateway.codecs import queclink
from ringfence.gateway.frames import Codec

CODECS: Final[dict[str, Codec]] = {codec.name: codec for codec in (queclink.CODEC,)}
"""By the name of their protocol."""
