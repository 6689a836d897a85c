"""Texts that a spreadsheet would take for formulas, kept texts, in CSV files out and in.

A cell that begins with one of these characters may run as a formula when a person opens the file.
OWASP's advice is a single quotation mark before it
(https://owasp.org/www-community/attacks/CSV_Injection). Numbers are no texts: −0.1 stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

if TYPE_CHECKING:
    import pyarrow as pa

_STARTS: Final = r"[=+\-@\t\r\n＝＋－＠]"
_OUT: Final = re.compile(f"'*{_STARTS}")
_IN: Final = f"^'('*{_STARTS})"


def quoted(text: str) -> str:
    """A text as a cell that no spreadsheet runs.

    Also where it begins with such marks already, so that `unquoted` gives every text back.
    """
    return f"'{text}" if _OUT.match(text) else text


def unquoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts from the cells that `quoted` made."""
    return pc.replace_substring_regex(column, _IN, r"\1")
