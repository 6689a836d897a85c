"""Names of fields that must not reach a log, an audit row or an error: whom and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PRIVATE = frozenset(
    {
        "lat", "lon", "lat_e7", "lon_e7", "latitude", "longitude", "position", "geometry",
        "coordinates", "address", "name", "full_name", "username", "email", "phone", "crn",
        "nomis", "pnc", "peer", "ip", "ip_address", "raw", "body", "token", "password", "session",
    }
)  # fmt: skip


def private_names(value: Mapping[str, Any]) -> list[str]:
    """Which fields of `value`, however deep, are private, in order of their names."""
    return sorted(set(_walk(value)))


def _walk(value: object) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in PRIVATE:
                yield key
            yield from _walk(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _walk(inner)
