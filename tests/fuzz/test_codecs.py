"""Each codec under a fuzzer that follows the code; `FUZZ_SECONDS=600` for as long as that each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
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

    thrown(["tests.fuzz.codecs", protocol], seeds(protocol), tmp_path)


@pytest.mark.heavy
def test_no_bytes_break_the_framing_of_mqtt(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="`make heavy` installs the fuzzer")
    from tests.fuzz.mqtt import SEEDS  # noqa: PLC0415 -- needs the fuzzer

    thrown(["tests.fuzz.mqtt"], [b"\x80" + seed for seed in SEEDS], tmp_path)


def thrown(at: list[str], seeds: Sequence[bytes], tmp_path: Path) -> None:
    for number, seed in enumerate(seeds):
        (tmp_path / f"seed-{number}").write_bytes(seed)
    fuzzer = [sys.executable, "-m", *at]
    fuzzer += [f"-max_total_time={SECONDS}", "-max_len=8448"]
    fuzzer += ["-rss_limit_mb=1024", f"-artifact_prefix={tmp_path}/", str(tmp_path)]
    ran = subprocess.run(
        fuzzer, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 120, check=False
    )
    told = [line for line in (ran.stdout + ran.stderr).splitlines() if line[:1] != "#"]
    assert ran.returncode == 0, "\n".join(told[-40:])
    assert "Done" in ran.stderr
