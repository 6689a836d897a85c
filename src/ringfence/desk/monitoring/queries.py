"""What live pages and alert pages read of where wearers are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from ringfence.desk.cases.models import Fitting, Wearer
from ringfence.desk.kit.clock import from_ms, now, to_ms
from ringfence.desk.monitoring.doubting import doubts_along
from ringfence.desk.monitoring.models import (
    DESK_DOOR,
    IMPORT_DOOR,
    Cursor,
    Frame,
    LateReports,
    Report,
    Violation,
    WearerState,
)
from ringfence.engine.fix import E7, Signal, Source
from ringfence.gateway.report import FUTURE_MS
from ringfence.gateway.tcp_codecs import CODECS

STAGE = "monitoring.detect"


@dataclass(frozen=True, slots=True)
class LiveFix:
    """Where a wearer was last believed to be."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float | None
    source: str
    speed_mps: float | None
    course_deg: float | None


@dataclass(frozen=True, slots=True)
class LiveWearer:
    """A wearer on the live map and in its table."""

    wearer: Wearer
    standing: str
    """The gravest of the conditions' standings: `clear`, `possible`, `confirmed`, `no_data`."""
    standings: list[dict[str, Any]]
    """`engine.events.Standing` of every condition, as a dict."""
    fix: LiveFix | None
    battery_pct: float | None
    last_report_at: datetime | None
    last_received_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrailPoint:
    """A stored report as a map and a table show it."""

    report_id: int
    at: datetime
    received_at: datetime
    lat: float | None
    """None: the report held no position."""
    lon: float | None
    accuracy_m: float | None
    source: str
    speed_mps: float | None
    course_deg: float | None
    battery_pct: float | None
    signals: list[str]
    judged: bool
    """False: dated from the future, or it made the engine fail; kept, shown, not judged."""
    doubts: tuple[str, ...]
    """Why the engine believes this fix less; plain words."""


def live_wearers() -> list[LiveWearer]:
    """Every wearer with a tag on now, or of whom something was ever judged, in order of CRN."""
    worn = set(Fitting.objects.filter(to_at__isnull=True).values_list("wearer_id", flat=True))
    states = {s.wearer_id: s for s in WearerState.objects.all()}
    wearers = Wearer.objects.filter(pk__in=worn | set(states)).order_by("crn")
    return [_live(wearer, states.get(wearer.pk)) for wearer in wearers]


def live_wearer(wearer: Wearer) -> LiveWearer:
    """One wearer as on the live map."""
    return _live(wearer, WearerState.objects.filter(wearer=wearer).first())


def _live(wearer: Wearer, state: WearerState | None) -> LiveWearer:
    if state is None:
        return LiveWearer(wearer, "no_data", [], None, None, None, None)
    return LiveWearer(
        wearer=wearer,
        standing=state.standing,
        standings=state.standings,
        fix=_live_fix(state.fix) if state.fix else None,
        battery_pct=state.battery_pct,
        last_report_at=_instant(state.last_report_ms),
        last_received_at=_instant(state.last_received_ms),
    )


def _live_fix(fix: dict[str, Any]) -> LiveFix:
    said = {name: value for name, value in fix.items() if name != "time_ms"}
    return LiveFix(at=from_ms(fix["time_ms"]), **said)


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def trail(wearer: Wearer, from_at: datetime, to_at: datetime) -> list[TrailPoint]:
    """Everything that the wearer's tags reported between two instants, in order of time.

    Nothing is left out: doubted fixes carry their doubts, reports that are not judged say so.

    Args:
        wearer: whose.
        from_at: first instant.
        to_at: last instant.
    """
    rows: list[Report] = []
    for fitting in Fitting.objects.filter(wearer=wearer, from_at__lte=to_at):
        first, last = max(from_at, fitting.from_at), to_at
        if fitting.to_at is not None:
            last = min(last, fitting.to_at)
        rows += Report.objects.filter(
            tag=fitting.tag_id, time_ms__gte=to_ms(first), time_ms__lte=to_ms(last)
        ).select_related("poison")
    rows.sort(key=lambda r: (r.time_ms, r.pk))
    judged = [row for row in rows if _is_judged(row)]
    doubts = dict(zip([row.pk for row in judged], doubts_along(judged), strict=True))
    return [_point(row, doubts.get(row.pk)) for row in rows]


