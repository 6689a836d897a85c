"""CONDITIONS: a GeoJSON FeatureCollection, one feature a condition, as in the contract."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from ringfence.engine.conditions import Absence, Condition, ConditionError, Weekly
from ringfence.trail.instants import InstantError, read_instant

if TYPE_CHECKING:
    from pathlib import Path

KNOWN: Final = frozenset(
    {
        *("wearer", "kind", "from", "to", "when", "except", "timezone", "buffer_m"),
        *("radius_m", "width_m", "victim", "distance_m", "except_places"),
    }
)
ALMOST: Final = 0.75
"""`bufer_m`, `wen`, `exept`, `form`; not `name` or `title`."""
WGS84: Final = ("CRS84", "EPSG::4326", "EPSG:4326")
FAR_FUTURE: Final = datetime.max.replace(tzinfo=UTC)


class ConditionsFileError(ValueError):
    """Conditions that can't be used; `faults` holds one line per fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_conditions(path: Path) -> list[Condition]:
    """Read a CONDITIONS file.

    Raises:
        ConditionsFileError: every fault, with the number of its feature (the first is 1).
        OSError: the file can't be read.
    """
    try:
        # RFC 8259 knows no NaN, but Python's reader does: the shape's own check names the place.
        collection = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ConditionsFileError([f"{path.name}: not UTF-8 text: save it as UTF-8"]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConditionsFileError(
            [f"{path.name}: not JSON at {where}: {error.msg}: correct it there"]
        ) from None
    except RecursionError:
        raise ConditionsFileError(
            [f"{path.name}: nested too deep for GeoJSON: write it again"]
        ) from None
    return read_features(collection)


def read_features(collection: object) -> list[Condition]:
    """Read a FeatureCollection as parsed from JSON.

    A condition given twice for the same wearer is two versions of it, if their times do not
    overlap; the earlier one is version 1.

    Raises:
        ConditionsFileError: every fault, with the number of its feature (the first is 1).
    """
    if not isinstance(collection, Mapping) or collection.get("type") != "FeatureCollection":
        raise ConditionsFileError(
            ['not a GeoJSON FeatureCollection: write {"type": "FeatureCollection", "features": []}']
        )
    features = collection.get("features")
    if not isinstance(features, list):
        raise ConditionsFileError(["features: absent: list one feature for each condition"])
    faults = _crs_faults(collection.get("crs"))
    drawn = _drawn(features)
    found: dict[int, Condition] = {}
    for number, feature in enumerate(features, 1):
        try:
            found[number] = read_feature(feature, drawn)
        except (ConditionError, InstantError) as error:
            faults.append(f"feature {number}{_name_of(feature)}: {error}")
    conditions = _versioned(found, faults)
    if faults:
        raise ConditionsFileError(faults)
    return conditions


def read_feature(feature: object, drawn: Mapping[str, Any] | None = None) -> Condition:
    """Read one feature.

    Args:
        feature: as parsed from JSON.
        drawn: geometries that `except_places` may name, by the ids of their features.

    Raises:
        ConditionError: names the property and says what to do.
    """
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        raise ConditionError('type: not a GeoJSON Feature: write {"type": "Feature", …}')
    told = feature.get("properties")
    if not isinstance(told, Mapping):
        raise ConditionError("properties: absent: give wearer, kind and from")
    _refuse_misspelt(told)
    return Condition(
        id=_text(feature, "id", "give every feature an id of its own"),
        wearer=_text(told, "wearer", "say whose condition this is"),
        kind=told.get("kind"),  # type: ignore[arg-type]  # Condition itself refuses what is no kind
        from_at=_instant(told, "from", needed=True) or FAR_FUTURE,
        to_at=_instant(told, "to"),
        geometry=feature.get("geometry"),
        radius_m=told.get("radius_m"),
        width_m=told.get("width_m"),
        buffer_m=_number(told, "buffer_m") or 0.0,
        when=tuple(_weekly(w, i) for i, w in enumerate(_list(told, "when"), 1)),
        absences=tuple(_absence(a, i) for i, a in enumerate(_list(told, "except"), 1)),
        timezone=_timezone(told),
        victim=None if told.get("victim") is None else str(told["victim"]),
        distance_m=_number(told, "distance_m"),
        except_places=_places(told, drawn or {}),
        extra={name: value for name, value in told.items() if name not in KNOWN},
    )


def _drawn(features: list[object]) -> dict[str, Any]:
    """Each feature's geometry with its sizes, by id, for `except_places` to name."""
    drawn: dict[str, Any] = {}
    for feature in features:
        if not isinstance(feature, Mapping):
            continue
        told, shape = feature.get("properties"), feature.get("geometry")
        if isinstance(told, Mapping) and isinstance(shape, Mapping):
            sizes = {n: told[n] for n in ("radius_m", "width_m") if told.get(n) is not None}
            drawn[str(feature.get("id"))] = {**shape, **sizes}
    return drawn


def _places(told: Mapping[str, Any], drawn: Mapping[str, Any]) -> tuple[Any, ...]:
    """The places in which a proximity is not judged: geometries, or the ids of features."""
    places = []
    for place in _list(told, "except_places"):
        if isinstance(place, (str, int)) and str(place) not in drawn:
            raise ConditionError(
                f"except_places: {str(place)!r} is no feature with a geometry in this file: give "
                "the id of one, or a geometry"
            )
        places.append(drawn[str(place)] if isinstance(place, (str, int)) else place)
    return tuple(places)


def _refuse_misspelt(told: Mapping[str, Any]) -> None:
    """Refuse a name that is almost one of ours: a misspelt `when` would mean *always*.

    Other names are other programs' business, and kept in `Condition.extra`.
    """
    for name in told.keys() - KNOWN:
        meant = get_close_matches(name.lower(), KNOWN, 1, ALMOST)
        if meant and meant[0] not in told:
            raise ConditionError(f"{name}: not a property that is read: did you mean {meant[0]}?")


def _name_of(feature: object) -> str:
    name = feature.get("id") if isinstance(feature, Mapping) else None
    return f" ({name})" if isinstance(name, (str, int)) and name != "" else ""


def _crs_faults(crs: object) -> list[str]:
    if crs is None or any(name in json.dumps(crs, default=str) for name in WGS84):
        return []
    return ["crs: not WGS84: convert the coordinates to longitude and latitude (EPSG:4326)"]


def _versioned(found: dict[int, Condition], faults: list[str]) -> list[Condition]:
    same: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, condition in found.items():
        same[condition.wearer, condition.id].append(number)
    for numbers in same.values():
        numbers.sort(key=lambda n: found[n].from_at)
        for version, number in enumerate(numbers, 1):
            before = found[numbers[version - 2]] if version > 1 else None
            if before and (before.to_at or FAR_FUTURE) > found[number].from_at:
                faults.append(
                    f"feature {number} ({found[number].id}): id: also feature "
                    f"{numbers[version - 2]}'s, and both are in force at once: give each its own "
                    "id, or end one before the other begins"
                )
            if version != found[number].version:
                found[number] = replace(found[number], version=version)
    return list(found.values())


def _text(owner: Mapping[str, Any], name: str, remedy: str) -> str:
    value = owner.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ConditionError(f"{name}: {'absent' if value is None else 'not a text'}: {remedy}")
    return str(value)


def _number(owner: Mapping[str, Any], name: str) -> float | None:
    value = owner.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConditionError(f"{name}: {value!r} is not a number: give metres")
    return float(value)


def _instant(owner: Mapping[str, Any], name: str, *, needed: bool = False) -> datetime | None:
    value = owner.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str):
        shown = "absent" if value is None else f"{value!r} is not an instant"
        raise ConditionError(f"{name}: {shown}: write ISO 8601 such as 2026-03-01T10:02:00Z")
    try:
        return read_instant(value)
    except InstantError as error:
        raise ConditionError(f"{name}: {error}") from None


