"""Shapes as GeoJSON for maps. What a map shows is drawn from these; nothing is judged by them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyproj
import shapely

from ringfence.geo.edges import build_edge_table
from ringfence.geo.shapes import Area, Corridor, Disc, Shape

QUARTER_SEGMENTS: Final = 16
"""A circle drawn with 64 corners is at most 0.12 % of its radius off."""
STEP_DEG: Final = 0.02
"""Edges are straight in degrees, so long ones bend in metres: cut about every 1–2 km first."""

Geometry = dict[str, Any]


def bounds(shape: Shape) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees; a disc's or corridor's box is a little too large."""
    row = build_edge_table([shape]).shapes[0]
    return float(row["west"]), float(row["south"]), float(row["east"]), float(row["north"])


def outline(shape: Shape) -> Geometry:
    """A GeoJSON Polygon or MultiPolygon of the shape; discs and corridors get 64-corner arcs."""
    if isinstance(shape, Area):
        return _as_geojson(_drawn(shape))
    return buffered(shape, 0.0)


def buffered(shape: Shape, metres: float) -> Geometry:
    """The outline grown by `metres` on all sides (0 = as it is): the ring of early warning."""
    seed = _drawn(shape)
    centre = seed.centroid
    there, back = _around(centre.x, centre.y)
    flat = shapely.transform(shapely.segmentize(seed, STEP_DEG), there)
    grown = shapely.buffer(flat, metres + _own_reach_m(shape), quad_segs=QUARTER_SEGMENTS)
    return _as_geojson(shapely.transform(grown, back))


def _own_reach_m(shape: Shape) -> float:
    match shape:
        case Disc(_, radius_m):
            return radius_m
        case Corridor(_, width_m):
            return width_m / 2
    return 0.0


def _drawn(shape: Shape) -> Any:
    match shape:
        case Area(polygons):
            drawn = [shapely.Polygon(rings[0], rings[1:]) for rings in polygons]
            return drawn[0] if len(drawn) == 1 else shapely.MultiPolygon(drawn)
        case Disc(centre, _):
            return shapely.Point(centre)
        case Corridor(line, _):
            return shapely.LineString(line)


def _around(lon: float, lat: float) -> tuple[Any, Any]:
    """Degrees to metres in an equidistant projection about a place, and back."""
    flat = pyproj.CRS(proj="aeqd", lon_0=lon, lat_0=lat, datum="WGS84", units="m")
    pair = pyproj.Transformer.from_crs("EPSG:4326", flat, always_xy=True)

    def there(xy: Any) -> Any:
        return np.column_stack(pair.transform(xy[:, 0], xy[:, 1]))

    def back(xy: Any) -> Any:
        return np.column_stack(pair.transform(xy[:, 0], xy[:, 1], direction="INVERSE"))

    return there, back


def _as_geojson(drawn: Any) -> Geometry:
    """Seven decimals: a centimetre, and what `fix` stores."""
    rounded = shapely.transform(drawn, lambda xy: np.round(xy, 7))
    geometry: Geometry = dict(rounded.__geo_interface__)
    return geometry
