"""The manual is complete: every command, setting, page, metric and event is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from django.urls import URLPattern, URLResolver, get_resolver

from ringfence.cli import app
from ringfence.desk.audit.events import Event
from ringfence.engine import profiles
from tests.house.source import ROOT, SOURCE, modules

MANUAL = {p.name: p.read_text() for p in sorted((ROOT / "docs").glob("*.md"))}
ALL = "\n".join([*MANUAL.values(), (ROOT / "README.md").read_text()])


def commands(command: Any, path: str = "ringfence") -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from commands(child, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_its_options_are_in_the_manual(path: str) -> None:
    text = MANUAL["commands.md"]
    assert f"`{path}" in text or f"\n{path}" in text, f"docs/commands.md lacks {path}"
    for option in COMMANDS[path].params:
        for name in option.opts:
            if name.startswith("--") and name != "--help":
                assert name in text, f"docs/commands.md lacks {path} {name}"


def test_every_make_target_is_in_the_manual() -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    missing = [
        t for t in targets if f"make {t}" not in ALL + (ROOT / "CONTRIBUTING.md").read_text()
    ]
    assert not missing


def test_every_setting_is_in_the_manual() -> None:
    used = {name for p in modules() for name in re.findall(r"\bRINGFENCE_[A-Z_]+\b", p.read_text())}
    missing = sorted(name for name in used if f"`{name}`" not in MANUAL["settings.md"])
    assert used
    assert not missing


def pages(patterns: list[Any], prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern).lstrip("^/")
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", here)


def test_every_page_is_in_the_manual() -> None:
    missing = [url for url in pages(get_resolver().url_patterns) if f"`{url}`" not in ALL]
    assert not missing, f"docs/pages.md lacks {missing}"


def test_every_audit_event_is_in_the_manual() -> None:
    missing = [event for event in Event if f"`{event}`" not in MANUAL["audit.md"]]
    assert not missing


def test_every_metric_is_in_the_manual() -> None:
    named = set()
    for path in SOURCE.rglob("metrics.py"):
        named |= set(re.findall(r'"(ringfence_[a-z_]+)"', path.read_text()))
    missing = sorted(name for name in named if f"`{name}" not in MANUAL["running.md"])
    assert named
    assert not missing


def test_every_profile_is_in_the_manual() -> None:
    for name in profiles.PROFILES:
        assert f"`{name}" in MANUAL["engine.md"]


def test_the_manuals_links_lead_somewhere() -> None:
    documents = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)} → {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert not broken
