from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from ringfence.desk.cases.actions import add_wearer, change_condition, end_condition
from ringfence.desk.cases.models import Condition as ConditionRow
from ringfence.desk.cases.models import Tag
from ringfence.desk.cases.tag_actions import add_tag, end_fitting, fit_tag
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.kit.models import Change
from ringfence.desk.monitoring.detect import Detector, detect, wake_due
from ringfence.desk.monitoring.models import (
    Checkpoint,
    Correction,
    Cursor,
    PoisonReport,
    Violation,
    WearerState,
)
from ringfence.desk.monitoring.queries import live_wearers, oldest_unjudged_ms, trail
from ringfence.engine import Signal, Source, evaluate
from tests.desk.monitoring.conftest import (
    INSIDE,
    OUTSIDE,
    VISIT,
    Sent,
    at,
    deliver,
    expected,
    stored,
    walk,
)

pytestmark = pytest.mark.django_db


def test_a_visit_is_found_as_the_engine_finds_it_at_once(zone, tag, fitted):
    deliver(tag, VISIT)
    assert detect() == len(VISIT)
    assert stored() == expected(VISIT)
    entry = Violation.objects.get(how="entered")
    assert entry.state == "confirmed"
    assert entry.received_at == entry.confirmed_at + timedelta(seconds=1)
    assert not entry.late
    assert detect() == 0


def test_the_wearers_state_goes_with_the_violations(zone, tag, fitted, wes):
    deliver(tag, VISIT[:6])
    detect()
    state = WearerState.objects.get()
    assert state.judged_ms == to_ms(VISIT[5].at)
    assert state.last_report_ms == to_ms(VISIT[5].at)
    assert (state.fix["lat"], state.fix["lon"]) == INSIDE
    assert Change.objects.filter(topic="wearer", ref=wes.public_id).exists()
    (live,) = live_wearers()
    assert live.wearer == wes
    assert live.fix is not None
    assert live.fix.at == VISIT[5].at
    assert live.last_report_at == VISIT[5].at
    assert oldest_unjudged_ms() is None


def test_a_restart_between_any_two_reports_changes_nothing(zone, tag, fitted):
    for sent in VISIT:
        deliver(tag, [sent])
        assert Detector().detect() == 1
    assert stored() == expected(VISIT)
    assert Correction.objects.count() == 0
    assert Violation.objects.filter(withdrawn_at__isnull=False).count() == 0


def test_a_late_report_leads_to_the_answer_of_an_on_time_one(zone, tag, fitted):
    missing = VISIT[3:7]
    deliver(tag, [s for s in VISIT if s not in missing])
    detect()
    assert not Violation.objects.filter(how="entered", state="confirmed").exists()
    deliver(tag, [replace(s, received_after_s=3600) for s in reversed(missing)])
    detect()
    assert stored() == expected(VISIT)
    entry = Violation.objects.get(how="entered", withdrawn_at=None)
    assert entry.late
    found = Correction.objects.get(violation=entry, what="found_late")
    assert found.why == "a report arrived late"


def test_a_violation_that_is_no_more_is_withdrawn_and_on_record(zone, tag, fitted, eve):
    """The tag came off before it was carried into the zone, as somebody records later."""
    deliver(tag, [*walk(OUTSIDE, OUTSIDE), *walk(INSIDE, INSIDE, INSIDE, start=3)])
    detect()
    entry = Violation.objects.get(how="entered")
    assert entry.state == "confirmed"
    end_fitting(by=eve, fitting=fitted, to_at=at(2.5))
    detect()
    entry.refresh_from_db()
    assert entry.withdrawn_at is not None
    assert entry.withdrawn_why == "a fitting was recorded or changed"
    correction = entry.corrections.get()
    assert correction.what == "withdrawn"
    assert correction.cause["tag"] == tag.name
    assert correction.cause["ended"]
    assert correction.cause["recorded_by"] == eve.username
    assert stored() == expected(walk(OUTSIDE, OUTSIDE))


