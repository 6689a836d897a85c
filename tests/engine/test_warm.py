"""What is compiled at install is all that Python calls: no user waits for the compiler."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import ringfence
from ringfence.engine import compiling
from ringfence.geo.compiled import Later


def asked_by_python() -> dict[str, Later]:
    """Compiled functions that a module has which holds no compiled code, so that Python calls."""
    found = {}
    for told in pkgutil.walk_packages(ringfence.__path__, "ringfence."):
        room, _, name = told.name.removeprefix("ringfence.").partition(".")
        if told.ispkg or room not in ("engine", "geo", "trail", "sim"):
            continue
        if room == "engine" and f"{name}.py" not in compiling.NOT_COMPILED | {"hindsight.py"}:
            continue
        module = importlib.import_module(told.name)
        text = Path(str(module.__file__)).read_text()
        if room == "geo" and "@compiled" in text:
            continue
        found |= {
            f"{told.name}.{key}": value
            for key, value in vars(module).items()
            if isinstance(value, Later)
        }
    return found


SCRIPT = """
from tests.engine.test_warm import asked_by_python
from ringfence.engine.warm import warm
warm()
for name, asked in asked_by_python().items():
    print(name, len(asked.whole.signatures), sum(asked.whole.stats.cache_misses.values()))
"""


def told_by_a_fresh_process() -> dict[str, tuple[int, int]]:
    """Of each function: how many signatures `warm()` asked, and how many it had to compile."""
    as_installed = {k: v for k, v in os.environ.items() if k != "NUMBA_DISABLE_JIT"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=as_installed,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return {name: (int(signatures), int(compiled)) for name, signatures, compiled in lines}


def test_nothing_that_python_calls_is_left_to_compile() -> None:
    """A process that compiles what isn't on disk yet keeps it: the next finds all of it there."""
    told = told_by_a_fresh_process()
    if any(compiled for _, compiled in told.values()):
        told = told_by_a_fresh_process()
    assert "ringfence.sim.truth.contains_many" in told
    for name, (signatures, compiled) in told.items():
        assert signatures > 0, f"{name}: warm() does not ask it"
        assert compiled == 0, f"{name}: not kept on disk"
