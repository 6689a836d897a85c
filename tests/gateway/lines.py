"""A tiny device protocol for tests: `device@second` and a newline; `ok` and its number answer it.

`login device` says who it is, answered `hello`; `beat` wants `beat` back and says nothing; what
begins with `!` can't be used, with `?` is a strap alarm without a time.
"""

from __future__ import annotations

from ringfence.engine.fix import Signal
from ringfence.gateway.devices import Device
from ringfence.gateway.frames import Codec, DeviceModel, Heard, ModelOf
from ringfence.gateway.report import KnownTag, seal

NOWHERE = (None,) * 3


def report(second: int):
    return seal((second, 1_772_360_000_000 + 1000 * second, *NOWHERE, 0, *NOWHERE, *NOWHERE, 1))


class Talk:
    def __init__(self, model_of: ModelOf) -> None:
        self.model_of = model_of
        self.rest = b""
        self.device: str | None = None

    @property
    def unfinished(self) -> int:
        return len(self.rest)

    def receive(self, data: bytes) -> list[Heard]:
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [self.heard(line) for line in lines]

    def heard(self, line: bytes) -> Heard:
        text = line.decode()
        if text.startswith("login "):
            self.device = text.removeprefix("login ")
            return Heard(line, self.device, reply=b"hello\n")
        if text.startswith("!"):
            return Heard(line, self.device, error="it begins with !")
        if text.startswith("?"):
            signals = int(Signal.STRAP_CUT)
            return Heard(line, self.device, reply=b"heard\n", error="no time", undated=signals)
        if text == "beat":
            return Heard(line, self.device, reply=b"beat\n")
        device, _, second = text.rpartition("@")
        return Heard(
            line, device or self.device, (report(int(second)),), reply=b"ok %d\n" % int(second)
        )


CODEC = Codec("lines", lambda model_of, _unnamed: Talk(model_of), refusal=b"go away\n")


class Registered:
    """Devices d1 … of tags T1 …; others are strangers."""

    def __init__(self, *devices: str) -> None:
        self.devices = {
            name: Device(KnownTag(n, f"T{n}"), DeviceModel()) for n, name in enumerate(devices, 1)
        }

    def find(self, protocol: str, device: str) -> Device | None:
        return self.devices.get(device) if protocol == "lines" else None

    def tag_named(self, name: str) -> KnownTag | None:
        return next((d.tag for d in self.devices.values() if d.tag.name == name), None)
