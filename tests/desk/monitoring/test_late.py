"""What comes late, or after a silence, of many wearers waits its turn; live reports do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection

from ringfence.desk.cases.actions import add_condition, add_order, add_wearer
from ringfence.desk.cases.tag_actions import add_tag, fit_tag
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring import late
from ringfence.desk.monitoring.detect import Detector
from ringfence.desk.monitoring.models import Correction, LateReports, Violation, WearerState
from ringfence.desk.monitoring.queries import oldest_late_ms
from ringfence.engine.fix import Signal
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


@pytest.fixture
def other(ola, eve, square):
    """Another wearer, who must keep out of the same square."""
    wearer = add_wearer(by=ola, crn="X000002")
    tag = add_tag(by=eve, name="T2")[0]
    fit_tag(by=eve, tag=tag, wearer=wearer, from_at=at(-60))
    order = add_order(by=ola, wearer=wearer, reference="O2", type="licence", from_at=at(-600))
    add_condition(by=ola, order=order, rule=replace(square, id="other", wearer="X000002"))
    return tag


def rounds(detector: Detector) -> int:
    count = 0
    while detector.detect():
        count += 1
    return count


def test_newest_first_one_by_one_gives_the_same_answer_whoever_waits(zone, tag, fitted, other):
    for sent in reversed(VISIT):
        deliver(tag, [sent])
        deliver(other, [sent])
        Detector(most_late=1).detect()
    rounds(Detector(most_late=1))
    assert LateReports.objects.count() == 0
    mine, others = ([row for row in stored() if row[1] == key] for key in (zone.id, "other"))
    assert [row[2:] for row in mine] == [row[2:] for row in others]
    assert [row for row in expected(VISIT) if row[1] == zone.id] == mine


def test_what_came_late_in_many_pieces_is_judged_again_once(zone, tag, fitted, other):
    deliver(tag, VISIT[-1:])
    deliver(other, VISIT[-1:])
    Detector().detect()
    waiting = Detector(most_late=0)
    for sent in reversed(VISIT[:-1]):
        deliver(tag, [sent])
        waiting.detect()
    noted = LateReports.objects.get()
    assert (noted.from_ms, noted.reports) == (to_ms(VISIT[0].at), len(VISIT) - 1)
    assert oldest_late_ms() == to_ms(VISIT[0].at) + 1000
    assert rounds(Detector()) == 1
    assert oldest_late_ms() is None
    assert stored() == expected(VISIT)


def test_a_live_report_is_judged_while_late_ones_wait(zone, tag, fitted, other):
    deliver(tag, VISIT[5:])
    deliver(other, VISIT[:2])
    Detector().detect()
    deliver(tag, VISIT[:5])
    deliver(other, VISIT[2:])
    Detector(most_late=0).detect()
    assert LateReports.objects.get().wearer_id == fitted.wearer_id
    assert Violation.objects.filter(condition_key="other", state="confirmed").exists()


def test_its_own_live_reports_are_judged_beside_a_wearers_late_ones(zone, tag, fitted):
    deliver(tag, VISIT[2:4])
    Detector().detect()
    deliver(tag, [*VISIT[:2], *VISIT[4:]])
    Detector(most_late=0).detect()
    assert LateReports.objects.get().reports == 2
    assert WearerState.objects.get().judged_ms == to_ms(VISIT[-1].at)
    rounds(Detector())
    assert stored() == expected(VISIT)


def test_a_tag_that_is_back_waits_behind_those_that_never_stopped(zone, tag, fitted, other):
    for one in (tag, other):
        deliver(one, VISIT[:1])
    Detector().detect()
    deliver(tag, walk(INSIDE, INSIDE, start=30))
    deliver(other, VISIT[1:])
    Detector(most_late=0).detect()
    assert LateReports.objects.get().wearer_id == fitted.wearer_id
    assert WearerState.objects.get(wearer=fitted.wearer_id).judged_ms == to_ms(VISIT[0].at)
    assert Violation.objects.filter(condition_key="other", state="confirmed").exists()
    assert Detector().detect()
    assert not LateReports.objects.exists()
    mine = [row for row in stored() if row[1] == zone.id]
    assert mine == expected([VISIT[0], *walk(INSIDE, INSIDE, start=30)])


def test_a_strap_cut_just_now_is_judged_at_once_with_all_that_waits_of_its_wearer(
    zone, tag, fitted, other
):
    deliver(tag, VISIT[:1])
    Detector().detect()
    kept = walk(OUTSIDE, INSIDE, INSIDE, start=30)
    deliver(tag, kept)
    Detector(most_late=0).detect()
    assert LateReports.objects.get().wearer_id == fitted.wearer_id
    cut = Sent(at(33), signals=int(Signal.STRAP_CUT))
    late = Sent(at(29), OUTSIDE, received_after_s=300)
    deliver(tag, [cut, late])
    Detector(most_late=0).detect()
    assert not LateReports.objects.exists()
    assert Violation.objects.get(kind="tamper").begin_at == at(33)
    assert stored() == expected([VISIT[0], late, *kept, cut])


def test_what_a_tag_kept_is_judged_once_if_it_waited_from_the_first(zone, tag, fitted):
    waiting = Detector(most_late=0)
    waiting.detect()  # reads the conditions: who has a new one is judged at once
    for sent in reversed(VISIT):  # newest first, of a wearer of whom nothing was ever judged
        deliver(tag, [sent])
        waiting.detect()
    noted = LateReports.objects.get()
    assert (noted.from_ms, noted.to_ms) == (to_ms(VISIT[0].at), to_ms(VISIT[-1].at))
    assert (noted.reports, noted.late) == (len(VISIT), 0)
    assert rounds(Detector()) == 1
    assert stored() == expected(VISIT)
    assert not Correction.objects.exists()


def test_a_memory_emptied_oldest_first_is_judged_before_what_comes_live(zone, tag, fitted):
    deliver(tag, VISIT[:1])
    Detector().detect()
    waiting = Detector(most_late=0)
    after_s = [(sent.at - VISIT[0].at).total_seconds() for sent in VISIT]
    deliver(tag, [replace(VISIT[n], received_after_s=250 - after_s[n]) for n in (1, 2, 3)])
    waiting.detect()
    assert LateReports.objects.get().reports == 3
    deliver(tag, VISIT[4:])
    waiting.detect()
    assert not LateReports.objects.exists()
    assert stored() == expected(VISIT)
    assert not Correction.objects.exists()


def test_a_changed_condition_takes_up_what_waits(zone, ola, tag, fitted, licence, square):
    deliver(tag, VISIT[:1])
    Detector().detect()
    deliver(tag, [replace(sent, received_after_s=900) for sent in VISIT[1:]])
    waiting = Detector(most_late=0)
    waiting.detect()
    assert LateReports.objects.get().reports == len(VISIT) - 1
    add_condition(by=ola, order=licence, rule=replace(square, id="more"))
    waiting.detect()
    assert not LateReports.objects.exists()
    assert stored() == expected(VISIT)


def test_a_correction_counts_what_was_late_and_not_what_waited_with_it(zone, tag, fitted):
    deliver(tag, VISIT[4:6])
    Detector().detect()
    waiting = Detector(most_late=0)
    late_ms = to_ms(VISIT[-1].at) + 600_000
    sent = [*VISIT[:4], *VISIT[6:]]
    deliver(tag, [replace(s, received_after_s=(late_ms - to_ms(s.at)) / 1000) for s in sent])
    waiting.detect()
    assert (LateReports.objects.get().reports, LateReports.objects.get().late) == (8, 4)
    rounds(Detector())
    assert stored() == expected(VISIT)
    assert {c.cause["late"] for c in Correction.objects.all()} == {4}


def test_who_waited_longest_is_taken_up_first(zone, tag, fitted, other):
    for one in (tag, other):
        deliver(one, VISIT[5:])
    Detector().detect()
    waiting = Detector(most_late=0)
    deliver(other, [replace(VISIT[0], received_after_s=4000)])
    waiting.detect()
    deliver(tag, [replace(VISIT[0], received_after_s=3600)])
    waiting.detect()
    deliver(other, walk(OUTSIDE, start=30))  # something new has come: so few are judged again
    Detector(most_late=1).detect()
    assert LateReports.objects.get().wearer_id != fitted.wearer_id


def test_silence_waits_for_what_came_late(zone, tag, fitted):
    deliver(tag, walk(OUTSIDE))
    Detector().detect()
    wake_ms = WearerState.objects.get().wake_ms
    deliver(tag, walk(OUTSIDE, start=-5))
    Detector(most_late=0).detect()
    assert LateReports.objects.exists()
    assert Detector().wake_due(at(60 * 24)) == 0
    rounds(Detector())
    assert WearerState.objects.get().wake_ms == wake_ms
    assert Detector().wake_due(at(60 * 24)) > 0


def test_killed_before_the_commit_nothing_waits_twice(zone, tag, fitted):
    deliver(tag, VISIT[5:])
    Detector().detect()
    deliver(tag, VISIT[:5])

    def killed(execute, sql, params, many, context):
        if "monitoring_latereports" in sql and sql.startswith("INSERT"):
            raise IntegrityError("killed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(killed), pytest.raises(IntegrityError):
        Detector(most_late=0).detect()
    assert not LateReports.objects.exists()
    Detector(most_late=0).detect()
    assert LateReports.objects.get().reports == 5
    rounds(Detector())
    assert stored() == expected(VISIT)


def test_a_turn_comes_after_a_quiet_moment_or_long_patience(zone, tag, fitted, other):
    for one in (tag, other):
        deliver(one, VISIT[9:])
    Detector().detect()
    waiting = Detector(most_late=0)
    deliver(tag, [replace(VISIT[0], received_after_s=3600)])
    waiting.detect()
    first_ms = LateReports.objects.get().received_ms
    assert not late.ripe(9, first_ms + late.QUIET_MS - 1)
    assert late.ripe(9, first_ms + late.QUIET_MS)
    for n in range(1, 9):  # one report after the other: never quiet
        sent = VISIT[n]
        after_s = 3600 + n * 3 - (sent.at - VISIT[0].at).total_seconds()
        deliver(tag, [replace(sent, received_after_s=after_s)])
    waiting.detect()
    latest_ms = LateReports.objects.get().latest_ms
    assert latest_ms == first_ms + 24_000
    LateReports.objects.update(latest_ms=first_ms + late.PATIENCE_MS)  # not quiet yet
    assert [one.wearer_id for one in late.ripe(9, first_ms + late.PATIENCE_MS)] == [
        fitted.wearer_id
    ]


def test_whoever_may_be_inside_waits_a_shorter_time(zone, tag, fitted, other):
    deliver(tag, VISIT[4:7])
    deliver(other, VISIT[7:])
    Detector().detect()
    sent = [replace(VISIT[0], received_after_s=3600), replace(VISIT[1], received_after_s=3555)]
    for one in (tag, other):
        deliver(one, sent)
    Detector(most_late=0).detect()
    first_ms = LateReports.objects.filter(wearer=fitted.wearer_id).get().received_ms
    LateReports.objects.update(latest_ms=first_ms + late.SHORT_PATIENCE_MS)
    found = late.ripe(9, first_ms + late.SHORT_PATIENCE_MS)
    assert [one.wearer_id for one in found] == [fitted.wearer_id]


def test_a_clock_set_back_keeps_nobody_waiting(zone, tag, fitted):
    deliver(tag, VISIT[9:])
    Detector().detect()
    deliver(tag, [VISIT[0]])
    Detector(most_late=0).detect()
    assert late.ripe(9, LateReports.objects.get().received_ms - 3_600_000)
