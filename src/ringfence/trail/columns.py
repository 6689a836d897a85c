"""One column of a file at a time: whatever type it has there, as an array and a mask of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.trail.instants import InstantError, read_instant, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


class Read(NamedTuple):
    """A column as read: where it is `absent` or `faulty`, `values` mean nothing."""

    values: NDArray[Any]
    absent: Mask
    faulty: Mask


def plain(column: pa.Array) -> pa.Array:
    """The column itself, where a file holds it as numbers into a dictionary."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def as_floats(column: pa.Array) -> Read:
    """Numbers, or texts that are numbers. NaN is a value; empty and null are absent."""
    return _as_numbers(column, pa.float64(), float)


def as_ints(column: pa.Array) -> Read:
    """Whole numbers, or texts that are; of a fraction the whole part, rounded down."""
    column = plain(column)
    if not pa.types.is_floating(column.type):
        read = _as_numbers(column, pa.int64(), int)
        if not read.faulty.any():
            return read
    # Spreadsheets and pandas write whole numbers as 1772359320000.0.
    values, absent, faulty = as_floats(column)
    absent, faulty = absent | np.isnan(values), faulty | ~(np.abs(values) < 2**53)
    faulty &= ~absent
    return Read(np.where(absent | faulty, 0, np.floor(values)).astype(np.int64), absent, faulty)


def as_texts(column: pa.Array) -> tuple[Ints, list[str]]:
    """Codes and the trimmed texts they stand for; null and empty are the text ''.

    Not every text needs have a row: a file's dictionary may hold more than this part of it uses.
    """
    # Each different value is made a text and trimmed once, not once a row.
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = pc.utf8_trim_whitespace(coded.dictionary.cast(pa.string())).fill_null("").to_pylist()
    number = {text: i for i, text in enumerate(dict.fromkeys([*texts, ""]))}
    codes = np.array([*(number[text] for text in texts), number[""]], np.int64)
    indices = coded.indices.cast(pa.int64())
    if indices.null_count:
        indices = indices.fill_null(len(texts))
    return codes[indices.to_numpy(zero_copy_only=False)], list(number)


def as_codes(column: pa.Array, parse: Callable[[str], int]) -> tuple[Ints, dict[int, str]]:
    """Numbers for names: each different text is parsed once.

    Returns the numbers, and for each faulty row's text what `parse` said, keyed by −1 − n: such a
    row holds −1 − n.
    """
    codes, names = as_texts(column)
    numbers = np.zeros(len(names), np.int64)
    faults: dict[int, str] = {}
    for i, name in enumerate(names):
        try:
            numbers[i] = parse(name)
        except ValueError as error:
            numbers[i] = -1 - i
            faults[-1 - i] = str(error)
    return numbers[codes], faults


def as_instants_ms(column: pa.Array) -> tuple[Read, dict[int, str]]:
    """UTC epoch milliseconds from ISO 8601 texts or from timestamps with a time zone.

    Returns the column and what is wrong in each of its faulty rows.
    """
    column = plain(column)
    if pa.types.is_timestamp(column.type):
        return _from_timestamps(column), {}
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    absent = pc.equal(texts.fill_null(""), "").to_numpy(zero_copy_only=False)
    none_wrong = np.zeros(len(texts), np.bool_)
    try:
        known = pc.if_else(pa.array(absent), pa.scalar(None, pa.string()), texts)
        micros = pc.cast(known, pa.timestamp("us", "UTC")).cast(pa.int64()).fill_null(0)
        return Read(micros.to_numpy(zero_copy_only=False) // 1000, absent, none_wrong), {}
    except pa.ArrowInvalid:
        return _one_by_one(texts, absent)


def _from_timestamps(column: pa.Array) -> Read:
    absent = column.is_null().to_numpy(zero_copy_only=False)
    times = column.cast(pa.timestamp("ms", column.type.tz), safe=False).cast(pa.int64())
    values = times.fill_null(0).to_numpy(zero_copy_only=False)
    return Read(values, absent, np.zeros(len(column), np.bool_))


def _one_by_one(texts: pa.Array, absent: Mask) -> tuple[Read, dict[int, str]]:
    values, faulty = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
    why: dict[int, str] = {}
    for i, text in enumerate(texts.to_pylist()):
        if absent[i]:
            continue
        try:
            values[i] = to_ms(read_instant(text))
        except InstantError as error:
            faulty[i] = True
            why[i] = str(error)
    return Read(values, absent, faulty), why


def _as_numbers(column: pa.Array, kind: pa.DataType, parse: Callable[[str], float]) -> Read:
    column = plain(column)
    none_wrong = np.zeros(len(column), np.bool_)
    if pa.types.is_string(column.type):
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    absent = column.is_null().to_numpy(zero_copy_only=False)
    try:
        values = column.cast(kind).fill_null(0).to_numpy(zero_copy_only=False)
        return Read(values, absent, none_wrong)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    values, faulty = np.zeros(len(column), kind.to_pandas_dtype()), none_wrong
    for i, value in enumerate(column.to_pylist()):
        try:
            values[i] = parse(value) if value is not None else 0
        except (ValueError, TypeError, OverflowError):
            faulty[i] = True
    return Read(values, absent, faulty)
