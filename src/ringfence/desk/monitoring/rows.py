"""Stored reports as arrays: the one place that reads `Report` in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from django.db import connection

from ringfence.engine.fix import NO_POSITION
from ringfence.gateway.report import FUTURE_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = (
    "r.id, r.tag_id, r.time_ms, r.received_ms, r.lat_e7, r.lon_e7, r.accuracy_m, r.source, "
    "r.speed_mps, r.course_deg, r.signals, r.battery_pct"
)
ROW = np.dtype(
    [
        ("id", np.int64),
        ("tag", np.int64),
        ("time_ms", np.int64),
        ("received_ms", np.int64),
        ("lat_e7", np.int32),
        ("lon_e7", np.int32),
        ("accuracy_m", np.float32),
        ("source", np.int8),
        ("speed_mps", np.float32),
        ("course_deg", np.float32),
        ("signals", np.int32),
        ("battery_pct", np.float32),
        ("wearer", np.int64),
        ("victim", np.int32),
    ]
)
"""A stored report, with the id of the wearer whom it judges (0 = nobody): who wore the tag; or,
where `victim` is not 0, who must keep away from the victim of that number, who carried it."""

Row = TypeVar("Row")
TOGETHER = 500
"""Wearers or spans in one question: one for each took half the stage's time."""

# Set apart once, for ever: no reading sees them again.
SOUND = "NOT EXISTS (SELECT 1 FROM monitoring_poisonreport p WHERE p.report_id = r.id)"


@dataclass(frozen=True, slots=True)
class Worn:
    """Part of a tag's trail: what it reported while one wearer wore it, or a victim carried it."""

    tag_id: int
    wearer_id: int
    from_ms: int
    to_ms: int
    """Not included."""
    victim: int = 0
    """0 = the wearer's own tag; else the number of the victim whose device it is."""


def reports_after(position: int, limit: int) -> NDArray[np.void]:
    """The next reports in order of arrival.

    Args:
        position: id of the last report read.
        limit: most reports to read.

    Returns:
        `ROW` rows in order of id; `wearer` and `victim` are not filled in yet.
    """
    return _rows(
        f"SELECT {COLUMNS} FROM monitoring_report r WHERE r.id > %s AND {SOUND} "  # noqa: S608 -- constants
        "ORDER BY r.id LIMIT %s",
        [position, limit],
    )


def reports_worn(spans: Sequence[Worn], up_to_id: int) -> NDArray[np.void]:
    """What tags reported within the given spans, as far as they had arrived.

    Args:
        spans: whose what was, when.
        up_to_id: id of the last report to be seen.

    Returns:
        `ROW` rows, future ones left out, with `wearer` and `victim` filled in.
    """
    parts = [
        _rows(
            # CROSS JOIN: the spans first, each with one look into the index.
            f"WITH span (tag_id, from_ms, to_ms, wearer_id, victim) AS ({values(some)}) "  # noqa: S608 -- constants
            f"SELECT {COLUMNS}, span.wearer_id, span.victim "
            "FROM span CROSS JOIN monitoring_report r "
            "WHERE r.tag_id = span.tag_id AND r.time_ms >= span.from_ms "
            f"AND r.time_ms < span.to_ms AND r.id <= %s AND {SOUND}",
            [value for one in some for value in one] + [up_to_id],
        )
        for some in batched([(s.tag_id, s.from_ms, s.to_ms, s.wearer_id, s.victim) for s in spans])
    ]
    rows = np.concatenate(parts) if parts else np.empty(0, ROW)
    return rows[~is_future(rows)]


def asked(
    question: str, rows: Sequence[tuple[Any, ...]], more: Sequence[Any] = ()
) -> Iterator[Any]:
    """Ask the database about rows, `TOGETHER` in one question.

    Args:
        question: SQL of constants, with `{values}` where the rows go.
        rows: what it is asked about.
        more: values for what stands behind the rows.
    """
    for some in batched(rows):
        with connection.cursor() as cursor:
            given = [value for one in some for value in one]
            cursor.execute(question.format(values=values(some)), [*given, *more])
            yield from cursor.fetchall()


def values(rows: Sequence[tuple[Any, ...]]) -> str:
    """`VALUES (%s, …), …` for rows that a question is joined with; at most `TOGETHER`."""
    one = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    return "VALUES " + ", ".join([one] * len(rows))


def batched(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The same in parts of `TOGETHER`."""
    for first in range(0, len(rows), TOGETHER):
        yield rows[first : first + TOGETHER]


def by_wearer(rows: NDArray[np.void]) -> dict[int, NDArray[np.void]]:
    """The rows of each wearer, by their ids, in the order in which they stand."""
    if not len(rows):
        return {}
    rows = rows[np.argsort(rows["wearer"], kind="stable")]
    firsts = np.flatnonzero(np.diff(rows["wearer"], prepend=rows["wearer"][0] - 1))
    parts = np.split(rows, firsts[1:])
    return dict(zip(rows["wearer"][firsts].tolist(), parts, strict=True))


def is_future(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which reports are dated too far after their receipt to be judged."""
    future: NDArray[np.bool_] = rows["time_ms"] > rows["received_ms"] + FUTURE_MS
    return future


def _rows(sql: str, values: list[Any]) -> NDArray[np.void]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchall()
    rows = np.empty(len(found), ROW)
    rows["wearer"] = rows["victim"] = 0
    if found:
        columns = list(zip(*found, strict=True))
        for name, column in zip(ROW.names or (), columns, strict=False):
            rows[name] = _column(name, column)
    return rows


def _column(name: str, values: tuple[Any, ...]) -> NDArray[Any]:
    if name in ("lat_e7", "lon_e7"):
        return np.array([NO_POSITION if v is None else v for v in values], np.int32)
    dtype = ROW[name]
    if dtype.kind == "f":
        return np.array(values, np.float64).astype(dtype)  # None becomes NaN
    return np.array(values, dtype)
