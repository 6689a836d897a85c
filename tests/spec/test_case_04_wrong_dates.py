"""Case 4: fixes dated 2032, or 1,024 weeks ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from ringfence.engine import judge_all, plausible_span
from tests.engine.build import NOON, after, condition, fixes, ms, stay
from tests.spec.scenario import Scenario

GOOD = fixes(stay(-10, 0, 500) + stay(0, 20, 0) + stay(20, 30, 500))
ODD = fixes([(0, 0, 0), (1, 0, 0)])
ODD.time_ms[:] = [ms(datetime(2032, 1, 1, tzinfo=UTC)), ms(NOON - timedelta(weeks=1024))]

CASE = Scenario(
    number=4,
    title="A fix dated 2032, and one dated 1,024 weeks ago",
    elsewhere="One fix from the future became everybody’s “latest position” and hid all later "
    "ones; receivers whose week counter rolled over sent dates of 19.6 years ago [S].",
    shows="A visit to an exclusion zone. Two more fixes, dated 2032 and 2006, are kept but "
    "not judged and so not drawn.",
    rules=(condition(from_at=after(-60)),),
    items=(ODD, GOOD),
    from_at=after(-10),
    until=after(29),
    decides="Both are kept as evidence, marked, and not judged; the present stays the present.",
    held_by=(
        (
            "tests/spec/test_times.py::test_a_fix_dated_2032_or_1024_weeks_ago_is_kept_and"
            "_not_judged"
        ),
        (
            "tests/desk/monitoring/test_detect.py::test_reports_from_before_the_fitting_or"
            "_the_future_are_kept_and_not_judged"
        ),
    ),
)


def test_they_are_marked_and_change_nothing() -> None:
    replay = judge_all(CASE.plan, CASE.batch, CASE.span_ms[1])
    assert replay.result.outside.tolist() == [True, True] + [False] * len(GOOD)
    assert replay.violations == judge_all(CASE.plan, GOOD, CASE.span_ms[1]).violations
    assert [v.state for v in CASE.violations] == ["confirmed"]


def test_the_span_that_is_judged_is_found_without_being_told() -> None:
    times = np.concatenate([ODD.time_ms, GOOD.time_ms])
    assert plausible_span(times) == CASE.span_ms