def test_a_condition_changed_from_an_earlier_instant_judges_again_from_there(
    zone, tag, fitted, ola
):
    deliver(tag, VISIT)
    detect()
    condition = ConditionRow.objects.get()
    end_condition(by=ola, condition=condition, ended_at=at(4.5), reason="varied by the court")
    assert detect() > 0
    assert stored() == expected(VISIT)
    entry = Violation.objects.get(how="entered", withdrawn_at=None)
    assert entry.end_at == at(4.5)
    assert entry.ended_by == "condition_ended"


def test_a_condition_that_changes_while_inside_is_a_new_version_of_the_same_visit(
    zone, tag, fitted, ola
):
    deliver(tag, VISIT[:6])
    detect()
    change_condition(
        by=ola,
        condition=ConditionRow.objects.get(),
        rule=replace(zone, buffer_m=0.0),
        effective_at=at(4.5),
        reason="the ring was too wide",
    )
    detect()
    deliver(tag, VISIT[6:])
    detect()
    assert stored() == expected(VISIT)


def test_a_condition_for_the_future_only_sets_the_alarm_clock(zone, tag, fitted, ola):
    deliver(tag, VISIT[:2])
    detect()
    change_condition(
        by=ola,
        condition=ConditionRow.objects.get(),
        rule=replace(zone, buffer_m=50.0),
        effective_at=at(20),
        reason="from the hearing on",
    )
    detect()
    assert Correction.objects.count() == 0
    assert WearerState.objects.get().wake_ms <= to_ms(at(20))
    deliver(tag, VISIT[2:])
    detect()
    assert stored() == expected(VISIT)


def test_reports_are_judged_when_their_fitting_is_recorded_afterwards(zone, tag, wes, eve):
    deliver(tag, VISIT)
    assert detect() == len(VISIT)
    assert Violation.objects.count() == 0
    fit_tag(by=eve, tag=tag, wearer=wes, from_at=at(-60))
    assert detect() > 0
    assert stored() == expected(VISIT)


def test_a_tag_that_was_exchanged_is_judged_though_that_is_recorded_afterwards(
    zone, tag, fitted, wes, eve
):
    """Its reports were read as nobody's, and are later than what the wearer was judged by."""
    second = add_tag(by=eve, name="T2")[0]
    deliver(tag, VISIT[:2])
    deliver(second, VISIT[2:])
    detect()
    assert not Violation.objects.exists()
    end_fitting(by=eve, fitting=fitted, to_at=VISIT[2].at)
    fit_tag(by=eve, tag=second, wearer=wes, from_at=VISIT[2].at)
    while Detector().detect():
        pass
    assert stored() == expected(VISIT)


def test_reports_from_before_the_fitting_or_the_future_are_kept_and_not_judged(
    zone, tag, fitted, wes
):
    old = replace(VISIT[4], at=at(-90))
    future = replace(VISIT[4], at=at(600), received_after_s=-121)
    deliver(tag, [old, *VISIT[:3], future])
    assert detect() == 5
    assert WearerState.objects.get().judged_ms == to_ms(VISIT[2].at)
    assert stored() == expected(VISIT[:3])
    points = trail(wes, at(-120), at(700))
    assert [p.judged for p in points] == [True, True, True, False]  # the old one is nobody's


def test_two_wearers_do_not_touch_each_other(zone, tag, fitted, ola, eve):
    other = add_wearer(by=ola, crn="X000002")
    second = add_tag(by=eve, name="T2")[0]
    fit_tag(by=eve, tag=second, wearer=other, from_at=at(-60))
    deliver(second, [replace(VISIT[5], at=at(30))])
    detect()
    deliver(tag, VISIT)
    detect()
    assert stored() == expected(VISIT)
    assert WearerState.objects.count() == 2


