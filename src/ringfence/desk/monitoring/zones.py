"""Zones as maps show them: outline, buffer, and a label that names no place."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from ringfence.desk.cases.models import ConditionVersion
from ringfence.desk.kit.clock import now
from ringfence.desk.kit.words import kind
from ringfence.geo.drawing import buffered, outline
from ringfence.geo.shapes import parse_shape

Feature = dict[str, Any]


def versions_in_force(
    at: datetime, wearers: Collection[int] | None = None
) -> QuerySet[ConditionVersion]:
    """The version of each condition that says what holds at `at`; ended conditions have none."""
    latest = ConditionVersion.objects.order_by("-version").filter(
        condition=OuterRef("condition"), effective_at__lte=at
    )
    rows = ConditionVersion.objects.filter(
        Q(to_at__isnull=True) | Q(to_at__gt=at), pk=Subquery(latest.values("pk")[:1])
    )
    if wearers is not None:
        rows = rows.filter(condition__order__wearer__in=wearers)
    return rows.select_related("condition__victim", "condition__order__wearer").order_by(
        "condition__key"
    )


def zone_label(version: ConditionVersion) -> str:
    """What a map may write on a zone: “Protected zone V3” where it protects a victim."""
    condition = version.condition
    if condition.victim is not None:
        return f"Protected zone {condition.victim.label}"
    return str(condition.title) or kind(condition.kind)


def zones_geojson(
    *, wearers: Collection[int] | None = None, versions: Collection[int] | None = None
) -> dict[str, Any]:
    """Zones and buffers as a GeoJSON FeatureCollection.

    Args:
        wearers: ids of the wearers whose zones hold now; None = everybody's.
        versions: instead, these very versions, in force or not (an alert's page).
    """
    if versions is None:
        rows = versions_in_force(now(), wearers)
    else:
        rows = ConditionVersion.objects.filter(pk__in=versions).select_related("condition__victim")
    features = [f for row in rows if row.geometry for f in _features(row)]
    return {"type": "FeatureCollection", "features": features}


def _features(row: ConditionVersion) -> list[Feature]:
    said = {"label": zone_label(row), "kind": row.condition.kind, "condition": row.condition.key}
    zone, ring = _drawn(json.dumps(row.geometry), row.radius_m, row.width_m, row.buffer_m)
    made = [{"type": "Feature", "properties": {**said, "part": "zone"}, "geometry": zone}]
    if ring is not None:
        # The buffer lies under the zone: it is drawn first.
        made.insert(
            0, {"type": "Feature", "properties": {**said, "part": "buffer"}, "geometry": ring}
        )
    return made


@lru_cache(maxsize=4096)
def _drawn(
    geometry: str, radius_m: float | None, width_m: float | None, buffer_m: float
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    shape = parse_shape(json.loads(geometry), radius_m=radius_m, width_m=width_m)
    return outline(shape), buffered(shape, buffer_m) if buffer_m > 0 else None
