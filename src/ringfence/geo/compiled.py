"""The one way in which this project compiles a function."""

from __future__ import annotations

import os
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")

OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy"}


class Later:
    """A function that numba compiles, or finds compiled on disk, when it is first needed.

    numba's import takes 1.4 s of CPU. Who only reads conditions, draws a map or asks for help
    doesn't wait for it (bench/start.py).
    """

    def __init__(self, function: Callable[..., object], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.py_func = function
        self._options = options

    @cached_property
    def dispatcher(self) -> Any:
        """The object that numba makes of it, once."""
        from numba import njit  # noqa: PLC0415 -- the import that is put off

        return njit(**self._options)(self.py_func)

    def __call__(self, *args: object) -> object:
        """Call it from Python."""
        return self.dispatcher(*args)

    @property
    def targetoptions(self) -> dict[str, Any]:
        """What the compiler asks of a function that may be made part of its caller."""
        return self._options

    @property
    def _numba_type_(self) -> Any:
        """What the compiler asks of a value that it doesn't know: here, a compiled function."""
        return self.dispatcher._numba_type_


def later(function: F, options: dict[str, Any]) -> F:
    """`function`, to be compiled by these options; as it is where numba is switched off."""
    if int(os.environ.get("NUMBA_DISABLE_JIT") or 0):
        return function
    return cast("F", Later(function, options))


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
    return later(function, OPTIONS | {"_nrt": False})


def compiled_maker(function: F) -> F:
    """As `compiled`, for a function that makes arrays."""
    return later(function, OPTIONS)
