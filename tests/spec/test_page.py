"""The manual's page of cases says what the engine says, and every test that it names exists."""

from __future__ import annotations

import re

import pytest

from tests.spec.page import ROOT, files
from tests.spec.scenario import Scenario, all_scenarios, module_of

CASES = all_scenarios()
numbered = pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.number:02d}")


def test_there_are_sixteen() -> None:
    assert [case.number for case in CASES] == list(range(1, 17))


def test_page_and_pictures_are_what_the_scenarios_come_to() -> None:
    stale = [
        str(name)
        for name, text in files().items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != text
    ]
    assert not stale, "run `make cases`, and read what changed before you commit it"


@numbered
def test_each_test_that_a_case_names_exists(case: Scenario) -> None:
    for name in (module_of(case), *case.held_by):
        path, _, test = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert not test or re.search(rf"^def {test}\(", (ROOT / path).read_text(), re.MULTILINE), (
            name
        )


@numbered
def test_a_picture_has_words_for_who_cant_see_it(case: Scenario) -> None:
    assert bool(case.items) == bool(case.shows)
    assert case.elsewhere.endswith("[S].")
