"""A doubted fix goes out with its doubts: who reads a file sees what the pages say."""

from __future__ import annotations

import csv
import io

import pytest

from ringfence.desk.monitoring.doubting import IN_FILES, WORDS
from ringfence.desk.monitoring.exporting import export_fixes
from ringfence.engine.words import Doubt
from ringfence.trail.writers import Format
from tests.desk.monitoring.conftest import OUTSIDE, VISIT, Sent, at, deliver

pytestmark = pytest.mark.django_db
FAR = (52.2, 0.1)
ASIDE = (OUTSIDE[0] + 0.004, OUTSIDE[1])
"""Some 440 m off: no errand of a minute on foot, and no jump that a car could not make."""


def doubts_by_minute(out, **chosen) -> dict[object, str]:
    path = out / "out.csv"
    export_fixes(path, by="ola", **chosen)
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    return {row["time"]: row["doubts"] for row in rows if row["doubts"]}


def stamp(minute: float) -> str:
    return at(minute).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_doubted_fix_says_so_in_the_file(zone, tag, fitted, tmp_path):
    deliver(tag, [*VISIT, Sent(at(9.5), FAR)])
    assert doubts_by_minute(tmp_path) == {stamp(9.5): "impossible_speed"}


def test_what_the_next_fix_bears_out_says_both(zone, tag, fitted, tmp_path):
    deliver(tag, [*VISIT, Sent(at(60), OUTSIDE), Sent(at(60.5), FAR), Sent(at(61.5), FAR)])
    assert doubts_by_minute(tmp_path)[stamp(60.5)] == "impossible_speed borne_out"


def test_a_jump_and_a_return_is_marked(zone, tag, fitted, tmp_path):
    places = [OUTSIDE, OUTSIDE, OUTSIDE, ASIDE, OUTSIDE, OUTSIDE]
    deliver(tag, [Sent(at(100 + n), place) for n, place in enumerate(places)])
    assert doubts_by_minute(tmp_path) == {stamp(103): "jump_and_return"}


def test_a_part_of_a_trail_has_the_doubts_that_the_whole_has(zone, tag, fitted, tmp_path):
    deliver(tag, [*VISIT, Sent(at(9.5), FAR)])
    whole = doubts_by_minute(tmp_path)
    assert doubts_by_minute(tmp_path, from_at=at(9.4), to_at=at(9.6)) == whole
    assert doubts_by_minute(tmp_path, tag=tag) == whole


def test_a_report_that_is_not_judged_has_no_doubts(zone, tag, tmp_path):
    deliver(tag, [*VISIT, Sent(at(9.5), FAR)])
    assert doubts_by_minute(tmp_path) == {}


@pytest.mark.parametrize("format_", Format)
def test_every_format_has_room_for_them(zone, tag, fitted, tmp_path, format_):
    deliver(tag, [*VISIT, Sent(at(9.5), FAR)])
    path = tmp_path / "out"
    export_fixes(path, by="ola", format_=format_)
    assert b"impossible_speed" in path.read_bytes()


def test_all_that_pages_say_of_a_single_fix_has_a_name_in_files():
    assert set(WORDS) - set(IN_FILES) == {Doubt.NO_ACCURACY, Doubt.CELL}
