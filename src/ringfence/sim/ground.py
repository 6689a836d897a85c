"""Places on the ground: degrees and metres over the size of a town."""

from __future__ import annotations

import math
from dataclasses import dataclass

_FLAT = 1 / 298.257223563
_EQUATOR_M = 6_378_137.0
_E2 = _FLAT * (2 - _FLAT)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in WGS84 degrees."""

    lon: float
    lat: float

    def moved(self, east_m: float, north_m: float) -> Spot:
        """The place so many metres east and north of this one."""
        per_lon, per_lat = metres_per_degree(self.lat)
        return Spot(self.lon + east_m / per_lon, self.lat + north_m / per_lat)

    def to(self, other: Spot) -> tuple[float, float]:
        """Metres east and north from here to `other`."""
        per_lon, per_lat = metres_per_degree((self.lat + other.lat) / 2)
        return (other.lon - self.lon) * per_lon, (other.lat - self.lat) * per_lat

    def distance_m(self, other: Spot) -> float:
        """Metres from here to `other`."""
        return math.hypot(*self.to(other))

    def position(self) -> list[float]:
        """As in GeoJSON, rounded as the engine stores it."""
        return [round(self.lon, 7), round(self.lat, 7)]


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres in one degree of longitude and of latitude there, on the WGS84 ellipsoid."""
    sine = math.sin(math.radians(lat))
    w2 = 1 - _E2 * sine * sine
    prime_m = _EQUATOR_M / math.sqrt(w2)
    meridian_m = prime_m * (1 - _E2) / w2
    return math.radians(prime_m * math.cos(math.radians(lat))), math.radians(meridian_m)


def course_deg(east_m: float, north_m: float) -> float:
    """Degrees clockwise from north of a step."""
    return math.degrees(math.atan2(east_m, north_m)) % 360
