"""Compiled code at rest: made once, and thrown away when the law that it was made from changes."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import ringfence.geo
from ringfence.geo.compiled import OPTIONS, later

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_COMPILED = frozenset(
    f"{name}.py"
    for name in (
        "__init__",
        "backtest",
        "comparing",
        "conditions",
        "evaluate",
        "events",
        "explain",
        "hindsight",
        "replay",
        "schedule",
        "standing",
        "state",
        "streams",
        "warm",
    )
)
"""Files that compiled code takes nothing from, held by tests/engine/test_compiling.py."""

F = TypeVar("F", bound="Callable[..., object]")

ROOMS = (Path(__file__).parent, Path(ringfence.geo.__file__).parent)


def inner(function: F) -> F:
    """Compile a function that only compiled functions call: see `geo.parts`.

    Without the door for Python that `geo.compiled` makes. Tests call `.py_func`.
    """
    return later(function, OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True})


def merged(function: F) -> F:
    """As `inner`, for a function with one caller: made part of it before anything is compiled."""
    return later(function, OPTIONS | {"inline": "always"})


def drop_stale() -> None:
    """Delete compiled code that is older than the source of anything that it calls.

    numba compares only a function's own file, so that a change in one file would leave its callers
    in other files deciding by the old law.
    """
    sources = sorted(
        path for room in ROOMS for path in room.glob("*.py") if path.name not in NOT_COMPILED
    )
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.read_bytes())
    stamp = ROOMS[0] / "__pycache__" / "law.sha256"
    with contextlib.suppress(OSError):
        if stamp.is_file() and stamp.read_text() == digest.hexdigest():
            return
        for room in ROOMS:
            for old in (room / "__pycache__").glob("*.nb[ic]"):
                old.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())


drop_stale()
