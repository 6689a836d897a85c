"""The alarm words of Traccar's world: its server, its app, and what speaks their formats.

Its `Position` model lists them. What has no signal of ours (`geofenceEnter`, `overspeed`, …) says
nothing about a tag or its wearer that the platform judges.
"""

from __future__ import annotations

from ringfence.engine.fix import Signal

MOST_WORDS = 32
"""Words of one alarm that are looked at; there are not so many different ones with a signal."""
SIGNALS = {
    "sos": Signal.SOS,
    "removing": Signal.STRAP_CUT,
    "tampering": Signal.CASE_OPEN,
    "lowbattery": Signal.BATTERY_LOW,
    "lowpower": Signal.BATTERY_LOW,
    "poweroff": Signal.POWER_OFF,
    "powercut": Signal.POWER_CUT,
    "poweron": Signal.POWER_ON,
    "jamming": Signal.GNSS_JAMMED,
    "gpsantennacut": Signal.GNSS_LOST,
    "movement": Signal.MOTION,
}


def signals_of(said: object) -> tuple[int, list[str]]:
    """Read an alarm: a word, words with commas between, or a list of words.

    Returns:
        `Signal` bits, and the words that have none.
    """
    if isinstance(said, str):
        words = said.split(",", MOST_WORDS)
    elif isinstance(said, list):
        words = [word for word in said if isinstance(word, str)][:MOST_WORDS]
    else:
        return 0, []
    bits, others = 0, []
    for word in words:
        signal = SIGNALS.get(word.strip().lower())
        if signal is None:
            others.append(word.strip())
        else:
            bits |= int(signal)
    return bits, [word for word in others if word]
