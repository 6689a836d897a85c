"""Case 14: answers cut short at the first page."""

from __future__ import annotations

from ringfence.engine import NAIVE
from tests.engine.build import condition, fixes, found
from tests.spec.scenario import Scenario

CASE = Scenario(
    number=14,
    title="Reports cut at the first page of 1,000 rows",
    elsewhere="Reports ended at the first page of 1,000 rows, and nobody was told that there "
    "was more [S].",
    decides="Nothing is cut without a word. Judging, exports and imports have no page; a page "
    "that shows a part says of how many; a refusal that is not named one by one is counted; "
    "bytes that break off within a frame are said to.",
    held_by=(
        "tests/cli/test_tags.py::test_an_export_of_many_pieces_is_whole",
        ("tests/desk/alerts/test_pages.py::test_a_long_trail_is_paged_and_says_how_long_it_is"),
        "tests/cli/test_evaluate.py::test_a_thousand_refused_rows_are_counted_by_reason",
    ),
)


def test_more_than_a_thousand_violations_are_all_found() -> None:
    """In and out of a zone 1,200 times, by geometry: every one is said."""
    there_and_back = [(float(m), 0.0 if m % 2 else 500.0, 0.0) for m in range(2_400)]
    said = found(condition(), fixes(there_and_back), profile=NAIVE)
    assert len(said) == 1_200
