"""What is compiled at install is all that Python calls: no user waits for the compiler."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import ringfence
from ringfence.engine import compiling
from ringfence.geo.compiled import Later


def asked_by_python() -> dict[str, Later]:
    """Compiled functions that Python calls: by a module that compiles none, or by plain Python."""
    found = {}
    for told in pkgutil.walk_packages(ringfence.__path__, "ringfence."):
        room, _, name = told.name.removeprefix("ringfence.").partition(".")
        if told.ispkg or room not in ("engine", "geo", "trail", "sim"):
            continue
        module = importlib.import_module(told.name)
        held = {key: value for key, value in vars(module).items() if isinstance(value, Later)}
        text = Path(str(module.__file__)).read_text()
        if "@compiled" in text or (room == "engine" and f"{name}.py" not in compiling.NOT_COMPILED):
            called = names_in_plain_python(module)
            held = {key: value for key, value in held.items() if key in called}
        found |= {f"{told.name}.{key}": value for key, value in held.items()}
    return found


def names_in_plain_python(module: ModuleType) -> set[str]:
    """Every name that a module's functions and methods that are not compiled mention."""
    own = [v for v in vars(module).values() if getattr(v, "__module__", "") == module.__name__]
    methods = [m for v in own if isinstance(v, type) for m in vars(v).values()]
    waiting = [v.__code__ for v in [*own, *methods] if isinstance(v, FunctionType)]
    names: set[str] = set()
    while waiting:
        code = waiting.pop()
        names.update(code.co_names)
        waiting += [told for told in code.co_consts if isinstance(told, CodeType)]
    return names


SCRIPT = """
from tests.engine.test_warm import asked_by_python
from ringfence.engine.warm import warm
warm()
for name, asked in asked_by_python().items():
    print(name, len(asked.whole.signatures), sum(asked.whole.stats.cache_misses.values()))
"""


def said_by_a_fresh_process(script: str) -> str:
    """What a script prints where the compiler is switched on."""
    as_installed = {k: v for k, v in os.environ.items() if k != "NUMBA_DISABLE_JIT"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=as_installed,
    )
    return done.stdout


def told_by_a_fresh_process() -> dict[str, tuple[int, int]]:
    """Of each function: how many signatures `warm()` asked, and how many it had to compile."""
    lines = [line.split() for line in said_by_a_fresh_process(SCRIPT).splitlines()]
    return {name: (int(signatures), int(compiled)) for name, signatures, compiled in lines}


def test_nothing_that_python_calls_is_left_to_compile() -> None:
    """A process that compiles what isn't on disk yet keeps it: the next finds all of it there."""
    told = told_by_a_fresh_process()
    if any(compiled for _, compiled in told.values()):
        told = told_by_a_fresh_process()
    assert {"ringfence.geo.distance._judge", "ringfence.engine.hindsight.flat_m"} <= told.keys()
    for name, (signatures, compiled) in told.items():
        assert signatures > 0, f"{name}: warm() does not ask it"
        assert compiled == 0, f"{name}: not kept on disk"


FOUND_AT_REST = """
import sys
from ringfence.engine.warm import warm
warm()
print("numba" in sys.modules, "numba.np.linalg" in sys.modules)
"""


def test_what_is_at_rest_is_found_without_the_compiler_being_made_ready() -> None:
    """That takes longer than all else of a first judgement (docs/decisions/0049)."""
    told = said_by_a_fresh_process(FOUND_AT_REST)
    if told == "True True\n":  # it compiled what was not on disk yet
        told = said_by_a_fresh_process(FOUND_AT_REST)
    assert told == "True False\n"
