"""The one way in which this project compiles a function."""

from __future__ import annotations

import os
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")

OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Without the counting of references: see `compiled`."""


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
    def whole(self) -> Any:
        """What numba makes of it for Python to call: machine code, kept on disk."""
        from numba import njit  # noqa: PLC0415 -- the import that is put off

        from ringfence.geo.parts import WholeCompiler, kept  # noqa: PLC0415 -- the same

        options = {"no_cfunc_wrapper": True} | self._options
        return kept(njit(pipeline_class=WholeCompiler, **options)(self.py_func))

    @cached_property
    def part(self) -> Any:
        """What numba makes of it for compiled code to call: linked into a whole, see `parts`."""
        from numba import njit  # noqa: PLC0415 -- the import that is put off

        from ringfence.geo.parts import PartCompiler  # noqa: PLC0415 -- the same

        doorless = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return njit(pipeline_class=PartCompiler, **(self._options | doorless))(self.py_func)

    def __call__(self, *args: object) -> object:
        """Call it from Python."""
        return self.whole(*args)

    @property
    def targetoptions(self) -> dict[str, Any]:
        """What the compiler asks of a function that may be made part of its caller."""
        return self._options

    @property
    def _numba_type_(self) -> Any:
        """What the compiler asks of a value that it doesn't know: here, a compiled function."""
        return self.part._numba_type_


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
    a tuple in and out, atomically, at every call (bench/geo.py).

    Called by compiled code it is a part of its caller, and made with it (`parts`); for Python it is
    a whole of its own. numba looks at the whole's own file to decide whether the copy on disk is
    fresh, not at the files of what it calls: `engine.compiling.drop_stale` does.
    """
    return later(function, OPTIONS)
