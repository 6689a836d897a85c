"""When a condition applies: weekly times, exceptions and clock changes, as UTC intervals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from ringfence.engine.conditions import DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import time, tzinfo

    from ringfence.engine.conditions import Condition, Weekly

FOREVER_MS = 2**62
"""An end that never comes; far from the edge of int64, so that adding a limit is safe."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARGIN = timedelta(days=9)
"""Longer than a week, so that any weekly time that reaches into a horizon is expanded whole."""


class Span(NamedTuple):
    """From `start_ms` to just before `end_ms`, UTC epoch ms."""

    start_ms: int
    end_ms: int


class InForce(NamedTuple):
    """A span in which the condition binds, and whether an authorised absence ends it."""

    start_ms: int
    end_ms: int
    authorised: bool


def to_ms(at: datetime) -> int:
    """UTC epoch milliseconds of an aware instant."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def in_force_spans(condition: Condition, start_at: datetime, end_at: datetime) -> list[InForce]:
    """Spans in which `condition` binds and which meet the horizon, whole, in order.

    A span is never cut at the horizon: its start and end are its own, however far away, so that
    the choice of horizon can't change a judgement.
    """
    low_ms, high_ms = to_ms(start_at), to_ms(end_at)
    first_at = max(condition.from_at, start_at - MARGIN)
    spans = _spans_from(condition, first_at, end_at + MARGIN)
    if spans and spans[0].start_ms == to_ms(first_at) and first_at > condition.from_at:
        # It has been in force for longer than the margin: only its whole life knows since when.
        spans = _spans_from(condition, condition.from_at, end_at + MARGIN)
    return [s for s in spans if s.end_ms >= low_ms and s.start_ms <= high_ms]


def in_force(condition: Condition, at: datetime) -> bool:
    """Whether `condition` binds at an instant."""
    at_ms = to_ms(at)
    return any(s.start_ms <= at_ms < s.end_ms for s in in_force_spans(condition, at, at))


def _spans_from(condition: Condition, first_at: datetime, last_at: datetime) -> list[InForce]:
    start_ms = to_ms(first_at)
    end_ms = FOREVER_MS if condition.to_at is None else to_ms(condition.to_at)
    if condition.when:
        last_at = min(last_at, condition.to_at or last_at)
        weekly = _expand(condition.when, ZoneInfo(condition.timezone), first_at, last_at)
        bound = [Span(max(s, start_ms), min(e, end_ms)) for s, e in _merged(weekly)]
    else:
        bound = [Span(start_ms, end_ms)]
    absences = _merged(Span(to_ms(a.from_at), to_ms(a.to_at)) for a in condition.absences)
    return [
        piece for span in bound if span.start_ms < span.end_ms for piece in _cut(span, absences)
    ]


def _expand(
    when: tuple[Weekly, ...], zone: tzinfo, first_at: datetime, last_at: datetime
) -> Iterator[Span]:
    """Weekly times as UTC spans, one a local day, from the day before `first_at`."""
    day = first_at.astimezone(zone).date() - timedelta(days=1)
    last = last_at.astimezone(zone).date()
    while day <= last:
        for weekly in when:
            if DAYS[day.weekday()] in weekly.days:
                over = timedelta(days=int(weekly.end <= weekly.start))
                start_ms = _local_ms(day, weekly.start, zone)
                yield Span(start_ms, _local_ms(day + over, weekly.end, zone))
        day += timedelta(days=1)


def _local_ms(day: date, clock: time, zone: tzinfo) -> int:
    """The instant at which a wall clock shows this, by RFC 5545, 3.3.5.

    Of two (clocks go back) the first; of none (clocks go forward) what the clock would have shown
    without the change, so a skipped 01:30 is 02:30 summer time.
    """
    return to_ms(datetime.combine(day, clock, tzinfo=zone).astimezone(UTC))


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Spans that touch or overlap made one, in order: midnight is not a pause in a 24 h rule."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start_ms <= merged[-1].end_ms:
            merged[-1] = Span(merged[-1].start_ms, max(merged[-1].end_ms, span.end_ms))
        elif span.start_ms < span.end_ms:
            merged.append(span)
    return merged


def _cut(span: Span, absences: list[Span]) -> Iterator[InForce]:
    """What the absences leave of a span."""
    start_ms = span.start_ms
    for absence in absences:
        if absence.end_ms <= start_ms or absence.start_ms >= span.end_ms:
            continue
        if absence.start_ms > start_ms:
            yield InForce(start_ms, absence.start_ms, authorised=True)
        start_ms = absence.end_ms
    if start_ms < span.end_ms:
        yield InForce(start_ms, span.end_ms, authorised=False)
