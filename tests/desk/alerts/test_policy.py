from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.desk.alerts.models import Severity
from ringfence.desk.alerts.policy import (
    Ended,
    Found,
    Nothing,
    Opened,
    Updated,
    Visit,
    decide,
    visit_of,
)
from ringfence.desk.alerts.severity import RISKS, TABLE, Grade, grade_of, table_markdown
from ringfence.desk.alerts.titles import TITLES, title_of
from tests.house.source import ROOT

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


ENTRY = Found(
    id=1,
    kind="exclusion",
    how="entered",
    confirmed=True,
    begin_at=at(0),
    confirmed_at=at(1),
    end_at=None,
    ended_by="",
    depth_m=84.4,
    late=False,
    withdrawn=False,
)
RING = replace(ENTRY, id=2, how="approached", begin_at=at(-3), confirmed_at=at(-2), depth_m=30.0)


def opened(found: Found, risk: str = "medium") -> Visit:
    decision = decide(found, risk, None)
    assert isinstance(decision, Opened)
    return Visit(decision.face, (found,))


def whats(decision: Updated | Ended) -> list[str]:
    return [what for what, _ in decision.moments]


def test_a_confirmed_entry_opens_an_alert_that_says_how_far_inside():
    decision = decide(ENTRY, "medium", None)
    assert isinstance(decision, Opened)
    assert decision.face.title == "Entered exclusion zone, 84 m inside"
    assert decision.face.severity is Grade.URGENT
    assert decision.face.ongoing
    assert decision.face.event_at == at(0)
    assert decision.face.confirmed_at == at(1)


def test_what_is_only_possible_opens_nothing_whatever_the_risk():
    maybe = replace(ENTRY, confirmed=False, confirmed_at=None)
    for risk in RISKS:
        decision = decide(maybe, risk, None)
        assert isinstance(decision, Nothing)
        assert "only possible" in decision.reason


def test_an_approach_that_becomes_an_entry_is_one_alert_upgraded():
    visit = opened(RING)
    assert visit.face.severity is Grade.ATTENTION
    assert visit_of(ENTRY, [visit]) == 0
    decision = decide(ENTRY, "medium", visit)
    assert isinstance(decision, Updated)
    assert whats(decision) == ["upgraded"]
    assert decision.face.severity is Grade.URGENT
    assert decision.face.title.startswith("Entered exclusion zone")
    assert decision.face.event_at == at(-3)


def test_the_end_of_a_visit_ends_its_alert_and_says_how_long_it_was():
    gone = replace(ENTRY, end_at=at(31), ended_by="left")
    decision = decide(gone, "medium", opened(ENTRY))
    assert isinstance(decision, Ended)
    assert decision.moments == (("ended", "Ended (left) after 31 min"),)
    assert decision.face.ended_at == at(31)
    assert not decision.face.ongoing


def test_a_return_within_ten_minutes_is_the_same_visit():
    gone = replace(ENTRY, end_at=at(31), ended_by="left")
    ended = opened(gone)
    soon = replace(ENTRY, id=3, begin_at=at(41), confirmed_at=at(42))
    assert visit_of(soon, [ended]) == 0
    decision = decide(soon, "medium", ended)
    assert isinstance(decision, Updated)
    assert whats(decision) == ["resumed"]
    assert decision.face.ongoing
    assert decision.face.ended_at is None


def test_a_return_after_ten_minutes_is_another_visit():
    ended = opened(replace(ENTRY, end_at=at(31), ended_by="left"))
    later = replace(ENTRY, id=3, begin_at=at(41.1), confirmed_at=at(42))
    assert visit_of(later, [ended]) is None
    assert isinstance(decide(later, "medium", None), Opened)


def test_a_second_tamper_while_the_first_is_open_is_told_and_opens_nothing():
    strap = replace(ENTRY, kind="tamper", how="strap_cut", depth_m=None)
    case = replace(strap, id=4, how="case_open", begin_at=at(600), confirmed_at=at(600))
    visit = opened(strap)
    assert visit_of(case, [visit]) == 0
    decision = decide(case, "medium", visit)
    assert isinstance(decision, Updated)
    assert whats(decision) == ["joined"]