def test_the_questions_to_the_database_do_not_grow_with_the_wearers(zone, tag, fitted, eve, ola):
    def asked(minute: float, tags: list[Tag]) -> int:
        for one in tags:
            deliver(one, walk(INSIDE, start=minute))
        with CaptureQueriesContext(connection) as seen:
            detect()
        return len(seen)

    tags = [tag]
    for n in range(2, 12):
        other = add_tag(by=eve, name=f"T{n}")[0]
        wearer = add_wearer(by=ola, crn=f"X00000{n}")
        fit_tag(by=eve, tag=other, wearer=wearer, from_at=at(-60))
        tags.append(other)
    asked(0, tags)
    few, many = asked(1, tags[:2]), asked(2, tags)
    assert many <= few + 1


def test_a_tag_passed_on_takes_no_violation_with_it(zone, tag, fitted, ola, eve):
    deliver(tag, VISIT[:6])
    detect()
    end_fitting(by=eve, fitting=fitted, to_at=at(5.5))
    other = add_wearer(by=ola, crn="X000002")
    fit_tag(by=eve, tag=tag, wearer=other, from_at=at(5.5))
    deliver(tag, VISIT[6:])
    detect()
    assert stored() == expected(VISIT[:6])
    assert {v.wearer.crn for v in Violation.objects.all()} == {"X000001"}


def test_a_signal_alone_is_found_with_no_position(zone, tag, fitted):
    sent = [*VISIT[:2], Sent(at(1.5), signals=Signal.STRAP_CUT | Signal.BATTERY_LOW)]
    deliver(tag, sent)
    detect()
    assert {v.how for v in Violation.objects.all()} == {"strap_cut", "battery_low"}
    assert stored() == expected(sent)


def test_silence_is_found_by_its_deadline_with_nothing_arriving(zone, tag, fitted):
    deliver(tag, VISIT)
    detect()
    wake_at = WearerState.objects.get().wake_ms
    assert wake_due(at(10)) == 0
    assert wake_due(at(600)) >= 1
    silence = Violation.objects.get(kind="silence")
    assert to_ms(silence.begin_at) >= wake_at
    assert silence.received_at is None
    assert silence.end_at is None
    assert stored() == expected(VISIT, until_ms=to_ms(at(600)))
    assert wake_due(at(600)) == 0


def test_a_report_that_precedes_a_fired_deadline_takes_it_back(zone, tag, fitted):
    deliver(tag, VISIT)
    detect()
    wake_due(at(600))
    assert Violation.objects.filter(kind="silence", withdrawn_at=None).count() == 1
    buffered = [Sent(at(n), OUTSIDE, received_after_s=36_000 - 60 * n) for n in range(10, 600)]
    deliver(tag, list(reversed(buffered)))
    while detect(200):
        pass
    assert stored() == expected([*VISIT, *buffered])
    assert Violation.objects.filter(kind="silence", withdrawn_at=None).count() == 0


def test_a_deadline_waits_for_a_report_that_came_before_it(zone, tag, fitted):
    deliver(tag, VISIT)
    detect()
    deliver(tag, walk(OUTSIDE, OUTSIDE, start=30))
    wake_due(at(600))
    assert WearerState.objects.get().judged_ms < to_ms(at(30))
    assert not Violation.objects.filter(kind="silence").exists()
    detect()
    wake_due(at(600))
    assert Violation.objects.filter(kind="silence").exists()


def test_a_tag_that_was_taken_off_is_not_missed(zone, tag, fitted, eve):
    deliver(tag, VISIT)
    end_fitting(by=eve, fitting=fitted, to_at=at(20))
    detect()
    wake_due(at(6000))
    assert not Violation.objects.filter(kind="silence").exists()


def test_a_report_that_makes_the_engine_fail_is_set_apart_and_the_rest_goes_on(zone, tag, fitted):
    poisoned = to_ms(VISIT[5].at)

    def failing(plan, state, batch, until_ms, **how):
        if (batch.time_ms == poisoned).any():
            raise ZeroDivisionError
        return evaluate(plan, state, batch, until_ms, **how)

    detector = Detector(engine=failing)
    deliver(tag, VISIT)
    assert detector.detect() == len(VISIT)
    apart = PoisonReport.objects.get()
    assert apart.report.time_ms == poisoned
    assert apart.why == "ZeroDivisionError"
    rest = [s for s in VISIT if to_ms(s.at) != poisoned]
    assert stored() == expected(rest)
    late = Sent(at(0.5), OUTSIDE)
    deliver(tag, [late])
    assert Detector(engine=failing).detect() == 1  # rewinding does not meet it again
    assert stored() == expected([*rest, late])


