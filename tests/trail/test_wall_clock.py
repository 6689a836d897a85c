"""Times without a zone: read by the zone a person names, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from ringfence.trail.fix_row import instant_text, rows_of
from ringfence.trail.readers import pieces
from ringfence.trail.reports import Reading, Reports, to_reports
from ringfence.trail.times import NoZoneError
from ringfence.trail.wall_clock import Twice, WallClock, ZoneError, wall_ms

LONDON = ZoneInfo("Europe/London")


def read(path: Path, clock: WallClock | None) -> Reports:
    found = [to_reports(piece, Reading(clock)) for piece in pieces(path, everything=True)]
    return found[-1]


def written(tmp_path: Path, *times: str) -> Path:
    path = tmp_path / "f.csv"
    path.write_text("\n".join(["tag,time,lat,lon", *(f"T1,{t},51.5,-0.1" for t in times)]))
    return path


def instants(reports: Reports) -> list[str]:
    return [instant_text(row.time_ms) for row in rows_of(reports.table)]


@pytest.mark.parametrize(
    ("text", "winter"),
    [
        ("2026-01-02 10:02:00", "2026-01-02T10:02:00Z"),
        ("2026-01-02 10:02:00.123456", "2026-01-02T10:02:00.123Z"),
        ("2026-01-02T10:02", "2026-01-02T10:02:00Z"),
        ("02/01/2026 10:02:00", "2026-01-02T10:02:00Z"),
        ("2/1/2026 10:02", "2026-01-02T10:02:00Z"),
        ("02/01/2026 10:02:00.5", "2026-01-02T10:02:00.500Z"),
        ("02/07/2026 10:02:00", "2026-07-02T09:02:00Z"),
        ("2026-07-02T10:02:00Z", "2026-07-02T10:02:00Z"),
        ("2026-07-02T10:02:00+05:00", "2026-07-02T05:02:00Z"),
    ],
)
def test_a_time_is_read_by_the_clock_on_that_day_unless_it_says_its_offset(
    tmp_path: Path, text: str, winter: str
) -> None:
    assert instants(read(written(tmp_path, text), WallClock.of("Europe/London"))) == [winter]


@pytest.mark.parametrize("text", ["2026-01-02 10:02:00", "02/01/2026 10:02:00"])
def test_without_a_zone_the_whole_file_is_refused_and_says_what_to_give(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(NoZoneError, match=r"--zone Europe/London .* --zone UTC"):
        read(written(tmp_path, "2026-01-02T10:02:00Z", text), None)


def test_one_time_without_a_zone_among_others_is_enough(tmp_path: Path) -> None:
    path = written(tmp_path, "2026-07-02T10:02:00Z", "2026-07-02 10:02:00")
    found = read(path, WallClock.of("Europe/London"))
    assert instants(found) == ["2026-07-02T10:02:00Z", "2026-07-02T09:02:00Z"]


@pytest.mark.parametrize(
    ("twice", "taken"),
    [
        (Twice.REFUSE, []),
        (Twice.FIRST, ["2026-10-25T00:30:00Z"]),
        (Twice.SECOND, ["2026-10-25T01:30:00Z"]),
    ],
)
def test_a_time_that_happens_twice_is_refused_or_taken_as_said_and_named_in_any_case(
    tmp_path: Path, twice: Twice, taken: list[str]
) -> None:
    path = written(tmp_path, "2026-10-25 00:59:59", "25/10/2026 01:30:00", "2026-10-25 02:00:00")
    found = read(path, WallClock.of("Europe/London", twice))
    assert instants(found) == ["2026-10-24T23:59:59Z", *taken, "2026-10-25T02:00:00Z"]
    (named,) = found.refused or found.noted
    assert named.row == 3
    assert "happened twice" in named.why
    assert bool(found.refused) == (twice is Twice.REFUSE)


@pytest.mark.parametrize("twice", Twice)
def test_a_time_that_never_is_is_refused_whatever_is_said(tmp_path: Path, twice: Twice) -> None:
    path = written(tmp_path, "2026-03-29 00:59:59", "2026-03-29 01:30:00", "2026-03-29 02:00:00")
    found = read(path, WallClock.of("Europe/London", twice))
    assert instants(found) == ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"]
    assert [(r.row, "never was" in r.why) for r in found.refused] == [(3, True)]


def test_utc_has_no_such_nights(tmp_path: Path) -> None:
    path = written(tmp_path, "2026-10-25 01:30:00", "2026-03-29 01:30:00")
    found = read(path, WallClock.of("UTC"))
    assert instants(found) == ["2026-10-25T01:30:00Z", "2026-03-29T01:30:00Z"]


def test_parquet_timestamps_without_a_zone_are_read_by_the_clock_too(tmp_path: Path) -> None:
    table = pa.table({
        "tag": ["T1", "T1"], "lat": [51.5] * 2, "lon": [-0.1] * 2,
        "time": pa.array([1_782_986_520_000_000, None], pa.timestamp("us")),
    })  # fmt: skip
    parquet.write_table(table, tmp_path / "f")
    found = read(tmp_path / "f", WallClock.of("Europe/London"))
    assert instants(found) == ["2026-07-02T09:02:00Z"]
    assert [r.row for r in found.refused] == [2]
    with pytest.raises(NoZoneError):
        read(tmp_path / "f", None)


@pytest.mark.parametrize("zone", ["Europe/Londn", "", "../etc/passwd", "BST!"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ZoneError, match="such as Europe/London"):
        WallClock.of(zone)


@pytest.mark.parametrize("text", ["", "yesterday", "31/02/2026 10:00", "51.5", "9999-12-31 23:59"])
def test_what_is_no_time_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    found = read(written(tmp_path, text), WallClock.of("Europe/London"))
    assert [r.row for r in found.refused] == [2]
    assert not text or text not in found.refused[0].why


DAYS = ((3, 28), (10, 24))
"""On which a clock changes in the night after."""
hours = st.integers(0, 24 * 3600 * 1000)
nights = st.sampled_from(
    [datetime(2026, month, day, 12, tzinfo=UTC).replace(tzinfo=None) for month, day in DAYS]
)


@given(nights, st.lists(hours, min_size=1, max_size=5), st.sampled_from(Twice))
def test_the_clock_agrees_with_the_zone_database(
    noon: datetime, after_ms: list[int], twice: Twice
) -> None:
    local = [noon + timedelta(milliseconds=ms) for ms in after_ms]
    found = WallClock(LONDON, twice).instants(wall_ms(local))
    for i, at in enumerate(local):
        both = [at.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) for fold in (0, 1)]
        real = both[0].astimezone(LONDON).replace(tzinfo=None) == at
        assert found.impossible[i] == (not real)
        assert found.ambiguous[i] == (real and both[0] != both[1])
        if real:
            meant = both[twice is Twice.SECOND]
            assert found.ms[i] == (meant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
                milliseconds=1
            )
    assert found.ms.dtype == np.int64
