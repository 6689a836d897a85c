"""Which codec speaks at which TCP door."""

from __future__ import annotations

from ringfence.gateway.codecs import megastek, queclink, r16h, teltonika
from ringfence.gateway.frames import Codec

CODECS: dict[str, Codec] = {
    codec.name: codec for codec in (megastek.CODEC, queclink.CODEC, r16h.CODEC, teltonika.CODEC)
}
"""By the name of their protocol, as `ports.PROTOCOLS` lists them."""
