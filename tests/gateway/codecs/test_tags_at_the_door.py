"""Tags at their TCP door: answered after the commit, turned away in their maker's way."""

from __future__ import annotations

from ringfence.gateway.codecs import megastek, teltonika
from ringfence.gateway.devices import Device
from ringfence.gateway.dialogue import Dialogue, House
from ringfence.gateway.frames import Codec
from ringfence.gateway.pace import Pace
from tests.gateway.codecs.tag_frames import IMEI, login, mgv, packet, record
from tests.gateway.lines import Registered
from tests.gateway.test_dialogue import Cable, Later


class Known(Registered):
    """Registered by whatever protocol."""

    def find(self, protocol: str, device: str) -> Device | None:
        return self.devices.get(device)


class Door:
    def __init__(self, codec: Codec, *devices: str) -> None:
        self.inbox, self.cable = Later(), Cable()
        house = House(codec, self.inbox, Known(*devices), Pace(lambda: 0.0))
        self.dialogue = Dialogue(house, self.cable, "192.0.2.1:4000")

    def hear(self, data: bytes) -> bytes:
        """What is answered at once."""
        before = len(self.cable.sent)
        self.dialogue.receive(data)
        return self.cable.sent[before:]


def test_a_teltonika_device_is_answered_only_after_the_commit() -> None:
    door = Door(teltonika.CODEC, IMEI)
    assert door.hear(b"\xff" + login()) == b"\x01"
    assert door.hear(packet([record(), record(at_ms=1)])) == b""
    door.inbox.commit()
    assert door.cable.sent == b"\x01\x00\x00\x00\x02"


def test_a_teltonika_device_that_nobody_registered_hears_00() -> None:
    door = Door(teltonika.CODEC, "350000000000099")
    assert door.hear(login()) == b"\x00"
    assert door.cable.closed


def test_a_damaged_packet_is_kept_apart_and_not_answered() -> None:
    door = Door(teltonika.CODEC, IMEI)
    door.hear(login())
    damaged = packet([record()])[:-1] + b"\x55"
    assert door.hear(damaged) == b""
    assert [item.raw for item in door.inbox.apart] == [damaged]
    assert not door.inbox.waiting
    assert not door.cable.closed


def test_a_record_that_cannot_be_stored_holds_up_no_other() -> None:
    door = Door(teltonika.CODEC, IMEI)
    door.hear(login())
    frame = packet([record(at_ms=2**63), record()])
    assert door.hear(frame) == b""
    door.inbox.commit()
    assert door.cable.sent[1:] == b"\x00\x00\x00\x02"
    assert [len(d.reports) for d in door.inbox.stored] == [1]
    assert [item.raw for item in door.inbox.apart] == [frame]


def test_tags_that_wait_for_no_answer_get_none() -> None:
    door = Door(megastek.CODEC, "350000000000025")
    assert door.hear(mgv() * 2) == b""
    door.inbox.commit()
    assert door.cable.sent == b""
    assert len(door.inbox.stored) == 2
