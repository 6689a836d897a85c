"""Traps 5 and 10, and the rules about the tag itself."""

from __future__ import annotations

import pytest

from ringfence.engine import NAIVE, STANDARD, Signal, Source
from tests.engine.build import after, condition, device, fixes, found, hers, judged, signal, stay

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


def test_jamming_of_the_network_is_called_what_it_is() -> None:
    jam = signal(5, Signal.NETWORK_JAMMED)
    (still,) = device([], jam, fixes([(6, 900, 0)], source=Source.CELL))
    assert (still.kind, still.how, still.end_at) == ("suspected_jamming", "network_jammed", None)
    assert "mobile network was jammed" in still.why[0]
    (over,) = device([], jam, fixes([(8, 900, 0)]))
    assert over.end_at == after(8)


def test_a_cut_supply_is_a_tamper_and_no_switching_off() -> None:
    talk = fixes(stay(0, 10, 900))
    (cut, silence) = device([], talk, signal(9, Signal.POWER_CUT), until=after(200))
    assert (cut.kind, cut.how, cut.end_at) == ("tamper", "power_cut", None)
    assert "switching off" not in " ".join((*cut.why, *silence.why))


def mocked(batch):
    batch.signals[:] |= int(Signal.MOCK_POSITION)
    return batch


def test_a_place_that_the_phone_calls_made_up_is_a_suspicion_and_no_place() -> None:
    away, mock_inside = fixes(stay(0, 10, 900)), mocked(fixes(stay(10, 20, 0)))
    replay = judged(condition(), away, mock_inside)
    (spoof,) = replay.violations
    assert (spoof.kind, spoof.how, spoof.fixes) == ("suspected_spoofing", "mock_position", 10)
    assert spoof.begin_at == after(10)
    assert "made its position up" in spoof.why[0]


def test_a_made_up_alibi_clears_nobody() -> None:
    inside, alibi = fixes(stay(0, 10, 0)), mocked(fixes(stay(10, 20, 900)))
    visit = next(v for v in judged(condition(), inside, alibi).violations if v.condition)
    assert (visit.state, visit.end_at) == ("confirmed", None)


def test_only_made_up_places_are_no_position() -> None:
    kinds = [v.kind for v in device([], fixes(stay(0, 5, 900)), mocked(fixes(stay(5, 60, 900))))]
    assert kinds == ["suspected_spoofing", "no_fix"]


def test_a_victims_made_up_place_is_none_of_hers() -> None:
    order = condition("proximity", victim="V1", distance_m=200.0)
    hers_made_up = mocked(hers(stay(0, 10, 900)))
    told = judged(order, fixes(stay(0, 10, 900)), hers_made_up).violations
    assert not [v for v in told if v.condition]


def test_trail_conditions_are_watched_by_the_device_rules_alone() -> None:
    replay = judged(condition("trail"), HOURS, signal(3, Signal.CASE_OPEN))
    assert [v.how for v in replay.violations] == ["case_open"]


def test_a_battery_that_went_critical_explains_the_silence_after_it() -> None:
    low, critical = signal(5, Signal.BATTERY_LOW), signal(9, Signal.BATTERY_CRITICAL)
    talk = fixes(stay(0, 10, 900))
    flat = one("silence", talk, low, critical, until=after(200))
    assert "the battery is probably flat" in " ".join(flat.why)
    only_low = one("silence", talk, low, until=after(200))
    assert "battery" not in " ".join(only_low.why)
    charged = one("silence", talk, critical, signal(9.5, Signal.CHARGING), until=after(200))
    assert "battery" not in " ".join(charged.why)
    off = one("silence", talk, signal(9, Signal.POWER_OFF), until=after(200))
    assert "switching off" in " ".join(off.why)


def one(kind: str, *batches, **more):
    (violation,) = [v for v in device([], *batches, **more) if v.kind == kind]
    return violation


def spoofed(*batches, **more):
    return [v for v in device([], *batches, **more) if v.kind == "suspected_spoofing"]


def beside(minutes, metres: float, source: Source = Source.WIFI, accuracy_m: float = 30.0):
    """Fixes of another sort five seconds after the satellite ones."""
    return fixes([(m + 5 / 60, metres, 0) for m in minutes], source=source, accuracy_m=accuracy_m)


SKY = fixes(stay(0, 20, 0))


@pytest.mark.parametrize("source", [Source.WIFI, Source.RF, Source.CELL], ids=lambda s: s.name)
def test_satellite_fixes_that_others_contradict_three_times_suggest_spoofing(source) -> None:
    (suspicion,) = spoofed(SKY, beside(range(5, 20), 6000.0, source))
    assert (suspicion.how, suspicion.begin_at) == ("gnss_spoofed", after(7 + 5 / 60))
    assert suspicion.fixes == 13
    assert "three times in a row" in suspicion.why[0]
    assert "may be the wrong ones" in " ".join(suspicion.doubts)


