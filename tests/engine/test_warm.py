"""What is compiled at install is all that Python calls: no user waits for the compiler."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import ringfence
from ringfence.engine import compiling, warm
from ringfence.geo.compiled import Later

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


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


def test_nothing_that_python_calls_is_left_to_compile() -> None:
    """In a process of its own, and again in another, where all must be at rest."""
    assert "ringfence.sim.truth.contains_many" in asked_by_python()
    script = (
        "from tests.engine.test_warm import asked_by_python\n"
        "from ringfence.engine.warm import warm\n"
        "warm()\n"
        "for name, asked in asked_by_python().items():\n"
        "    compiled = sum(asked.whole.stats.cache_misses.values())\n"
        "    print(name, len(asked.whole.signatures), compiled)\n"
    )
    root = Path(__file__).parents[2]
    warm.warm()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root
    )
    for line in done.stdout.splitlines():
        name, signatures, compiled = line.split()
        assert int(signatures) > 0, f"{name}: warm() does not ask it"
        assert int(compiled) == 0, f"{name}: not kept on disk"
