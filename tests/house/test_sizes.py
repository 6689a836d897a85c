"""The house stays small. Raising a number here is a written decision (docs/decisions/)."""

from __future__ import annotations

import ast
import statistics

from tests.house.source import ROOT, SOURCE, functions, modules

MAX_FILE = 400
MAX_FUNCTION = 45
MAX_ENGINE_FUNCTION = 30
MAX_POSITIONAL = 5
# A kernel's functions take arrays by position: numba has no keyword-only arguments.
KERNEL_ROOMS = ("engine", "geo")
BANNED = {"utils", "helpers", "common", "misc", "manager", "base", "core", "service", "handler"}


def test_no_file_outgrows_its_room() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in modules()
        if (n := len(p.read_text().splitlines())) > MAX_FILE
    }
    assert not long, f"split by idea: {long}"


def test_the_median_file_is_small_but_not_dust() -> None:
    sizes = [n for p in modules() if (n := len(p.read_text().splitlines())) > 3]
    assert 40 <= statistics.median(sizes) <= 170


def test_no_function_outgrows_a_screen() -> None:
    engine = SOURCE / "engine"
    long = [
        (f.where, f.code_lines)
        for f in functions()
        if f.code_lines > (MAX_ENGINE_FUNCTION if engine in f.path.parents else MAX_FUNCTION)
    ]
    assert not long, long


def test_no_function_takes_a_crowd_by_position() -> None:
    crowded = []
    for f in functions():
        if f.path.relative_to(SOURCE).parts[0] in KERNEL_ROOMS and _is_compiled(f.node):
            continue
        names = [a.arg for a in (*f.node.args.posonlyargs, *f.node.args.args)]
        count = len([n for n in names if n not in ("self", "cls")])
        if count > MAX_POSITIONAL and not _is_command(f.node):
            crowded.append((f.where, count))
    assert not crowded, crowded


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [ast.unparse(d) for d in node.decorator_list]


def _is_compiled(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("njit" in d or "compiled" in d for d in _decorators(node))


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(".command(" in d or ".callback(" in d for d in _decorators(node))


def test_nothing_bears_a_name_that_says_nothing() -> None:
    parts = {
        str(p.relative_to(SOURCE))
        for p in modules()
        if BANNED & {part.removesuffix(".py") for part in p.relative_to(SOURCE).parts}
    }
    assert not parts, f"name it after what it knows: {parts}"


PUT_OFF = {SOURCE / "geo" / "compiled.py"}
"""Imports numba when something is judged: docs/decisions/0040."""


def test_imports_stand_at_the_top() -> None:
    late = []
    for f in functions():
        name = f.path.name
        if name.startswith("cli") or name == "apps.py" or f.path in PUT_OFF:
            continue
        late += [f.where for n in ast.walk(f.node) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert not late, late
