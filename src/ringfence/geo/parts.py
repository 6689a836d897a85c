"""How compiled code is put together: parts are optimised once, in the whole that they end up in.

numba makes every function a library of its own: all that it calls is linked in, optimised and made
machine code, and so again for each caller, up to the door that Python calls. For what only compiled
code calls that is work for nothing: here it stays as it was lowered until a whole is made.

Imported with numba, by `compiled`, when something is compiled or found compiled.
"""
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from typing import Any

from llvmlite.binding import Linkage  # type: ignore[import-untyped]
from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import typed_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import register_pass


class Part(JITCodeLibrary):
    """A function that is linked into others, and never run by itself."""

    def add_linking_library(self, library: Any) -> None:
        """Note what this calls; the whole links it."""
        self._linking_libraries.append(library)

    def finalize(self) -> None:
        """Be done: nothing is optimised here, and no machine code made."""
        self._raise_if_finalized()
        self._finalized = True


class Whole(JITCodeLibrary):
    """A function that Python calls, with all parts that it is made of."""

    def finalize(self) -> None:
        """Link the parts of the parts, too, each once; then optimise."""
        seen: dict[Any, None] = {}
        waiting = list(reversed(self._linking_libraries))
        while waiting:
            library = waiting.pop()
            if library not in seen:
                seen[library] = None
                if isinstance(library, Part):
                    waiting += reversed(library._linking_libraries)
        self._linking_libraries = list(seen)
        super().finalize()

    def _optimize_final_module(self) -> None:
        # Nobody else calls this copy: what it doesn't use of its arguments need not be passed.
        for function in self._final_module.functions:
            if function.linkage == Linkage.linkonce_odr:
                function.linkage = Linkage.internal
        super()._optimize_final_module()


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(typed_passes.NativeLowering):
    """Lower a function to a `Part`."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower it; where numba would have machine code, there is a name only."""
        context = state.targetctx
        state.library = Part(context.codegen(), state.func_id.func_qualname)
        state.flags = state.flags.copy()
        state.flags.no_compile = True
        super().run_pass(state)
        lowered, library = state["cr"], state.library
        name = lowered.fndesc.qualname
        door = _dynfunc.make_function(
            lowered.fndesc.lookup_module(), name.split(".")[-1], name, 0, lowered.env, (library,)
        )
        context.insert_user_function(door, lowered.fndesc, [library])
        state["cr"] = _LowerResult(lowered.fndesc, lowered.call_helper, cfunc=door, env=lowered.env)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class WholeLowering(typed_passes.NativeLowering):
    """Lower a function to a `Whole`."""

    _name = "whole_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower, link, optimise, make machine code."""
        state.library = Whole(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


def _compiler(lowering: Any) -> Any:
    class Compiler(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.passes = [
                (lowering, said) if step is typed_passes.NativeLowering else (step, said)
                for step, said in passes.passes
            ]
            passes.finalize()
            return [passes]

    return Compiler


PartCompiler = _compiler(PartLowering)
WholeCompiler = _compiler(WholeLowering)
