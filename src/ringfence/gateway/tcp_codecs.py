"""Which codec speaks at which TCP door."""

from __future__ import annotations

from ringfence.gateway.codecs import queclink
from ringfence.gateway.frames import Codec

CODECS: dict[str, Codec] = {codec.name: codec for codec in (queclink.CODEC,)}
"""By the name of their protocol, as `ports.PROTOCOLS` lists them."""
