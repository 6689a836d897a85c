"""How compiled code is put together: parts are optimised once, in the whole that they end up in.

numba makes every function a library of its own: all that it calls is linked in, optimised and made
machine code, and so again for each caller, up to the door that Python calls. For what only compiled
code calls that is work for nothing: here it stays as it was lowered until a whole is made.

Imported with numba, by `compiled`, when something is compiled or found compiled.
"""
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import typed_passes
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import register_pass

ENVIRONMENT: Final = re.compile(r"_ZN08NumbaEnv[^\"\s,)]*")
"""The name of a global that points to what a function needs of Python."""


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
        # Names tell every type, ten thousand letters each: longer to load than the code itself.
        for number, function in enumerate(self._final_module.functions):
            if function.linkage == binding.Linkage.linkonce_odr:
                function.linkage = binding.Linkage.internal
                function.name = f"part_{number}"
        self._drop_unused_environments()
        super()._optimize_final_module()

    def _drop_unused_environments(self) -> None:
        """Let go of the places for Python's objects that each part has and hardly any uses."""
        mentions = Counter(ENVIRONMENT.findall(str(self._final_module)))
        for told in self._final_module.global_variables:
            if mentions[told.name] == 1:
                told.linkage = binding.Linkage.internal

    def serialize_using_object_code(self) -> tuple[str, str, tuple[bytes, bytes]]:
        """The machine code, and the names that it defines: nobody links a whole into anything."""
        self._ensure_finalized()
        names = ir.Module(self.name)
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage != binding.Linkage.internal:
                body = ir.Function(names, ir.FunctionType(ir.VoidType(), []), function.name)
                ir.IRBuilder(body.append_basic_block()).ret_void()
        for told in self._final_module.global_variables:
            if not told.is_declaration and told.linkage != binding.Linkage.internal:
                ir.GlobalVariable(names, ir.IntType(8), told.name).initializer = ir.IntType(8)(0)
        return self.name, "object", (self._get_compiled_object(), _as_bitcode(names))


def _as_bitcode(module: ir.Module) -> bytes:
    bitcode: bytes = binding.parse_assembly(str(module)).as_bitcode()
    return bitcode


class WholeCache(FunctionCache):
    """Wholes at rest, found without all that numba can compile being made ready first."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """As numba's, but for `target_context.refresh()`, which is for who compiles.

        That takes longer than all else. What is compiled after all refreshes by itself.
        """
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def kept(whole: Any) -> Any:
    """A compiled function whose machine code is kept on disk."""
    whole._cache = WholeCache(whole.py_func)
    return whole


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
