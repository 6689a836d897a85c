"""How pages say things: London's clock, spans, distances, probabilities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.desk.kit import words

NIGHT_AT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""Half past one, the first time: the clocks go back half an hour later."""


def test_people_see_londons_clock_on_both_sides_of_the_change():
    assert words.london(NIGHT_AT) == "25/10/2026 01:30"
    assert words.london(NIGHT_AT + timedelta(hours=1)) == "25/10/2026 01:30"
    assert words.london(NIGHT_AT + timedelta(hours=2)) == "25/10/2026 02:30"
    assert words.london_exact(datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)) == "01/07/2026 13:00:05"


def test_machines_see_utc():
    assert words.iso(NIGHT_AT) == "2026-10-25T00:30:00Z"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (25.4, "25 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3 * 3600 + 300, "3 h 05 min"),
        (86_400 + 4 * 3600, "1 day 4 h"),
        (200_000, "2 days 7 h"),
    ],
)
def test_a_span_is_said_in_its_own_unit(seconds, said):
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("length_m", "said"), [(None, "–"), (8.4, "8 m"), (994, "994 m"), (1_240, "1.2 km")]
)
def test_a_distance_is_said_as_people_say_it(length_m, said):
    assert words.metres(length_m) == said


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (None, "not known"),
        (0.0, "remote chance (0.1 %)"),
        (0.31, "unlikely (31 %)"),
        (0.5, "realistic possibility (50 %)"),
        (0.85, "highly likely (85 %)"),
        (0.998, "almost certain (99.8 %)"),
        (1.0, "almost certain (99.9 %)"),
    ],
)
def test_a_probability_has_a_word_and_is_never_certain(p, said):
    assert words.probable(p) == said


@pytest.mark.parametrize(
    ("course_deg", "said"),
    [(None, "–"), (0, "north"), (44, "north-east"), (337.6, "north"), (180, "south")],
)
def test_a_course_is_a_point_of_the_compass(course_deg, said):
    assert words.course(course_deg) == said
