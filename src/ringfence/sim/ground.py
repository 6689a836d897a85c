"""Places on the ground, and steps in metres between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ringfence.geo.metric import metric_at


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in WGS84 degrees."""

    lon: float
    lat: float

    def moved(self, east_m: float, north_m: float) -> Spot:
        """The place so many metres east and north of this one, over a few kilometres at most."""
        per_lon, per_lat, _, _ = metric_at(self.lat)
        return Spot(self.lon + east_m / per_lon, self.lat + north_m / per_lat)

    def to(self, other: Spot) -> tuple[float, float]:
        """Metres east and north from here to `other`."""
        per_lon, per_lat, _, _ = metric_at((self.lat + other.lat) / 2)
        return (other.lon - self.lon) * per_lon, (other.lat - self.lat) * per_lat

    def distance_m(self, other: Spot) -> float:
        """Metres from here to `other`."""
        return math.hypot(*self.to(other))

    def position(self) -> list[float]:
        """As in GeoJSON, rounded as the engine stores it."""
        return [round(self.lon, 7), round(self.lat, 7)]


def course_deg(east_m: float, north_m: float) -> float:
    """Degrees clockwise from north of a step."""
    return math.degrees(math.atan2(east_m, north_m)) % 360
