"""35 scripted approaches, as the docs' table shows them: `python -m bench.quality.approaches`."""

from __future__ import annotations

from collections import Counter

import numba
import numpy as np
import pytest

from bench.quality.approach_scripts import APPROACHES, CONTROLS, Script
from bench.quality.approaches import (
    both_report,
    counted,
    judged,
    outcome,
    run,
    told,
    truth_of,
)
from ringfence.engine import Batch

RUNS = 1 if numba.config.DISABLE_JIT else 4
"""Plain Python is a hundred times as slow."""


def test_there_are_35_of_seven_sorts_of_five() -> None:
    assert Counter(s.sort for s in APPROACHES).most_common()[0][1] == 5
    assert len({s.sort for s in APPROACHES}) == 7
    assert len({s.name for s in APPROACHES}) == 35


def test_where_both_devices_report_95_in_a_hundred_are_full_and_none_is_missed() -> None:
    found = counted(APPROACHES, RUNS)
    whole = sum((counts for _, counts in both_report(found)), Counter[str]())
    assert whole["full"] / whole.total() >= 0.95
    assert sum(counts["none"] for _, counts in found) == 0
    assert [s.name for s, _ in found if not s.both_report] == [
        "his silence lasts from 1,700 m to her door"
    ]


@pytest.mark.parametrize("script", CONTROLS, ids=lambda s: s.name)
def test_what_is_no_approach_is_not_called_one(script) -> None:
    assert [run(script, seed) for seed in range(RUNS)] == ["full"] * RUNS


def test_the_scores_tell_good_answers_from_bad_ones() -> None:
    """The bench itself: silence is none, a violation without a pre-alert is partial."""
    script = next(s for s in APPROACHES if s.name == "straight to her home")
    rng = np.random.default_rng(1)
    he, she = told(script.he, script, rng), told(script.she, script, rng)
    said, standing = judged(script, he, she)
    assert outcome(script, said, standing) == "full"
    assert outcome(script, [v for v in said if v.part != "ring"], standing) == "partial"
    assert outcome(script, [v for v in said if v.part == "ring"], standing) == "partial"
    assert outcome(script, [], standing) == "none"
    nobody, _ = judged(script, he, Batch.empty())
    assert nobody == []


@pytest.mark.parametrize("script", APPROACHES, ids=lambda s: s.name)
def test_every_script_truly_leads_within_the_distance(script: Script) -> None:
    truth = truth_of(script)
    assert truth.near_from_s is not None
    assert truth.near_until_s is not None
    assert truth.near_until_s - truth.near_from_s > 60
    assert truth.warned_from_s is not None or script.court_m is not None
