"""How a violation began, how it ended, and what would make a fix wrong: numbers with names."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class How(IntEnum):
    """How a violation began. From `STRAP_CUT` on they are the device rules, in slot order."""

    ENTERED = 0
    PRESENT_AT_START = 1
    LEFT = 2
    ABSENT_AT_START = 3
    ABSENT = 4
    LATE = 5
    APPROACHED = 6
    STRAP_CUT = 8
    CASE_OPEN = 9
    POWER_OFF = 10
    BATTERY_LOW = 11
    BATTERY_CRITICAL = 12
    SILENCE = 13
    NO_FIX = 14
    GNSS_JAMMED = 15
    GNSS_SPOOFED = 16
    NETWORK_JAMMED = 17
    """Another way in which a suspicion of jamming begins; it has no slot of its own, …"""
    MOCK_POSITION = 18
    """… nor has this one of false positions, …"""
    POWER_CUT = 19
    """… nor this one of a tag that goes off."""


FIRST_DEVICE = int(How.STRAP_CUT)
DEVICE_RULES = int(How.GNSS_SPOOFED) - FIRST_DEVICE + 1
DEVICE_KIND = {
    How.STRAP_CUT: "tamper",
    How.CASE_OPEN: "tamper",
    How.POWER_OFF: "tamper",
    How.BATTERY_LOW: "battery",
    How.BATTERY_CRITICAL: "battery",
    How.SILENCE: "silence",
    How.NO_FIX: "no_fix",
    How.GNSS_JAMMED: "suspected_jamming",
    How.GNSS_SPOOFED: "suspected_spoofing",
    How.POWER_CUT: "tamper",
    How.NETWORK_JAMMED: "suspected_jamming",
    How.MOCK_POSITION: "suspected_spoofing",
}


class EndedBy(IntEnum):
    """What ended a violation."""

    OPEN = 0
    LEFT = 1
    RETURNED = 2
    ENTERED = 3
    """The ring is left inwards."""
    CLEARED = 4
    """It was only possible, and turned out not to be."""
    CONDITION_ENDED = 5
    AUTHORISED = 6
    NO_DATA = 7
    """It was only possible, and no fix came to decide it."""
    REPORTED = 8
    LOCATED = 9
    CHARGED = 10
    INSPECTED = 11
    """A person looked at the tag."""
    AGREED = 12
    """Satellite fixes and others agree again."""


class Doubt(IntFlag):
    """What may be wrong with a fix. Those in `DISBELIEVED` keep it from deciding anything."""

    NULL_ISLAND = 1 << 0
    IMPOSSIBLE_SPEED = 1 << 1
    JUMP = 1 << 2
    TWO_PLACES = 1 << 3
    FROZEN = 1 << 4
    NO_ACCURACY = 1 << 5
    CELL = 1 << 6
    FROM_REST = 1 << 7
    BEFORE_GAP = 1 << 8
    """Not of a fix: the violation lasted over a time without fixes."""
    STRAP_OK = 1 << 9
    """Not of a fix: the tag says that its strap is well again."""
    CROSSING = 1 << 10
    """Not of a fix: no fix was past the edge, only the way between two."""
    FIRST_KNOWN = 1 << 11
    """Not of a fix: nothing was known before it, so how and when it began is not."""
    UNSTEADY = 1 << 12
    """Of a pair: the other side's place rests on one fix."""
    AGED = 1 << 13
    """Of a pair: since its last fix, the other side may have gone past the edge, or back."""
    STILL = 1 << 14
    """Of a pair, not of a fix: the wearer's own tag was at rest when the two were nearest."""
    BATTERY_FLAT = 1 << 15
    """Of a silence: the tag had said that its battery was critically low."""
    SWITCHED_OFF = 1 << 16
    """Of a silence: the tag had said that it was switching off."""
    TELEPORTED = 1 << 17
    """Of a suspicion of false satellites: two sure places, and too far between them."""
    MOCKED = 1 << 18
    """The phone itself says that an app made the place up: it is not taken in as one."""
    BORNE_OUT = 1 << 19
    """It agrees with the fix before it, which was doubted for the way to it until then."""


DISBELIEVED = int(
    Doubt.NULL_ISLAND
    | Doubt.IMPOSSIBLE_SPEED
    | Doubt.JUMP
    | Doubt.TWO_PLACES
    | Doubt.FROZEN
    | Doubt.UNSTEADY
    | Doubt.AGED
    | Doubt.MOCKED
)
