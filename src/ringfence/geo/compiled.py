"""The one way in which this project compiles a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")

OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy"}


def compiled(function: F) -> F:
    """Compile `function` with numba on its first call, and keep the result on disk.

    It must also run as plain Python (`NUMBA_DISABLE_JIT=1`): that is how it is covered and
    debugged. Division by zero gives inf or nan as in numpy, and the lock of the interpreter is
    released. No `fastmath`: the same input must give the same digits everywhere.

    The function may read and write arrays, but not make one: without the run time that counts
    references (`_nrt`), a call is 20 times as cheap, since numba otherwise counts every array of
    a tuple in and out, atomically, at every call (bench/geo.py). `compiled_maker` may make arrays.

    numba looks at this function's own file to decide whether the copy on disk is fresh, not at
    the files of what it calls: after a change in `geo/`, delete the `*.nbi` files of callers.
    """
    return cast("F", njit(**OPTIONS | {"_nrt": False})(function))


def compiled_maker(function: F) -> F:
    """As `compiled`, for a function that makes arrays."""
    return cast("F", njit(**OPTIONS)(function))