def test_the_same_instant_in_one_report_counts_whatever_comes_first() -> None:
    together = fixes([(m, 6000.0 * (-1) ** m, 0) for m in range(20)], source=Source.WIFI)
    (suspicion,) = spoofed(SKY, together)
    assert suspicion.begin_at == after(2)


def test_it_is_over_when_they_agree_again_or_a_person_has_looked() -> None:
    mended = beside(range(5, 9), 6000.0), beside(range(9, 20), 20.0)
    (suspicion,) = spoofed(SKY, *mended)
    assert (suspicion.ended_by, suspicion.end_at) == ("agreed", after(11 + 5 / 60))
    seen = signal(15, Signal.TAMPER_INSPECTED)
    first, _ = spoofed(SKY, beside(range(5, 20), 6000.0), seen)
    assert (first.ended_by, first.end_at) == ("inspected", after(15))


@pytest.mark.parametrize(
    "innocent",
    [
        pytest.param([], id="no other fixes at all"),
        pytest.param([signal(m + 0.5, Signal.GNSS_LOST) for m in range(20)], id="lost"),
        pytest.param([beside((5, 6), 6000.0)], id="two contradictions"),
        pytest.param([beside((5, 6, 8), 6000.0), beside((7,), 9.0)], id="not in a row"),
        pytest.param([beside(range(20), 600.0)], id="hardly past the circles"),
        pytest.param([beside(range(20), 2200.0, Source.CELL)], id="a far cell"),
        pytest.param([beside(range(20), 6000.0, Source.WIFI, 2500.0)], id="a vague place"),
        pytest.param(
            [fixes([(m + 0.5, 6000.0, 0) for m in range(20)], source=Source.WIFI)], id="apart"
        ),
        pytest.param([beside(range(20), 6000.0, Source.UNKNOWN)], id="of unknown sort"),
    ],
)
def test_spoofing_is_never_suspected_without_positive_evidence(innocent) -> None:
    assert spoofed(SKY, *innocent) == []


def test_two_sure_places_farther_apart_than_anything_flies_suggest_spoofing() -> None:
    there = fixes(stay(20, 40, 40_000))
    (suspicion,) = spoofed(SKY, there)
    assert suspicion.begin_at == after(21)
    assert "farther than any aircraft flies" in suspicion.why[0]
    assert "clock is wrong" in " ".join(suspicion.doubts)


@pytest.mark.parametrize(
    "innocent",
    [
        pytest.param(fixes(stay(23, 40, 40_000)), id="as fast as an airliner"),
        pytest.param(fixes([(20, 40_000, 0), *stay(21, 40, 0)]), id="one wrong fix"),
        pytest.param(fixes(stay(20, 40, 40_000), accuracy_m=300), id="unsure of itself"),
        pytest.param(fixes(stay(20, 40, 40_000), source=Source.CELL), id="by cell"),
    ],
)
def test_a_way_that_can_be_flown_or_a_fix_unsure_of_itself_is_no_teleport(innocent) -> None:
    assert spoofed(SKY, innocent) == []


def test_a_place_held_to_the_last_digit_while_the_tag_moves_is_no_fix() -> None:
    held = fixes([(m, 900.0, 0.0) for m in range(120)])
    assert device([], held) == [], "at rest it is a doubt, and no violation"
    moving = held.take(slice(None))
    moving.signals[:] = int(Signal.MOTION)
    (no_fix,) = device([], moving)
    assert no_fix.kind == "no_fix"
    assert no_fix.begin_at == after(30 + STANDARD.no_fix_s / 60)
    assert "to the last digit" in " ".join(no_fix.doubts)


def test_every_level_of_a_battery_is_its_own_violation() -> None:
    low, critical = signal(5, Signal.BATTERY_LOW), signal(9, Signal.BATTERY_CRITICAL)
    said = device([], fixes(stay(0, 20, 900)), low, critical)
    assert [(v.kind, v.how, v.begin_at) for v in said] == [
        ("battery", "battery_low", after(5)),
        ("battery", "battery_critical", after(9)),
    ]


@pytest.mark.parametrize("how", [Signal.CASE_OPEN, Signal.POWER_OFF])
def test_a_closed_case_or_a_tag_that_is_on_again_clears_no_tamper(how) -> None:
    well = signal(9, Signal.POWER_ON | Signal.STRAP_OK | Signal.CHARGING)
    (tamper,) = device([], signal(5, how), well, HOURS)
    assert tamper.end_at is None
