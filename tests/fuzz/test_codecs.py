"""Each codec under a fuzzer that follows the code; `FUZZ_SECONDS=600` for as long as that each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.gateway.decoding import PROTOCOLS

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))


@pytest.mark.heavy
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_bytes_break_a_codec(protocol: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="`make heavy` installs the fuzzer")
    from tests.fuzz.codecs import seeds  # noqa: PLC0415 -- needs the fuzzer

    for number, seed in enumerate(seeds(protocol)):
        (tmp_path / f"seed-{number}").write_bytes(seed)
    fuzzer = [sys.executable, "-m", "tests.fuzz.codecs", protocol]
    fuzzer += [f"-max_total_time={SECONDS}", "-max_len=8448"]
    fuzzer += ["-rss_limit_mb=1024", f"-artifact_prefix={tmp_path}/", str(tmp_path)]
    ran = subprocess.run(
        fuzzer, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 120, check=False
    )
    told = [line for line in (ran.stdout + ran.stderr).splitlines() if line[:1] != "#"]
    assert ran.returncode == 0, "\n".join(told[-40:])
    assert "Done" in ran.stderr
