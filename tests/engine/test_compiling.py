"""Compiled code is never older than the law."""

from __future__ import annotations

from pathlib import Path

import ringfence.engine.compiling as c


def test_files_said_to_hold_nothing_compiled_hold_nothing_compiled() -> None:
    for name in c.NOT_COMPILED:
        text = (c.ROOMS[0] / name).read_text() if (c.ROOMS[0] / name).exists() else ""
        assert "@compiled" not in text
        assert "@inner" not in text
        assert "@merged" not in text


def test_what_is_compiled_takes_nothing_from_files_said_to_be_apart() -> None:
    for path in c.ROOMS[0].glob("*.py"):
        text = path.read_text()
        if "@inner" in text or "@merged" in text:
            for name in c.NOT_COMPILED:
                assert f"ringfence.engine.{Path(name).stem} import" not in text, path.name


def test_a_changed_source_drops_compiled_code(tmp_path, monkeypatch) -> None:
    (tmp_path / "__pycache__").mkdir()
    stale = tmp_path / "__pycache__" / "kernel.run-1.py311.1.nbc"
    source = tmp_path / "law.py"
    source.write_text("LIMIT = 1\n")
    monkeypatch.setattr(c, "ROOMS", (tmp_path, tmp_path))
    c.drop_stale()
    stale.write_text("machine code")
    c.drop_stale()
    assert stale.exists(), "nothing changed"
    source.write_text("LIMIT = 2\n")
    c.drop_stale()
    assert not stale.exists()
