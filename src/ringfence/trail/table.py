"""A file's table on its way to a batch: its columns by name, and the rows that are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ringfence.trail.schema import ALIASES, KEPT
from ringfence.trail.spellings import our_names

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class FixesFileError(ValueError):
    """A file that can't be used at all; the text says what to do."""


class Refusal(NamedTuple):
    """A row that is not taken."""

    row: int
    """As a person counts: the header of a CSV file is row 1; a Parquet file's first row is 1."""
    why: str


class Piece(NamedTuple):
    """Part of a file, as it stands there: any columns, texts or typed."""

    table: pa.Table
    numbers: NDArray[np.int64]
    """Each row's number, as a person counts."""
    odd: list[Refusal]
    """What is no row at all: too many fields, no fix."""


@dataclass(slots=True)
class Sieve:
    """Collects the first reason against each row."""

    numbers: NDArray[np.int64]
    discreet: bool = False
    """Reasons never show what a row holds, which may be a place."""
    kept: NDArray[np.bool_] = field(init=False)
    refused: list[Refusal] = field(default_factory=list)

    def __post_init__(self) -> None:
        """All rows are kept at first."""
        self.kept = np.ones(len(self.numbers), np.bool_)

    def refuse(self, rows: NDArray[np.bool_], why: str, each: dict[int, str] | None = None) -> None:
        """Refuse rows for one reason; `each` may say it better for some, by index."""
        if not rows.any():
            return
        said = {} if self.discreet else each or {}
        for i in np.flatnonzero(rows & self.kept).tolist():
            self.refused.append(Refusal(int(self.numbers[i]), said.get(i, why)))
        self.kept &= ~rows


class Columns:
    """A table's columns by the contract's names."""

    def __init__(self, table: pa.Table) -> None:
        names = our_names([str(name) for name in table.column_names])
        twice = sorted({name for name in names if names.count(name) > 1 and name})
        if twice:
            raise FixesFileError(f"column {twice[0]} stands twice: keep one of them")
        self.names = names
        self._table = table

    def called(self, name: str) -> pa.Array:
        """The column that the file itself calls so.

        Raises:
            FixesFileError: there is none.
        """
        theirs = [str(n).strip() for n in self._table.column_names]
        if name.strip() not in theirs:
            raise FixesFileError(
                f"no column {name} (there are: {', '.join(theirs) or 'none'}): name one of them"
            )
        return self._table.column(theirs.index(name.strip())).combine_chunks()

    def find(self, name: str) -> pa.Array | None:
        """The column, under any of its aliases, as one array; None = there is none."""
        theirs = self.theirs(name)
        return None if theirs is None else self._table.column(theirs).combine_chunks()

    def theirs(self, name: str) -> str | None:
        """What the file calls a column; None = there is none."""
        for alias in ALIASES.get(name) or KEPT[name]:
            if alias in self.names:
                return str(self._table.column_names[self.names.index(alias)])
        return None

    def need(self, *names: str) -> tuple[str, pa.Array]:
        """The first of these columns that there is.

        Raises:
            FixesFileError: there is none.
        """
        for name in names:
            column = self.find(name)
            if column is not None:
                return name, column
        found = ", ".join(self.names) or "none"
        raise FixesFileError(
            f"no column {' or '.join(names)} (there are: {found}): add it, or rename"
        )
