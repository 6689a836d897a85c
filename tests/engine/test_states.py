"""The table is the program: every state is reached, and the docs show this table."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.engine import PROFILES, STANDARD
from ringfence.engine import states as s
from ringfence.engine.states import RULES, Act, State, Word, diagram, word_of

DOCS = Path(__file__).parents[2] / "docs" / "engine.md"


def test_every_state_is_reached_and_left() -> None:
    assert {after for after, _ in RULES.values()} == set(State)
    assert {before for before, _ in RULES} == set(State)


def test_only_confirm_leads_to_confirmed_and_only_end_leads_out() -> None:
    for (before, _), (after, act) in RULES.items():
        assert (act is Act.CONFIRM) == (after is State.CONFIRMED != before)
        leaves = before in (State.POSSIBLE, State.CONFIRMED) and after not in (
            State.POSSIBLE,
            State.CONFIRMED,
        )
        assert (act is Act.END) == leaves


def test_silence_ends_nothing_that_is_confirmed() -> None:
    assert s.FOLLOWING[State.CONFIRMED, Word.QUIET] == State.CONFIRMED
    assert s.ACTS[State.CONFIRMED, Word.QUIET] == Act.NOTHING


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_words_need_both_probability_and_agreement(profile) -> None:
    limits = profile.thresholds()
    enough = profile.agreeing
    assert word_of(limits, 40.0, enough, 0) == Word.SURELY
    assert word_of(limits, -40.0, 0, enough) == Word.SURELY_NOT
    assert word_of(limits, -40.0, 0, enough - 1) == Word.CLEARLY_NOT
    if not profile.geometric:
        assert word_of(limits, 40.0, enough - 1, 0) == Word.MAYBE


def test_what_is_unknown_is_undecided() -> None:
    limits = STANDARD.thresholds()
    assert word_of(limits, limits.unknown, 0, 0) == Word.UNDECIDED


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    assert diagram() in DOCS.read_text(), "run `python -m ringfence.engine.states`, and paste it"