@pytest.mark.parametrize("spared", [0, 1])
def test_an_engine_that_is_ill_sets_no_report_apart(spared, zone, tag, fitted):
    """It fails whatever it is given, or whenever it is given anything."""

    def ill(plan, state, batch, until_ms, **how):
        if len(batch) >= spared:
            raise ZeroDivisionError
        return evaluate(plan, state, batch, until_ms, **how)

    sent = walk(*([OUTSIDE] * 30))
    deliver(tag, sent)
    with pytest.raises(ZeroDivisionError):
        Detector(engine=ill).detect()
    assert not PoisonReport.objects.exists()
    assert Detector().detect() == len(sent)
    assert stored() == expected(sent)


def test_a_stage_that_fails_at_its_last_statement_has_done_nothing(zone, tag, fitted):
    deliver(tag, VISIT)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER killed BEFORE INSERT ON kit_change "
            "BEGIN SELECT RAISE(ABORT, 'killed'); END"
        )
    with pytest.raises(IntegrityError, match="killed"):
        detect()
    assert Violation.objects.count() == WearerState.objects.count() == 0
    assert Checkpoint.objects.count() == Cursor.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER killed")
    assert detect() == len(VISIT)
    assert stored() == expected(VISIT)


def test_a_state_that_cannot_be_read_is_judged_again_from_the_reports(zone, tag, fitted):
    deliver(tag, VISIT[:5])
    detect()
    WearerState.objects.update(state=b"of another time")
    Checkpoint.objects.update(state=b"of another time")
    deliver(tag, VISIT[5:])
    detect()
    assert stored() == expected(VISIT)


def test_a_deadline_that_meets_an_unreadable_state_has_it_judged_again(zone, tag, fitted):
    deliver(tag, VISIT)
    detect()
    WearerState.objects.update(state=b"of another time")
    assert wake_due(at(600)) == 0
    assert detect() == 1
    assert wake_due(at(600)) >= 1
    assert stored() == expected(VISIT, until_ms=to_ms(at(600)))


def test_a_trail_shows_every_report_and_what_is_doubted_about_it(zone, tag, fitted, wes):
    far = (52.2, 0.1)
    cell = Sent(at(12), OUTSIDE, accuracy_m=180.0, source=Source.CELL)
    signal = Sent(at(13), signals=int(Signal.CHARGING))
    deliver(tag, [*VISIT, Sent(at(9.5), far), cell, signal])
    points = trail(wes, at(-60), at(60))
    assert [p.at for p in points] == sorted(p.at for p in points)
    assert len(points) == len(VISIT) + 3
    doubted = {p.at: p.doubts for p in points if p.doubts}
    assert doubted[at(9.5)] == ("farther than anyone can travel in the time",)
    assert doubted[at(12)] == ("by cell: can be hundreds of metres off",)
    assert set(doubted) == {at(9.5), at(12)}
    assert points[-1].lat is None
    assert points[-1].signals == ["charging"]


def test_a_buffer_cut_in_two_by_the_reading_is_not_called_silence(zone, tag, fitted):
    # Received now, dated hours ago: its deadlines lie in the past while the rest is unread.
    long = [Sent(at(10 * n), OUTSIDE, received_after_s=60_000 - 600 * n) for n in range(60)]
    long = [one for n, one in enumerate(long) if not 20 < n < 30]
    deliver(tag, long)
    detect(limit=21)
    wake_due(at(1000))
    assert WearerState.objects.get().judged_ms == to_ms(at(200))
    while detect(limit=21):
        wake_due(at(1000))
    assert stored() == expected(long, until_ms=WearerState.objects.get().judged_ms)
    assert not Correction.objects.exists()