def test_a_withdrawn_violation_says_so_and_leaves_the_closing_to_a_person():
    decision = decide(replace(ENTRY, withdrawn=True), "medium", opened(ENTRY))
    assert isinstance(decision, Ended)
    assert whats(decision) == ["corrected"]
    assert decision.face.title.startswith("Withdrawn: ")
    assert decision.face.confirmed_at is None


def test_a_violation_withdrawn_before_any_alert_opens_none():
    assert isinstance(decide(replace(ENTRY, withdrawn=True), "high", None), Nothing)


def test_what_late_data_makes_only_possible_says_so():
    doubtful = replace(ENTRY, confirmed=False, confirmed_at=None)
    decision = decide(doubtful, "medium", opened(ENTRY))
    assert isinstance(decision, Ended)
    assert decision.face.title.startswith("Now only possible: ")


def test_growing_deeper_changes_the_title_without_a_line_in_the_timeline():
    decision = decide(replace(ENTRY, depth_m=132.0), "medium", opened(ENTRY))
    assert isinstance(decision, Updated)
    assert decision.moments == ()
    assert decision.face.title.endswith("132 m inside")


def test_an_unchanged_face_is_nothing_new():
    assert isinstance(decide(ENTRY, "medium", opened(ENTRY)), Nothing)


def test_severity_never_falls_behind_a_persons_back():
    visit = opened(RING)
    upgraded = decide(ENTRY, "medium", visit)
    assert isinstance(upgraded, Updated)
    both = Visit(upgraded.face, (RING, ENTRY))
    decision = decide(replace(ENTRY, withdrawn=True), "medium", both)
    assert isinstance(decision, Updated)
    assert decision.face.severity is Grade.URGENT
    assert decision.face.title.startswith("Near exclusion zone")


def test_a_violation_found_late_is_marked():
    decision = decide(replace(ENTRY, late=True, end_at=at(5)), "medium", None)
    assert isinstance(decision, Opened)
    assert decision.face.late
    assert decision.face.title.endswith("(found late)")
    assert not decision.face.ongoing


minutes = st.integers(0, 120)
spans = st.lists(st.tuples(minutes, st.integers(1, 40)), min_size=1, max_size=8)


@given(spans)
def test_visits_closer_than_ten_minutes_share_an_alert_and_others_do_not(pieces):
    """Against an obvious oracle: merge the spans whose gaps are at most ten minutes."""
    begins = sorted({begin for begin, _ in pieces})
    found = []
    for n, (begin, following) in enumerate(pairwise([*begins, 10_000])):
        end = min(begin + dict(pieces)[begin], following - 1)
        found.append(
            replace(ENTRY, id=n, begin_at=at(begin), confirmed_at=at(begin), end_at=at(end))
        )
    expected = 1 + sum(b.begin_at - a.end_at > timedelta(minutes=10) for a, b in pairwise(found))
    visits: list[Visit] = []
    for one in found:
        position = visit_of(one, visits)
        decision = decide(one, "low", None if position is None else visits[position])
        if position is None:
            assert isinstance(decision, Opened)
            visits.append(Visit(decision.face, (one,)))
        else:
            assert isinstance(decision, Updated | Ended)
            visits[position] = Visit(decision.face, (*visits[position].members, one))
    assert len(visits) == expected


def test_the_pure_grades_are_the_severities_of_the_rows():
    assert {g.name: int(g) for g in Grade} == {s.name: int(s) for s in Severity}


@pytest.mark.parametrize(("kind", "how"), sorted(TABLE))
def test_more_risk_is_never_less_severe(kind, how):
    grades = [grade_of(kind, how, risk) for risk in RISKS]
    assert grades == sorted(grades)


def test_a_kind_nobody_thought_of_still_reaches_a_person():
    assert grade_of("new_kind", "odd", "medium") is Grade.URGENT
    assert title_of("new_kind", "odd", None) == "New kind"


def test_every_title_is_of_a_kind_with_a_severity():
    assert {kind for kind, _ in TITLES} == {kind for kind, _ in TABLE}


def test_the_manual_shows_the_table_that_is_in_force():
    assert table_markdown() in (ROOT / "docs" / "alerts.md").read_text()
