"""MF-JSON, OGC Moving Features (19-045r3): moving points in and out.

Out goes a FeatureCollection in which a feature is a stretch of one tag's trail on one wearer. Its
instants grow strictly, as the standard asks; where a tag said two things at one instant, the next
stretch begins. A value stands at the instants at which it was said: a report without a position is
in `temporalProperties` alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final

from ringfence.engine.fix import E7
from ringfence.trail.fix_row import FixRow, instant_text, signals_text, source_text

STRETCH: Final = 1000
"""Most reports of a feature: as many are in memory at once."""
CRS: Final = {"type": "Name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
TRS: Final = {
    "type": "Link",
    "properties": {
        "type": "ogcdef",
        "href": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
    },
}
FORMS: Final = {
    "accuracy_m": "MTR",
    "altitude_m": "MTR",
    "speed_mps": "MTS",
    "course_deg": "DD",
    "battery_pct": "P1",
    "satellites": "C62",
    "hdop": "C62",
    "seq": "C62",
}
"""Measures, each in its unit as UN/ECE Recommendation 20 codes it."""
Said = Mapping[str, Any]


class NotMovingError(Exception):
    """A feature that can't be used; the text says why."""


def is_moving(feature: object) -> bool:
    """Whether it is a moving feature, or the geometry of one, in either encoding of MF-JSON."""
    if not isinstance(feature, Mapping):
        return False
    told = feature.get("properties")
    in_trajectory = isinstance(told, Mapping) and "datetimes" in told
    return "temporalGeometry" in feature or feature.get("type") == "MovingPoint" or in_trajectory


def moved_fixes(feature: Said) -> Iterator[Said | str]:
    """Every instant of a moving point as the columns of a fix, or why it is none."""
    told = feature.get("properties")
    fixed = {k: v for k, v in told.items() if k != "datetimes"} if isinstance(told, Mapping) else {}
    try:
        rows = _by_instant(feature)
    except NotMovingError as error:
        yield str(error)
        return
    for instant, said in rows.items():
        when = {"time_ms": instant} if isinstance(instant, int) else {"time": instant}
        # `signals` makes it a file of reports, in which one may hold no position.
        yield {"lat": None, "lon": None, "signals": "", **fixed, **said, **when}


def _by_instant(feature: Said) -> dict[Any, dict[str, Any]]:
    """What is said at each instant, in the order of the geometry and then of the properties."""
    rows: dict[Any, dict[str, Any]] = defaultdict(dict)
    for instant, place in _paired(_moving_point(feature), "coordinates"):
        if not isinstance(place, list) or len(place) < 2:
            raise NotMovingError("a coordinate of the moving point is no longitude and latitude")
        rows[instant].update(lon=place[0], lat=place[1])
        if len(place) > 2:
            rows[instant]["altitude_m"] = place[2]
    groups = feature.get("temporalProperties") or []
    for group in groups if isinstance(groups, list) else [groups]:
        if not isinstance(group, Mapping):
            raise NotMovingError("temporalProperties is not a list of objects")
        for name, values in group.items():
            if name == "datetimes" or not isinstance(values, Mapping):
                continue
            for instant, value in _paired({**group, **values}, "values"):
                rows[instant][name] = value
    return rows


def _moving_point(feature: Said) -> Said:
    if feature.get("type") == "MovingPoint":
        return feature
    geometry = feature.get("temporalGeometry")
    if geometry is None:  # MF-JSON Trajectory: a LineString, and its instants among the properties
        line, told = feature.get("geometry"), feature.get("properties")
        if not isinstance(line, Mapping) or line.get("type") != "LineString":
            raise NotMovingError("its geometry is not a LineString with an instant a point")
        return {**line, "datetimes": told["datetimes"] if isinstance(told, Mapping) else None}
    if not isinstance(geometry, Mapping) or geometry.get("type") != "MovingPoint":
        raise NotMovingError("its temporalGeometry is not a MovingPoint: give each tag one")
    return geometry


def _paired(owner: Mapping[str, Any], name: str) -> list[tuple[Any, Any]]:
    instants, values = owner.get("datetimes"), owner.get(name)
    if not isinstance(instants, list) or not isinstance(values, list):
        raise NotMovingError(f"datetimes or {name} is absent or not a list")
    if len(instants) != len(values):
        raise NotMovingError(f"{len(instants)} datetimes for {len(values)} {name}: give one each")
    if not all(isinstance(at, (str, int)) for at in instants):
        raise NotMovingError("a datetime is neither ISO 8601 nor whole milliseconds since 1970")
    return list(zip(instants, values, strict=True))


def write_mf_json(file: IO[bytes], rows: Iterable[FixRow]) -> None:
    """Write rows, given tag by tag in order of time, a feature at a time."""
    head = json.dumps({"type": "FeatureCollection", "crs": CRS, "trs": TRS})
    file.write(f'{head[:-1]}, "features": ['.encode())
    between = "\n"
    for number, stretch in enumerate(_stretches(rows), 1):
        feature = json.dumps(_feature(stretch, number), ensure_ascii=False, separators=(",", ":"))
        file.write(f"{between}{feature}".encode())
        between = ",\n"
    file.write(b"\n]}\n")


def _stretches(rows: Iterable[FixRow]) -> Iterator[list[FixRow]]:
    stretch: list[FixRow] = []
    for row in rows:
        if stretch:
            last = stretch[-1]
            same = (last.tag, last.wearer) == (row.tag, row.wearer)
            if not same or row.time_ms <= last.time_ms or len(stretch) == STRETCH:
                yield stretch
                stretch = []
        stretch.append(row)
    if stretch:
        yield stretch


def _feature(rows: list[FixRow], number: int) -> dict[str, Any]:
    located = [row for row in rows if row.has_position]
    return {
        "type": "Feature",
        "id": str(number),
        "properties": {"tag": rows[0].tag, "wearer": rows[0].wearer},
        "temporalGeometry": {
            "type": "MovingPoint",
            "datetimes": [instant_text(row.time_ms) for row in located],
            "coordinates": [[(r.lon_e7 or 0) / E7, (r.lat_e7 or 0) / E7] for r in located],
            # Nothing is claimed of the time between two reports.
            "interpolation": "Discrete",
        },
        "temporalProperties": _groups(rows),
    }


def _groups(rows: list[FixRow]) -> list[dict[str, Any]]:
    """Properties that were said at the same instants share them."""
    groups: dict[tuple[int, ...], dict[str, Any]] = {}
    for name, values in _properties(rows).items():
        at = tuple(i for i, value in enumerate(values) if value is not None)
        if not at:
            continue
        group = groups.setdefault(at, {"datetimes": [instant_text(rows[i].time_ms) for i in at]})
        kind = {"type": "Measure", "form": FORMS[name]} if name in FORMS else {"type": "Text"}
        group[name] = {**kind, "values": [values[i] for i in at], "interpolation": "Discrete"}
    return list(groups.values())


def _properties(rows: list[FixRow]) -> dict[str, list[Any]]:
    return {
        # Said of every report, so that one that says nothing else is in the file, too.
        "signals": [signals_text(row.signals) for row in rows],
        "received": [instant_text(row.received_ms) or None for row in rows],
        "source": [source_text(row.source) or None for row in rows],
        "not_judged": [row.not_judged or None for row in rows],
        "doubts": [row.doubts or None for row in rows],
        **{name: [getattr(row, name) for row in rows] for name in FORMS},
    }
