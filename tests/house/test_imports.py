"""import-linter holds the floors and rooms; a new folder fails until it is placed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT, SOURCE, modules


def test_imports_only_go_down() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:]


def test_spark_is_imported_nowhere_yet() -> None:
    guilty = [str(p) for p in modules() if "import pyspark" in p.read_text()]
    assert not guilty


def test_engine_imports_in_a_second() -> None:
    """Judged by what it loads, not by the clock: neither numba, pandas, pyarrow nor Django."""
    script = (
        "import sys, ringfence.engine;"
        "slow = ('numba', 'django', 'pyarrow', 'pandas', 'asyncio');"
        "print([m for m in slow if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=SOURCE
    )
    loaded = result.stdout.strip()
    assert "django" not in loaded
    assert "numba" not in loaded
    assert "pandas" not in loaded
    assert "pyarrow" not in loaded
