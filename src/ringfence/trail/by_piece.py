"""Judge a long Parquet file a piece at a time, in little memory.

The violations are those of the whole file at once, to the digit: how a trail is chopped means
nothing. It takes a file in which each wearer's rows stand in order of time, as ours do. What turns
out to be otherwise, or names victims' devices, is read whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from ringfence.engine import (
    Batch,
    ConditionError,
    compile_plan,
    evaluate,
    initial_state,
    violations,
)
from ringfence.engine.replay import YEAR_MS
from ringfence.engine.states import END
from ringfence.trail.instants import from_ms, to_ms
from ringfence.trail.judging import (
    Files,
    InputError,
    Judgement,
    judge,
    read_files,
    refuse_roles,
)
from ringfence.trail.parquet_fixes import BUFFER, parquet_pieces
from ringfence.trail.readers import Kind, kind_of
from ringfence.trail.rows import Fixes, to_fixes
from ringfence.trail.table import Columns, FixesFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ringfence.engine import Plan, State

ROWS: Final = 262_144
"""Of a piece; a file with no more than this is read whole."""


class Survey(NamedTuple):
    """What is known of a file before its rows are read."""

    wearers: tuple[str, ...]
    first_ms: int
    last_ms: int


class _NotInOrderError(Exception):
    """The file must be read whole."""


def judge_files(
    conditions: Path,
    fixes: Path,
    *,
    signals: Path | None = None,
    profile: str = "standard",
    until: str | None = None,
    change: Callable[[Files], Files] = lambda files: files,
) -> tuple[Files, Judgement]:
    """Read all the input and judge it, long files in order a piece at a time.

    `change` puts other conditions or another profile in the place of those that were read.

    Returns:
        What was read (of a long file no fixes, but which rows were refused), and what was found.

    Raises:
        InputError: one line per fault.
    """
    survey = None if signals else survey_of(fixes)
    if survey is not None:
        files = change(read_files(conditions, None, profile=profile, until=until))
        try:
            return judge_by_piece(fixes, survey, files)
        except _NotInOrderError:
            pass
        except FixesFileError as error:
            raise InputError([f"{fixes}: {error}"]) from None
        except OSError as error:
            raise InputError([f"{fixes}: {error.strerror or 'can not be read'}"]) from None
    files = change(read_files(conditions, fixes, signals=signals, profile=profile, until=until))
    return files, judge(files)


def survey_of(path: Path) -> Survey | None:
    """Wearers and times of a long Parquet file, from its statistics; None = read it whole."""
    try:
        if kind_of(path) is not Kind.PARQUET:
            return None
        with parquet.ParquetFile(path, buffer_size=BUFFER) as file:
            if file.metadata.num_rows <= ROWS:
                return None
            empty = file.schema_arrow.empty_table()
            columns = Columns(empty)
            to_fixes(empty, np.arange(0))  # says what is missing
            wearer, span = columns.theirs("wearer"), _span_ms(file, columns)
        if columns.theirs("role") or wearer is None or span is None:
            return None
        return Survey(_wearers(path, wearer), *span)
    except (FixesFileError, OSError, pa.ArrowException):
        return None  # who reads it whole says what is wrong with it


def _span_ms(file: Any, columns: Columns) -> tuple[int, int] | None:
    """First and last instant; None where they are not known, or stand a year apart."""
    name = columns.theirs("time_ms") or columns.theirs("time")
    if name is None or str(file.schema_arrow.field(name).type) == "string":
        return None
    spans = []
    for group in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(group)
        for c in range(about.num_columns):
            if about.column(c).path_in_schema == name:
                told = about.column(c).statistics
                if told is None or not told.has_min_max:
                    return None
                spans.append((_as_ms(told.min), _as_ms(told.max)))
    spans.sort()
    last_ms = spans[0][1]
    for low_ms, high_ms in spans:
        if low_ms - last_ms > YEAR_MS or high_ms - low_ms > YEAR_MS:
            return None  # a clock is wrong, and only all the times tell which
        last_ms = max(last_ms, high_ms)
    return spans[0][0], last_ms


def _as_ms(said: Any) -> int:
    return int(said) if isinstance(said, int) else to_ms(said)


def _wearers(path: Path, column: str) -> tuple[str, ...]:
    names: set[str] = set()
    with parquet.ParquetFile(path, buffer_size=BUFFER, read_dictionary=[column]) as file:
        for batch in file.iter_batches(ROWS, columns=[column]):
            coded = batch.column(0).cast(pa.dictionary(pa.int32(), pa.string()))
            names.update(name.strip() for name in coded.dictionary.to_pylist() if name)
    return tuple(sorted(names - {""}))


def judge_by_piece(path: Path, survey: Survey, files: Files) -> tuple[Files, Judgement]:
    """Judge a surveyed file; arguments and errors as `judge`.

    Raises:
        _NotInOrderError: a wearer's rows do not stand in order of time.
    """
    until_ms = survey.last_ms if files.until_at is None else to_ms(files.until_at)
    try:
        plan = compile_plan(
            files.conditions,
            files.profile,
            start_at=from_ms(min(survey.first_ms, until_ms)),
            end_at=from_ms(until_ms),
            wearers=survey.wearers,
        )
    except ConditionError as error:
        raise InputError([str(error)]) from None
    reading = _Reading(plan, initial_state(plan), until_ms)
    for piece in parquet_pieces(path, rows=ROWS):
        reading.take(to_fixes(piece.table, piece.numbers))
    files = replace(files, fixes=reading.fixes)
    refuse_roles(files)
    return files, reading.finish(None if files.until_at is None else until_ms)


class _Reading:
    """A file that is being judged."""

    def __init__(self, plan: Plan, state: State, until_ms: int) -> None:
        self.plan, self.state, self.until_ms = plan, state, until_ms
        self.fixes = Fixes(Batch.empty(), ())
        self.after = 0
        self.ended: list[np.recarray] = []
        self.times: tuple[int, int] | None = None

    def take(self, fixes: Fixes) -> None:
        """Judge one piece."""
        so_far = self.fixes
        self.fixes = Fixes(
            so_far.batch,
            tuple(sorted({*so_far.wearers, *fixes.wearers})),
            refused=(*so_far.refused, *fixes.refused),
            read=so_far.read + fixes.read,
        )
        if not len(fixes.batch):
            return
        items = fixes.numbered(self.plan.wearers)
        self._note(int(items.time_ms.min()), int(items.time_ms.max()))
        after = items.time_ms > self.until_ms
        self.after += int(after.sum())
        items = items.take(~after) if after.any() else items
        result = evaluate(self.plan, self.state, items, in_place=True)
        if result.late.any():
            raise _NotInOrderError
        self.ended.append(result.events[result.events.act == END])

    def _note(self, first_ms: int, last_ms: int) -> None:
        """The first and last instant of what is not refused."""
        if self.times is not None:
            first_ms, last_ms = min(first_ms, self.times[0]), max(last_ms, self.times[1])
        self.times = first_ms, last_ms

    def finish(self, until_ms: int | None) -> Judgement:
        """Advance the clocks to the end, and tell all that was found."""
        if self.times is None:
            return Judgement((), 0, 0, 0)
        if until_ms is None:
            until_ms = self.times[1]
        result = evaluate(self.plan, self.state, Batch.empty(), until_ms, in_place=True)
        events = np.concatenate([*self.ended, result.events]).view(np.recarray)
        found = violations(self.plan, events, self.state)
        return Judgement(tuple(found), len(self.fixes.wearers), self.after, 0)
