"""Reports into rows: many deliveries in one transaction, each report once.

Written for speed where the rest of the desk is written for reading: plain SQL of several rows a
statement, since one statement a row would hand the interpreter's lock to and fro for each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from ringfence.desk.kit.turns import writing
from ringfence.desk.monitoring.allowance import RAW_KEPT
from ringfence.desk.monitoring.models import Frame, Quarantine, fingerprint
from ringfence.desk.monitoring.models import Report as Row
from ringfence.gateway.report import (
    FUTURE_MS,
    Delivery,
    Receipt,
    Report,
    SetApart,
    kept_digest,
)

STATEMENT_ROWS = (512, 64, 8, 1)
"""Few different statements, so that each stays prepared. SQLite takes 32,766 values in one; 512
rows of 17 columns hold the interpreter's lock for half a millisecond and leave it for two."""

# What Python's sqlite3 does not take as it is costs it a search for an adapter, each time: five
# times what a number costs. None finds one here, and bytes go in as a bytearray.
sqlite3.register_adapter(type(None), lambda none: none)


class Table(NamedTuple):
    """A table, and those of its columns that are written."""

    name: str
    columns: tuple[str, ...]
    over: str = ""
    """The column by which a row replaces another; empty = what is there already stays."""


_FRAMES = Table(
    Frame._meta.db_table, ("id", "tag_id", "door", "peer", "received_ms", "raw", "sha256")
)
_REPORTS = Table(Row._meta.db_table, ("frame_id", "tag_id", "received_ms", *Report._fields))


def store(deliveries: Sequence[Delivery], apart: Sequence[SetApart] = ()) -> list[Receipt]:
    """Store and commit, durably; the one writer of these tables.

    Returns:
        A receipt for each delivery, in order.

    Raises:
        django.db.Error: nothing is stored.
        OverflowError: a value no column can hold; nothing is stored.
    """
    if connection.connection is None:
        _prepare()
    with writing, transaction.atomic(durable=True):
        if apart:
            Quarantine.objects.bulk_create([_quarantined(item) for item in apart])
        return store_within(deliveries)


def store_within(deliveries: Sequence[Delivery]) -> list[Receipt]:
    """As `store`, within a transaction that the caller commits."""
    if not deliveries:
        return []
    with connection.cursor() as cursor, connection.wrap_database_errors:
        return _store(cursor.connection.cursor(), deliveries)


def _prepare() -> None:
    """Set up a new connection for writing much."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # A fifth of the time went into looking up parents that can't be missing: the frame
            # was inserted just before, and no action deletes a tag.
            cursor.execute("PRAGMA foreign_keys=OFF")
            # 64 MiB: pages of tags that report again soon are copied into the database once.
            cursor.execute("PRAGMA wal_autocheckpoint=16384")


def _store(cursor: Any, deliveries: Sequence[Delivery]) -> list[Receipt]:
    # One writer at a time, so these ids can't be taken in between.
    last_frame = _latest_id(cursor, _FRAMES.name)
    last_report = _latest_id(cursor, _REPORTS.name)
    frames: list[Any] = []
    reports: list[Any] = []
    for frame_id, d in enumerate(deliveries, last_frame + 1):
        raw = d.raw
        frames += (frame_id, d.tag.id, d.door, d.peer, d.received_ms, bytearray(raw))
        frames.append(bytearray(fingerprint(raw)))
        head = (frame_id, d.tag.id, d.received_ms)
        early_ms = d.received_ms + FUTURE_MS
        for report in d.reports:
            reports += head
            if report.time_ms > early_ms:
                reports.append(kept_digest(report, d.received_ms))
                reports += report[1:]
            else:
                reports += report
    insert(cursor, _FRAMES, frames)
    new = insert(cursor, _REPORTS, reports)
    if new * len(_REPORTS.columns) == len(reports):
        return [Receipt(len(d.reports), 0) for d in deliveries]
    return _sorted_out(cursor, deliveries, last_frame, last_report)


def _sorted_out(
    cursor: Any, deliveries: Sequence[Delivery], last_frame: int, last_report: int
) -> list[Receipt]:
    """Which deliveries held something new; the frames of those that did not are not kept."""
    mark = _mark()
    cursor.execute(
        f"SELECT frame_id, count(*) FROM {_REPORTS.name} WHERE id > {mark} GROUP BY frame_id",  # noqa: S608
        (last_report,),
    )
    new = dict(cursor.fetchall())
    receipts = []
    for frame_id, d in enumerate(deliveries, last_frame + 1):
        accepted = new.get(frame_id, 0)
        receipts.append(Receipt(accepted, len(d.reports) - accepted))
        if not accepted:
            cursor.execute(f"DELETE FROM {_FRAMES.name} WHERE id = {mark}", (frame_id,))  # noqa: S608
    return receipts


def insert(cursor: Any, table: Table, values: list[Any]) -> int:
    """Insert rows given as one flat list.

    Args:
        cursor: the driver's own, within a transaction.
        table: where, and which columns.
        values: of all rows, one after the other; bytes as a bytearray.

    Returns:
        How many were not there before, or replaced what was.
    """
    new = 0
    for part in _parts(len(values), len(table.columns)):
        chunk = values[part]
        cursor.execute(_insert_sql(table, len(chunk) // len(table.columns)), chunk)
        new += cursor.rowcount
    return new


def _parts(length: int, width: int) -> Iterator[slice]:
    start = 0
    for rows in STATEMENT_ROWS:
        while length - start >= rows * width:
            yield slice(start, start + rows * width)
            start += rows * width


_statements: dict[tuple[str, int, str], str] = {}


def _insert_sql(table: Table, rows: int) -> str:
    key = (table.name, rows, _mark())
    if key not in _statements:
        one = "(" + ",".join([key[2]] * len(table.columns)) + ")"
        conflict = "ON CONFLICT DO NOTHING"
        if table.over:
            new = ",".join(f"{name}=excluded.{name}" for name in table.columns)
            conflict = f"ON CONFLICT ({table.over}) DO UPDATE SET {new}"
        _statements[key] = (
            f"INSERT INTO {table.name} ({','.join(table.columns)}) VALUES "  # noqa: S608 -- names are ours
            f"{','.join([one] * rows)} {conflict}"
        )
    return _statements[key]


def _latest_id(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 -- names are ours
    return int(cursor.fetchone()[0])


def _mark() -> str:
    return "?" if connection.vendor == "sqlite" else "%s"


def _quarantined(item: SetApart) -> Quarantine:
    raw = item.raw[:RAW_KEPT]
    return Quarantine(
        door=item.door,
        peer=item.peer,
        received_ms=item.received_ms,
        reason=item.reason,
        detail=item.detail[:400],
        raw=raw,
        size=len(item.raw),
        sha256=fingerprint(raw),
        tag_id=item.tag.id if item.tag else None,
        feed_id=item.feed.id if item.feed else None,
    )
