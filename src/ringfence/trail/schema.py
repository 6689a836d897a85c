"""The one Arrow schema of fixes at rest, and the names by which files call its columns."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

INSTANT: Final = pa.timestamp("ms", "UTC")

FIXES: Final = pa.schema(
    [
        ("tag", pa.string()),
        ("wearer", pa.string()),
        ("seq", pa.int64()),
        ("time", INSTANT),
        ("received", INSTANT),
        ("lat_e7", pa.int32()),
        ("lon_e7", pa.int32()),
        ("accuracy_m", pa.float64()),
        ("source", pa.int8()),
        ("speed_mps", pa.float64()),
        ("course_deg", pa.float64()),
        ("altitude_m", pa.float64()),
        ("satellites", pa.int16()),
        ("hdop", pa.float64()),
        ("battery_pct", pa.float64()),
        ("signals", pa.int32()),
        ("not_judged", pa.string()),
        ("doubts", pa.string()),
    ]
)
"""A report: degrees × 1e7, metres, m/s, degrees clockwise from north; null = not said.

Numbers are as wide as they are stored, so that a report which went out and came in again is the
same to the last bit, and is known again. `source` is an `engine.fix.Source`, `signals` are
`engine.fix.Signal` bits. A report without a position has neither `lat_e7` nor `lon_e7`.
`not_judged` is why a kept report took no part in any decision: `future`, `nobody` (no fitting at
its time), `poison`; or `victim`: a victim carried the device then; null = it is a wearer's.
`doubts` is what the engine doubts about it, names separated by spaces, or null; it is for whoever
reads the file: who reads it in judges anew.
"""

CSV_COLUMNS: Final = tuple(
    {"lat_e7": "lat", "lon_e7": "lon"}.get(field.name, field.name) for field in FIXES
)
"""The same in a CSV file: degrees with seven decimals, ISO 8601 instants, names for numbers."""

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "wearer": ("wearer", "subject"),
    "role": ("role",),
    "time": ("time",),
    "time_ms": ("time_ms", "t_ms"),
    "received": ("received",),
    "received_ms": ("received_ms",),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "longitude"),
    "lat_e6": ("lat_e6",),
    "lon_e6": ("lon_e6",),
    "lat_e7": ("lat_e7",),
    "lon_e7": ("lon_e7",),
    "geometry": ("geometry",),
    "accuracy_m": ("accuracy_m", "acc_m"),
    "source": ("source",),
    "mechanism": ("mechanism",),
    "speed_mps": ("speed_mps",),
    "speed_kmh": ("speed_kmh",),
    "course_deg": ("course_deg", "bearing_deg"),
    "signals": ("signals",),
    "kind": ("kind",),
}
"""What is read for judging, by each name under which a file may hold it. Others are ignored."""

KEPT: Final[dict[str, tuple[str, ...]]] = {
    "tag": ("tag",),
    "seq": ("seq",),
    "altitude_m": ("altitude_m", "alt_m"),
    "satellites": ("satellites",),
    "hdop": ("hdop",),
    "battery_pct": ("battery_pct",),
    "not_judged": ("not_judged",),
    "doubts": ("doubts",),
}
"""What no judgement needs, and a report keeps."""
