"""The Ministry's position rows under our names, in whatever spelling they come.

`position_gps_date`, `GPS Date`, `gpsDate`; `speed`, `Speed (km/h)`. A file is the Ministry's if it
has a GPS date: only then is a bare `speed` known to be in km/h.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MINISTRY: Final = {
    "deviceid": "tag",
    "gpsdate": "time",
    "gpsdatetime": "time",
    "latitude": "lat",
    "longitude": "lon",
    "precision": "accuracy_m",
    "speed": "speed_kmh",
    "direction": "course_deg",
    "satellite": "satellites",
    "satellites": "satellites",
    "hdop": "hdop",
    "lbs": "mechanism",
    "mechanism": "mechanism",
    "geolocationmechanism": "mechanism",
}
GPS_DATES: Final = frozenset({"gpsdate", "gpsdatetime"})
_BRACKETED: Final = re.compile(r"\([^)]*\)|\[[^]]*\]")


def our_names(names: Sequence[str]) -> list[str]:
    """What we call a file's columns; a name that is not the Ministry's stays, trimmed."""
    trimmed = [name.strip() for name in names]
    keys = [_key(name) for name in trimmed]
    if not GPS_DATES & set(keys):
        return trimmed
    ours = [MINISTRY.get(key, name) for key, name in zip(keys, trimmed, strict=True)]
    # A column that bears our name already goes before one that means it.
    return [name if our in trimmed else our for our, name in zip(ours, trimmed, strict=True)]


def _key(name: str) -> str:
    letters = re.sub(r"[^a-z0-9]", "", _BRACKETED.sub("", name).lower())
    return letters.removeprefix("position")