def _list(owner: Mapping[str, Any], name: str) -> list[Any]:
    value = owner.get(name)
    if value is not None and not isinstance(value, list):
        raise ConditionError(f"{name}: not a list: write [{{…}}, …], or leave it out")
    return value or []


def _timezone(owner: Mapping[str, Any]) -> str:
    value = owner.get("timezone", "Europe/London")
    return value if isinstance(value, str) else ""


def _weekly(value: object, number: int) -> Weekly:
    if not isinstance(value, Mapping) or not isinstance(value.get("days"), list):
        raise ConditionError(
            f'when {number}: write {{"days": ["mon"], "start": "19:00", "end": …}}'
        )
    return Weekly(
        days=tuple(str(day).lower() for day in value["days"]),
        start=_time(value.get("start"), f"when {number}, start"),
        end=_time(value.get("end"), f"when {number}, end"),
    )


def _time(value: object, where: str) -> time:
    try:
        return time.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is no time
    except (ValueError, TypeError):
        raise ConditionError(
            f"{where}: {value!r} is not a time: write 19:00; midnight is 00:00"
        ) from None


def _absence(value: object, number: int) -> Absence:
    if not isinstance(value, Mapping):
        raise ConditionError(f'except {number}: write {{"from": …, "to": …, "why": …}}')
    try:
        begin = _instant(value, "from", needed=True)
        end = _instant(value, "to", needed=True)
        return Absence(begin or FAR_FUTURE, end or FAR_FUTURE, str(value.get("why") or ""))
    except ConditionError as error:
        raise ConditionError(f"except {number}, {error}") from None
