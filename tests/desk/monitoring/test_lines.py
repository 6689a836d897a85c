"""What waits to be stored: tags that never stopped go before what others kept."""

from __future__ import annotations

import pytest

from ringfence.desk.monitoring import pacing as pace
from ringfence.desk.monitoring.lines import (
    LEAST_PAST,
    MAX_GROUP,
    MAX_WAITING,
    ROOM,
    Lines,
)
from ringfence.desk.monitoring.pacing import Pacing
from ringfence.desk.monitoring.triage import SILENT_MS, YOUNG_MS
from ringfence.engine.fix import Signal
from ringfence.gateway.report import Delivery, InboxFullError, KnownTag, Said, seal

NOTHING_MORE = (None, 0, None, None, None, None, None, None)
NOW_MS = 1_772_359_320_000


def sent(
    tag: int, *, at_ms: int = NOW_MS, age_ms: int = 0, reports: int = 1, signals: int = 0
) -> Delivery:
    said = [
        seal(Said((n, at_ms - age_ms - n, 515_000_000, -1_000_000, *NOTHING_MORE, signals)))
        for n in range(reports)
    ]
    return Delivery(KnownTag(tag, f"T{tag}"), "reports", "", b"{}", at_ms, said)


def nobody(_: object) -> None:
    """Nobody waits for the answer."""


@pytest.fixture
def pacing() -> Pacing:
    return Pacing()


@pytest.fixture
def lines(pacing: Pacing) -> Lines:
    """Tags 1 to 9 have been heard."""
    made = Lines(pacing)
    for tag in range(1, 10):
        made.put(sent(tag), nobody)
    while made.gather(0).waiting:
        pass
    return made


def tags(lines: Lines) -> list[int]:
    return [one.delivery.tag.id for one in lines.gather(0).waiting]


def test_tags_that_never_stopped_go_first(lines: Lines) -> None:
    lines.put(sent(1, age_ms=YOUNG_MS + 1), nobody)  # empties its memory
    lines.put(sent(2, at_ms=NOW_MS + SILENT_MS + 1), nobody)  # is back
    lines.put(sent(77), nobody)  # was never heard
    lines.put(sent(3, age_ms=YOUNG_MS), nobody)
    lines.put(sent(4, at_ms=NOW_MS + SILENT_MS), nobody)
    assert tags(lines) == [3, 4, 1, 2, 77]


def test_a_strap_cut_just_now_goes_first_even_of_a_tag_that_was_silent(lines: Lines) -> None:
    lines.put(sent(77), nobody)
    lines.put(sent(78, age_ms=YOUNG_MS + 1, signals=Signal.STRAP_CUT), nobody)
    lines.put(sent(79, age_ms=YOUNG_MS, signals=Signal.STRAP_CUT), nobody)
    assert tags(lines) == [79, 77, 78]


def test_who_is_back_is_live_from_the_second_message_on(lines: Lines) -> None:
    for _ in range(2):
        lines.put(sent(77), nobody)
    lines.put(sent(1), nobody)
    assert tags(lines) == [77, 1, 77]


def test_however_much_is_live_some_of_the_past_is_stored(lines: Lines) -> None:
    for _ in range(LEAST_PAST + 1):
        lines.put(sent(1, age_ms=3_600_000), nobody)
    for _ in range(2 * MAX_GROUP):
        lines.put(sent(2), nobody)
    group = tags(lines)
    assert (len(group), group.count(1)) == (MAX_GROUP, LEAST_PAST)


def test_the_past_turns_nobody_away_who_never_stopped(lines: Lines) -> None:
    for _ in range(MAX_WAITING):
        lines.put(sent(1, age_ms=3_600_000), nobody)
    assert lines.full
    with pytest.raises(InboxFullError):
        lines.put(sent(2, age_ms=3_600_000), nobody)
    for _ in range(ROOM):
        lines.put(sent(3), nobody)
    with pytest.raises(InboxFullError):
        lines.put(sent(3), nobody)
    assert tags(lines)[0] == 3
    while lines.gather(0).waiting:
        pass
    assert lines.half_empty
    assert lines.empty


def test_the_past_waits_for_the_next_round_of_judging(lines: Lines, pacing: Pacing) -> None:
    pacing.round_begins()
    for _ in range(3):
        lines.put(sent(1, age_ms=3_600_000, reports=pace.MOST), nobody)
    for _ in range(MAX_GROUP):
        lines.put(sent(1, age_ms=3_600_000), nobody)
    assert len(tags(lines)) == MAX_GROUP  # a group is never cut
    lines.put(sent(2), nobody)
    assert tags(lines) == [2]
    assert tags(lines) == []
    assert not lines.empty
    pacing.round_begins()
    assert tags(lines) == [1, 1, 1]


def test_a_round_that_lasts_keeps_the_past_waiting_for_a_second_only(
    lines: Lines, pacing: Pacing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PATIENCE_S", 0.05)
    pacing.round_begins()
    for _ in range(MAX_GROUP + 1):
        lines.put(sent(1, age_ms=3_600_000, reports=20), nobody)
    assert len(tags(lines)) == MAX_GROUP
    assert [len(lines.gather(0.1).waiting) for _ in range(4)].count(1) == 1


def test_at_the_end_nothing_waits_for_a_round(lines: Lines, pacing: Pacing) -> None:
    pacing.round_begins()
    for _ in range(2 * MAX_GROUP):
        lines.put(sent(1, age_ms=3_600_000, reports=20), nobody)
    lines.end()
    lines.gather(0)
    assert lines.ended
    assert len(tags(lines)) == MAX_GROUP
    assert lines.empty
