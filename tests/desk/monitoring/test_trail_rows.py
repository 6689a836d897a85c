"""The table of a trail says what its map draws: gaps, lateness, disbelief."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ringfence.desk.monitoring.doubting import WORDS
from ringfence.desk.monitoring.queries import TrailPoint
from ringfence.desk.monitoring.trail_rows import trail_json, trail_rows
from ringfence.engine.words import Doubt

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def point(minutes: float, **said) -> TrailPoint:
    at = TEN + timedelta(minutes=minutes)
    values = {
        "report_id": 1,
        "at": at,
        "received_at": at + timedelta(seconds=1),
        "lat": 51.5,
        "lon": -0.1,
        "accuracy_m": 8.0,
        "source": "gnss",
        "speed_mps": None,
        "course_deg": None,
        "battery_pct": None,
        "signals": [],
        "judged": True,
        "doubts": (),
    }
    return TrailPoint(**{**values, **said})


def test_more_than_five_minutes_without_a_fix_is_a_gap_and_five_are_not():
    rows = trail_rows([point(0), point(5), point(10.1)])
    assert [row.gap_before for row in rows] == ["", "", "5 min"]


def test_a_report_without_a_position_does_not_end_a_gap():
    rows = trail_rows([point(0), point(4, lat=None, lon=None), point(8)])
    assert [row.gap_before for row in rows] == ["", "", "8 min"]


def test_a_buffered_report_says_how_late_it_came():
    (row,) = trail_rows([point(0, received_at=TEN + timedelta(hours=1))])
    assert row.remarks == ["Received 1 h 00 min after the fact"]


def test_a_jump_is_not_believed_and_a_cell_fix_is_only_rough():
    jump, cell = trail_json(
        [
            point(0, doubts=(WORDS[Doubt.JUMP],)),
            point(1, source="cell", doubts=(WORDS[Doubt.CELL],)),
        ]
    )["fixes"]
    assert (jump["believed"], jump["rough"]) == (False, False)
    assert (cell["believed"], cell["rough"]) == (True, True)


def test_an_unjudged_report_stands_in_the_table_and_off_the_line():
    (fix,) = trail_json([point(0, judged=False)])["fixes"]
    assert fix["believed"] is False
    assert fix["remarks"] == ["Not judged: dated from the future, or unreadable"]


def test_the_deciding_fix_is_named_on_map_and_in_table():
    marks = {TEN: "Confirmed"}
    assert trail_rows([point(0)], marks)[0].remarks == ["Confirmed fix of this alert"]
    assert trail_json([point(0)], marks)["fixes"][0]["mark_text"] == "Confirmed 10:00:00"
