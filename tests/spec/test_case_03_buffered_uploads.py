"""Case 3: uploads that come an hour late, newest first, twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.engine.build import condition, fixes
from tests.spec.scenario import Scenario

WHOLE = fixes(
    [(m, 500 - 40 * m, 0.0) for m in range(25)] + [(m, -460 + m, 0.0) for m in range(25, 40)]
)

CASE = Scenario(
    number=3,
    title="Buffered uploads: an hour late, newest first, twice",
    elsewhere="Detectors that judge what arrives as if it happened now missed visits that "
    "were uploaded late, and doubled those that came over two transports [S].",
    shows="A walk straight through an exclusion zone. Its fixes arrived newest first, and a "
    "third of them twice.",
    rules=(condition(),),
    items=(WHOLE.take(np.arange(len(WHOLE))[::-1]), WHOLE.take(slice(5, 18))),
    decides="The same violations and times as in order, to the digit. Live, the late fixes "
    "rewind this wearer to the checkpoint before them; what that changes is a correction, and "
    "the alert is marked late. Whatever came twice counts once.",
    held_by=(
        "tests/engine/test_same_answer.py",
        "tests/engine/test_real_traces.py",
        "tests/desk/monitoring/test_same_answer.py",
        (
            "tests/desk/monitoring/test_detect.py::test_a_late_report_leads_to_the_answer_"
            "of_an_on_time_one"
        ),
    ),
)


def test_it_is_what_the_walk_in_order_comes_to() -> None:
    assert CASE.violations == replace(CASE, items=(WHOLE,)).violations
    (visit,) = CASE.violations
    assert (visit.state, visit.ended_by) == ("confirmed", "left")
