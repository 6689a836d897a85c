"""Traps 5 and 10, and the rules about the tag itself."""

from __future__ import annotations

import pytest

from ringfence.engine import NAIVE, STANDARD, Signal, Source
from tests.engine.build import after, condition, device, fixes, found, judged, signal, stay

HOURS = fixes(stay(0, 120, 900))
both = pytest.mark.parametrize("profile", [NAIVE, STANDARD], ids=lambda p: p.name)


@both
def test_an_alarm_without_a_position_alerts_at_once(profile) -> None:
    (cut,) = device([], signal(5, Signal.STRAP_CUT), profile=profile)
    assert (cut.kind, cut.how, cut.state) == ("tamper", "strap_cut", "confirmed")
    assert cut.begin_at == cut.confirmed_at == after(5)
    assert cut.condition is None
    assert cut.depth_m is None


@both
def test_two_alarms_in_one_frame_are_two_violations(profile) -> None:
    both_at_once = signal(5, Signal.BATTERY_LOW | Signal.STRAP_CUT)
    kinds = [(v.kind, v.how) for v in device([], both_at_once, profile=profile)]
    assert kinds == [("battery", "battery_low"), ("tamper", "strap_cut")]


def test_a_strap_alarm_older_than_the_newest_fix_alerts_with_its_own_time() -> None:
    (cut,) = device([], HOURS, signal(30, Signal.STRAP_CUT))
    assert cut.begin_at == after(30)


@both
def test_a_tamper_is_never_cleared_by_the_tag(profile) -> None:
    cut, taped = signal(5, Signal.STRAP_CUT), signal(9, Signal.STRAP_OK)
    (tamper,) = device([], cut, taped, HOURS, profile=profile)
    assert tamper.end_at is None
    assert "cut and taped" in " ".join(tamper.doubts)


def test_a_person_who_inspected_the_tag_ends_a_tamper_and_the_next_one_is_new() -> None:
    cut, again = signal(5, Signal.STRAP_CUT), signal(60, Signal.STRAP_CUT)
    seen = signal(50, Signal.TAMPER_INSPECTED)
    first, second = device([], cut, seen, again, HOURS)
    assert (first.end_at, first.ended_by) == (after(50), "inspected")
    assert (second.begin_at, second.end_at) == (after(60), None)


def test_a_tag_cannot_say_that_a_person_inspected_it() -> None:
    with pytest.raises(ValueError, match="none of"):
        Signal.parse("tamper_inspected")


def test_a_battery_alarm_ends_on_the_charger() -> None:
    low, charging = signal(5, Signal.BATTERY_LOW), signal(45, Signal.CHARGING)
    (battery,) = device([], low, signal(15, Signal.BATTERY_LOW), charging, HOURS)
    assert (battery.end_at, battery.ended_by, battery.fixes) == (after(45), "charged", 2)


def test_silence_fires_at_its_own_instant_and_ends_with_the_next_report() -> None:
    morning, evening = fixes(stay(0, 11, 900)), fixes(stay(200, 210, 900))
    (silence,) = device([], morning, evening)
    assert silence.kind == silence.how == "silence"
    assert silence.begin_at == after(10 + STANDARD.silence_s / 60)
    assert (silence.end_at, silence.ended_by) == (after(200), "reported")


def test_silence_is_no_zone_violation_and_ends_none() -> None:
    (visit,) = found(condition(), fixes(stay(0, 10, 0)), until=after(600))
    assert visit.end_at is None
    assert "without fixes" not in " ".join(visit.why)


def test_the_naive_profile_has_no_silence() -> None:
    assert device([], HOURS, until=after(9000), profile=NAIVE) == []


def test_reports_without_a_position_are_no_fix_by_deadline() -> None:
    blind = [signal(10 + m, Signal.GNSS_LOST) for m in range(0, 60, 5)]
    (no_fix,) = device([], fixes(stay(0, 10, 900)), *blind, fixes([(75, 900, 0)]))
    assert no_fix.kind == "no_fix"
    assert no_fix.begin_at == after(9 + STANDARD.no_fix_s / 60)
    assert (no_fix.end_at, no_fix.ended_by) == (after(75), "located")


def test_jamming_is_suspected_on_the_tags_word_and_over_with_a_satellite_fix() -> None:
    jam = signal(5, Signal.GNSS_JAMMED)
    by_cell = fixes([(6, 900, 0)], source=Source.CELL)
    (still,) = device([], jam, by_cell)
    assert (still.kind, still.end_at) == ("suspected_jamming", None)
    (over,) = device([], jam, by_cell, fixes([(8, 900, 0)]))
    assert over.end_at == after(8)


def test_trail_conditions_are_watched_by_the_device_rules_alone() -> None:
    replay = judged(condition("trail"), HOURS, signal(3, Signal.CASE_OPEN))
    assert [v.how for v in replay.violations] == ["case_open"]