def dated_on_arrival(wearer: Wearer, instants: Collection[datetime]) -> set[datetime]:
    """Those instants of alarms of which the tag said no time: they are when the alarm came."""
    fittings = Fitting.objects.filter(wearer=wearer).values("tag")
    rows = Report.objects.filter(
        tag__in=fittings,
        time_ms__in=[to_ms(at) for at in instants],
        received_ms=F("time_ms"),
        # As `gateway.frames.Heard.dated` makes them, and it alone.
        frame__door__in=CODECS,
        seq=None,
        lat_e7=None,
        battery_pct=None,
        signals__gt=0,
    )
    return {from_ms(time_ms) for time_ms in rows.values_list("time_ms", flat=True)}


def _is_judged(row: Report) -> bool:
    return row.time_ms <= row.received_ms + FUTURE_MS and not hasattr(row, "poison")


def _point(row: Report, doubts: tuple[str, ...] | None) -> TrailPoint:
    """A report as pages show it; `doubts` is None where it is not judged."""
    return TrailPoint(
        report_id=row.pk,
        at=from_ms(row.time_ms),
        received_at=from_ms(row.received_ms),
        lat=None if row.lat_e7 is None else row.lat_e7 / E7,
        lon=None if row.lon_e7 is None else row.lon_e7 / E7,
        accuracy_m=row.accuracy_m or None,
        source=Source(row.source).name.lower(),
        speed_mps=row.speed_mps,
        course_deg=row.course_deg,
        battery_pct=row.battery_pct,
        signals=Signal(row.signals).names(),
        judged=doubts is not None,
        doubts=doubts or (),
    )


def violations_of(wearer: Wearer, from_at: datetime, to_at: datetime) -> QuerySet[Violation]:
    """What was found of a wearer between two instants and still stands, in order of begin."""
    return (
        Violation.objects.filter(wearer=wearer, begin_at__lte=to_at, withdrawn_at__isnull=True)
        .exclude(end_at__lt=from_at)
        .order_by("begin_at", "id")
    )


def tampered() -> dict[int, Violation]:
    """The tampers that are not over, latest of each wearer, by the wearer's id."""
    rows = Violation.objects.filter(
        kind="tamper", state="confirmed", end_at__isnull=True, withdrawn_at__isnull=True
    ).order_by("begin_at", "id")
    return {row.wearer_id: row for row in rows}


def oldest_unjudged_ms() -> int | None:
    """When the oldest report that `detect` has not read yet was received; None = none waits."""
    position = Cursor.objects.filter(stage=STAGE).values_list("position", flat=True).first() or 0
    return (
        Report.objects.filter(pk__gt=position)
        .order_by("pk")
        .values_list("received_ms", flat=True)
        .first()
    )


def oldest_late_ms() -> int | None:
    """When the first of the late reports was received that wait for their turn; None = none do."""
    first = LateReports.objects.order_by("received_ms").values_list("received_ms", flat=True)
    return first.first()


def tags_unjudged() -> set[int]:
    """Tags with reports that `detect` has not read yet."""
    position = Cursor.objects.filter(stage=STAGE).values_list("position", flat=True).first() or 0
    unread = Report.objects.filter(pk__gt=position)
    return set(unread.order_by().values_list("tag_id", flat=True).distinct())


def heard_at() -> datetime | None:
    """When a tag last reported, whichever; None = none ever did.

    What people put in, from a file or at the desk, says nothing of whether tags come through.
    """
    sent = Frame.objects.exclude(door__in=(DESK_DOOR, IMPORT_DOOR)).order_by("-pk")
    latest = sent.values_list("received_ms", flat=True).first()
    return None if latest is None else from_ms(latest)


def feed_age_s() -> float | None:
    """Seconds since a tag last reported; None = none ever did. Pages warn past 15 min."""
    last_at = heard_at()
    return None if last_at is None else (now() - last_at).total_seconds()
