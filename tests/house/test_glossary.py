"""Names use the field's words, and the glossary holds them."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.source import ROOT, SOURCE, modules, tree

GLOSSARY = (ROOT / "GLOSSARY.md").read_text()
WORDS = {w.lower() for w in re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY, re.MULTILINE)}
PLAN_WORDS = [
    *("fix", "report", "wearer", "tag", "fitting", "victim", "order", "condition", "zone"),
    *("buffer", "curfew", "proximity", "violation", "alert", "disposition", "breach", "recall"),
    "disclosure",
]
NOT_OURS = re.compile(r"offender|perpetrator|geofence|tracker|breach", re.IGNORECASE)


def words_of(name: str) -> set[str]:
    return {w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def classes(*paths: str) -> list[str]:
    return [
        node.name
        for pattern in paths
        for path in sorted(SOURCE.glob(pattern))
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


@pytest.mark.parametrize(
    "word",
    PLAN_WORDS,
)
def test_the_words_of_the_plan_are_explained(word: str) -> None:
    assert word in WORDS


@pytest.mark.parametrize(
    "name",
    classes("desk/*/models.py", "engine/fix.py", "engine/conditions.py", "engine/events.py"),
)
def test_a_kind_of_row_or_value_is_named_in_the_glossary(name: str) -> None:
    name = re.sub(r"(Model|QuerySet|Error|Type|Log)$", "", name)
    known = words_of(name) & WORDS or {"guarded", "append", "event"} & words_of(name)
    assert known, f"{name}: add its word to GLOSSARY.md, or use one of the field's"


def test_no_public_name_uses_a_word_that_is_not_ours() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and NOT_OURS.search(node.name)
    ]
    assert not guilty
