"""Proximity, live: a victim's device and a wearer's tag, through the same machinery as all else."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, time, timedelta

import numpy as np
import pytest

from ringfence.desk.cases.actions import (
    add_condition,
    add_order,
    add_wearer,
    change_condition,
    end_condition,
)
from ringfence.desk.cases.carrying_actions import end_carrying, give_device
from ringfence.desk.cases.models import Carrying, Tag
from ringfence.desk.cases.queries import engine_conditions
from ringfence.desk.cases.tag_actions import add_tag, end_fitting, fit_tag
from ringfence.desk.config.replaying import replay_stored
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring import late
from ringfence.desk.monitoring.detect import Detector
from ringfence.desk.monitoring.metrics import REPORTS_NOT_JUDGED
from ringfence.desk.monitoring.models import Correction, LateReports, Report, Violation, WearerState
from ringfence.desk.monitoring.queries import live_wearer, trail
from ringfence.desk.monitoring.report_evidence import report_evidence
from ringfence.engine import (
    Batch,
    Condition,
    Kind,
    Signal,
    Weekly,
    compile_plan,
    evaluate,
    initial_state,
    victim_number,
    violations,
    with_victims,
)
from ringfence.engine.fix import NO_POSITION
from ringfence.trail.replaying_files import Change
from tests.desk.conftest import START_AT
from tests.desk.monitoring.conftest import TEN, Sent, at, deliver, facts, stored
from tests.desk.monitoring.test_same_answer import life

pytestmark = pytest.mark.django_db
NEAR = Condition("near", "X000001", Kind.PROXIMITY, START_AT, victim="V1", distance_m=300.0)
HER_HOME = (51.5312, -0.1234)
HOURS = 10


@pytest.fixture
def phone(eve) -> Tag:
    return add_tag(by=eve, name="P1")[0]


@pytest.fixture
def near(ola, licence, vera):
    """Wes must keep 300 m away from Vera."""
    return add_condition(by=ola, order=licence, rule=NEAR, victim=vera)


def give(eve, phone, vera, from_at=START_AT, to_at=None) -> Carrying:
    return give_device(by=eve, tag=phone, victim=vera, consent="form", from_at=from_at, to_at=to_at)


@pytest.fixture
def carried(eve, phone, vera) -> Carrying:
    return give(eve, phone, vera)


def east_of_her(metres: float) -> tuple[float, float]:
    return HER_HOME[0], HER_HOME[1] + metres / 69_250.0


def approach(minutes: int = 40, start_m: float = 3000.0, every: float = 1.0) -> list[Sent]:
    """He walks towards her home at 84 m a minute."""
    return [
        Sent(at(n * every), east_of_her(start_m - 84.0 * n * every))
        for n in range(round(minutes / every))
    ]


def at_home(minutes: int = 40) -> list[Sent]:
    """Her phone says where she is on the half minute."""
    return [Sent(at(n + 0.4), east_of_her(n % 2)) for n in range(minutes)]


def evaluated(
    sent: dict[str, list[Sent]], hers: list[Sent], until_ms: int | None = None
) -> list[tuple[object, ...]]:
    """What `ringfence evaluate` says of the same reports of wearers and of Vera's device."""
    plan = compile_plan(
        engine_conditions(),
        start_at=TEN - timedelta(days=60),
        end_at=TEN + timedelta(days=60),
        wearers=list(sent),
    )
    parts = [_batch(rows, wearer=plan.index_of(crn)) for crn, rows in sent.items()]
    parts.append(_batch(hers, victim=victim_number("V1")))
    until = np.full(len(plan.wearers), -(2**62), np.int64)
    until[:] = until_ms if until_ms is not None else -(2**62)
    batch = with_victims(plan, Batch.concat(parts))
    result = evaluate(plan, initial_state(plan), batch, until)
    return sorted([facts(v) for v in violations(plan, result.events, result.state)], key=repr)


def _batch(sent: list[Sent], *, wearer: int = -1, victim: int = 0) -> Batch:
    batch = Batch.empty(len(sent))
    batch.wearer[:], batch.victim[:] = wearer, victim
    for n, one in enumerate(sent):
        for name, value in one.columns().items():
            if name in ("lat_e7", "lon_e7"):
                getattr(batch, name)[n] = NO_POSITION if value is None else value
            elif name != "received_ms":
                getattr(batch, name)[n] = np.nan if value is None else value
    return batch


def rounds(detector: Detector | None = None) -> None:
    detector = detector or Detector()
    while detector.detect():
        pass


def test_an_approach_is_found_live_as_evaluate_finds_it(near, carried, tag, fitted, phone):
    his, hers = approach(), at_home()
    for mine, her in zip(his, hers, strict=True):
        deliver(tag, [mine])
        deliver(phone, [her])
        rounds()
    assert stored() == evaluated({"X000001": his}, hers)
    said = Violation.objects.order_by("begin_at")
    assert [(v.kind, v.how, v.state) for v in said] == [
        ("proximity", "approached", "confirmed"),
        ("proximity", "entered", "confirmed"),
    ]
    assert not Correction.objects.exists()
    assert not any(v.late for v in said)


PIECES = [1, 1, 2, 5, 17]


def arrivals(rng: random.Random, his: list[Sent], hers: list[Sent]) -> list[tuple[str, list[Sent]]]:
    """Reports of both as they may come: held back, newest first, twice, in pieces of any size."""
    both = [("his", s) for s in his] + [("hers", s) for s in hers]
    held = [(w, s, s.at + timedelta(minutes=rng.choice([0, 0, 0, 0.2, 70, 200]))) for w, s in both]
    held += rng.sample(held, len(held) // 5)
    held.sort(key=lambda one: (one[2], -one[1].at.timestamp()))
    pieces, n = [], 0
    while n < len(held):
        size = rng.choice(PIECES)
        for whose in ("his", "hers"):
            piece = [s for w, s, _ in held[n : n + size] if w == whose]
            pieces += [(whose, piece)] if piece else []
        n += size
    return pieces


def wandering(rng: random.Random) -> tuple[list[Sent], list[Sent]]:
    """Half a day of both, often near one another, with gaps, cell fixes and signals."""
    his, hers = life(rng), life(rng)
    return his, [replace(s, at=s.at + timedelta(seconds=7)) for s in hers]


@pytest.mark.parametrize("seed", range(10))
def test_whatever_the_order_of_arrival_live_says_what_evaluate_says(
    seed, ola, square, licence, near, carried, tag, fitted, phone
):
    add_condition(by=ola, order=licence, rule=square)
    rng = random.Random(seed)
    his, hers = wandering(rng)
    end = TEN + timedelta(hours=HOURS + 6)
    detector, latest = Detector(), TEN
    for whose, piece in arrivals(rng, his, hers):
        if rng.random() < 0.2:
            detector = Detector(most_late=rng.choice([0, 1, 400]))
        deliver(tag if whose == "his" else phone, piece)
        latest = max(latest, *(s.at for s in piece))
        if rng.random() < 0.6:
            while detector.detect(rng.choice([3, 2000])):
                pass
        if rng.random() < 0.2:
            detector.wake_due(latest + timedelta(minutes=rng.choice([0, 30, 90])))
    rounds()
    Detector().wake_due(end)
    assert stored() == evaluated({"X000001": his}, hers, to_ms(end))
    assert Violation.objects.filter(kind="proximity", withdrawn_at=None).exists()
    done = replay_stored(Change(), by="shell:test", why="the same again")
    assert done.differences == ()
    assert done.reports == len(his) + len(hers)


def before(sent: list[Sent], when: datetime) -> list[Sent]:
    return [s for s in sent if s.at < when]


def since(sent: list[Sent], when: datetime) -> list[Sent]:
    return [s for s in sent if s.at >= when]


def judged_each(tag: Tag, phone: Tag, his: list[Sent], hers: list[Sent]) -> None:
    for mine, her in zip(his, hers, strict=True):
        deliver(tag, [mine])
        deliver(phone, [her])
        Detector().detect()


def test_a_late_fix_of_either_side_leads_to_what_on_time_would_have(
    near, carried, tag, fitted, phone
):
    his, hers = approach(), at_home()
    judged_each(tag, phone, his[:30], hers[:30])
    deliver(tag, his[34:])
    deliver(phone, hers[36:])
    rounds()
    deliver(phone, [replace(s, received_after_s=900.0) for s in hers[30:36]])
    deliver(tag, [replace(s, received_after_s=900.0) for s in his[30:34]])
    rounds()
    assert stored() == evaluated({"X000001": his}, hers)
    assert Correction.objects.filter(why="a report arrived late").exists()


def test_a_carrying_recorded_after_the_fact_is_judged_after_the_fact(
    near, eve, vera, tag, fitted, phone
):
    his, hers = approach(), at_home()
    judged_each(tag, phone, his, hers)
    assert stored() == evaluated({"X000001": his}, [])
    carrying = give(eve, phone, vera, from_at=at(10))
    rounds()
    assert stored() == evaluated({"X000001": his}, since(hers, at(10)))
    found = Violation.objects.get(how="entered")
    assert found.late
    correction = Correction.objects.get(violation=found)
    assert correction.why == "a protected person’s device was given or taken back"
    assert correction.cause["carrying"] == carrying.pk
    assert not {"V1", "P1"} & set(map(str, correction.cause.values()))


def test_consent_withdrawn_for_the_past_takes_its_violations_away(
    near, carried, eve, tag, fitted, phone
):
    his, hers = approach(), at_home()
    judged_each(tag, phone, his, hers)
    assert Violation.objects.filter(how="entered", withdrawn_at=None).exists()
    end_carrying(by=eve, carrying=carried, to_at=at(20), reason="consent withdrawn")
    rounds()
    assert stored() == evaluated({"X000001": his}, before(hers, at(20)))
    assert Violation.objects.get(how="entered").withdrawn_at is not None


def test_a_condition_that_is_new_knows_what_came_before_it(
    ola, licence, vera, carried, tag, fitted, phone
):
    """It begins at 10:38, between two reports, and he is near her then: he was already."""
    his, hers = approach(), at_home()
    judged_each(tag, phone, his[:38], hers[:38])
    rule = replace(NEAR, from_at=at(37.9))
    add_condition(by=ola, order=licence, rule=rule, victim=vera)
    judged_each(tag, phone, his[38:], hers[38:])
    assert stored() == evaluated({"X000001": his}, hers)
    assert Violation.objects.filter(how="present_at_start", state="confirmed").exists()


def test_a_condition_that_changed_or_ended_is_judged_so_from_then_on(
    ola, near, carried, tag, fitted, phone
):
    his, hers = approach(), at_home()
    judged_each(tag, phone, his, hers)
    nearer = replace(NEAR, distance_m=100.0)
    change_condition(by=ola, condition=near, rule=nearer, effective_at=at(20), reason="court")
    rounds()
    assert stored() == evaluated({"X000001": his}, hers)
    end_condition(by=ola, condition=near, ended_at=at(30), reason="over")
    rounds()
    assert stored() == evaluated({"X000001": his}, hers)
    assert not Violation.objects.filter(how="entered", withdrawn_at=None).exists()
    done = replay_stored(Change(), by="shell:test", why="the same again")
    assert done.differences == ()


def test_a_victim_whose_device_is_silent_makes_him_unknown_never_clear(
    near, carried, tag, fitted, phone, wes
):
    judged_each(tag, phone, approach(10), at_home(10))
    assert live_wearer(wes).standing == "clear"
    deliver(tag, approach(30)[10:])
    rounds()
    assert live_wearer(wes).standing == "no_data"
    assert not Violation.objects.exists()


def test_time_alone_makes_her_place_too_old(near, carried, tag, fitted, phone, wes):
    judged_each(tag, phone, approach(10), at_home(10))
    quiet_at = at(9.4) + timedelta(seconds=900)
    deliver(tag, [Sent(quiet_at - timedelta(seconds=60), approach()[9].place)])
    rounds()
    assert Detector().wake_due(quiet_at - timedelta(seconds=1)) == 0
    assert live_wearer(wes).standing == "clear"
    Detector().wake_due(quiet_at)
    assert live_wearer(wes).standing == "no_data"


def test_what_her_device_says_of_itself_accuses_nobody(near, carried, tag, fitted, phone):
    his = approach(10)
    bad = Signal.STRAP_CUT | Signal.BATTERY_CRITICAL | Signal.POWER_OFF | Signal.GNSS_JAMMED
    judged_each(tag, phone, his, [replace(s, signals=int(bad)) for s in at_home(10)])
    assert not Violation.objects.exists()


def test_her_reports_are_no_sign_of_life_of_his_tag(near, carried, tag, fitted, phone, wes):
    deliver(tag, [Sent(at(0), east_of_her(5000))])
    deliver(phone, [replace(s, signals=int(Signal.BATTERY_LOW)) for s in at_home(300)])
    rounds()
    shown = live_wearer(wes)
    assert (shown.last_report_at, shown.last_received_at) == (at(0), at(0) + timedelta(seconds=1))
    assert Violation.objects.filter(kind="silence").exists()


def test_before_his_tag_is_on_and_after_it_is_off_her_reports_are_not_his(
    near, carried, eve, tag, wes, phone
):
    """What is due of a wearer without a tag is nobody's: her fixes must not move his clock."""
    deliver(phone, at_home(20))
    rounds()
    assert not WearerState.objects.exists()
    fitting = fit_tag(by=eve, tag=tag, wearer=wes, from_at=at(5))
    deliver(tag, since(approach(20), at(5)))
    rounds()
    end_fitting(by=eve, fitting=fitting, to_at=at(20))
    rounds()
    deliver(phone, [Sent(at(n + 0.4), HER_HOME) for n in range(20, 400)])
    rounds()
    Detector().wake_due(at(600))
    assert WearerState.objects.get().judged_ms < to_ms(at(20))
    assert not Violation.objects.filter(kind="silence").exists()
    assert stored() == evaluated({"X000001": since(approach(20), at(5))}, since(at_home(20), at(5)))


def test_one_victim_may_be_kept_from_several(ola, eve, near, carried, vera, tag, fitted, phone):
    other = add_wearer(by=ola, crn="X000002")
    order = add_order(by=ola, wearer=other, reference="O2", type="licence", from_at=START_AT)
    rule = replace(NEAR, id="other", wearer="X000002", distance_m=150.0)
    add_condition(by=ola, order=order, rule=rule, victim=vera)
    second = add_tag(by=eve, name="T2")[0]
    fit_tag(by=eve, tag=second, wearer=other, from_at=at(-60))
    his, hers = approach(), at_home()
    theirs = [replace(s, at=s.at + timedelta(seconds=11)) for s in his]
    for n, her in enumerate(hers):
        deliver(tag, his[n : n + 1])
        deliver(phone, [her])
        deliver(second, theirs[n : n + 1])
        Detector().detect()
    assert stored() == evaluated({"X000001": his, "X000002": theirs}, hers)
    assert Violation.objects.filter(how="entered", state="confirmed").count() == 2


def test_a_device_passed_on_to_a_wearer_takes_nothing_of_hers_with_it(
    near, carried, eve, tag, fitted, phone, ola
):
    his, hers = approach(), at_home()
    judged_each(tag, phone, his[:20], hers[:20])
    end_carrying(by=eve, carrying=carried, to_at=at(20), reason="handed back")
    other = add_wearer(by=ola, crn="X000002", name="Walt")
    fit_tag(by=eve, tag=phone, wearer=other, from_at=at(21))
    deliver(phone, hers[21:])
    deliver(tag, his[20:])
    rounds()
    assert [p.at for p in trail(other, at(0), at(60))] == [s.at for s in hers[21:]]
    said = {"X000001": his, "X000002": hers[21:]}
    assert stored() == evaluated(said, before(hers, at(20)))


def test_a_report_of_hers_that_is_unread_holds_back_what_is_due_of_him(
    near, carried, tag, fitted, phone
):
    deliver(tag, [Sent(at(0), east_of_her(5000))])
    rounds()
    deliver(phone, [Sent(at(1), HER_HOME, received_after_s=100_000.0)])
    assert Detector().wake_due(at(600)) == 0


def test_reports_that_overtake_one_another_by_seconds_are_not_late(
    near, carried, tag, fitted, phone
):
    """Two devices have two ways here: on each of these rounds his report is from before hers."""
    his, hers = approach(), at_home()
    for mine, her in zip(his, hers, strict=True):
        deliver(phone, [her])
        Detector().detect()
        deliver(tag, [replace(mine, received_after_s=30.0)])
        Detector().detect()
    assert stored() == evaluated({"X000001": his}, hers)
    assert Violation.objects.filter(state="confirmed").count() == 2
    assert not Violation.objects.filter(late=True).exists()
    assert not Correction.objects.filter(what="found_late").exists()
    assert not Correction.objects.filter(why="a report arrived late").exists()


def test_what_is_seconds_behind_the_other_device_waits_for_nothing(
    near, carried, tag, fitted, phone
):
    his, hers = approach(), at_home()
    deliver(tag, his[:5])
    deliver(phone, hers[:6])
    rounds()
    deliver(tag, his[5:6])  # by the clock that her device moved it is late
    Detector(most_late=0).detect()
    assert not LateReports.objects.exists()
    deliver(tag, [Sent(at(2.2), his[2].place, received_after_s=600.0)])
    Detector(most_late=0).detect()
    assert LateReports.objects.count() == late.waiting() == 1
    rounds()
    assert late.waiting() == 0


def test_a_victims_device_near_whom_nobody_is_judged_is_not_called_nobodys(carried, phone):
    kept = REPORTS_NOT_JUDGED.labels("victim")._value.get()
    nobodys = REPORTS_NOT_JUDGED.labels("nobody")._value.get()
    deliver(phone, at_home(3))
    rounds()
    assert REPORTS_NOT_JUDGED.labels("victim")._value.get() == kept + 3
    assert REPORTS_NOT_JUDGED.labels("nobody")._value.get() == nobodys


def test_without_a_carried_device_a_round_asks_no_question_more(
    near, tag, fitted, django_assert_num_queries
):
    detector = Detector()
    deliver(tag, approach(3))
    rounds(detector)
    with django_assert_num_queries(1):
        detector.fitted.refresh()


def test_her_report_as_evidence_names_the_violations_that_it_decided(
    near, carried, tag, fitted, phone
):
    judged_each(tag, phone, approach(), at_home())
    found = Violation.objects.get(how="entered")
    report = Report.objects.get(tag=phone, time_ms=to_ms(found.deepest_fix_at))
    evidence = report_evidence(report.pk)
    assert evidence is not None
    assert (evidence.victim.label, evidence.wearer, evidence.no_part) == ("V1", None, "")
    assert found in [part.violation for part in evidence.parts]


def test_a_wearer_whose_tag_never_reported_is_accused_of_nothing_by_her_fixes(
    ola, licence, square, near, carried, tag, fitted, phone
):
    """Her fixes move his clock past the hour at which he was to be there."""
    noon = Weekly(("mon",), time(11), time(11, 30))
    rule = replace(square, id="c2", kind=Kind.ATTENDANCE, when=(noon,), buffer_m=0.0)
    add_condition(by=ola, order=licence, rule=rule)
    deliver(phone, at_home(200))
    rounds()
    Detector().wake_due(at(400))
    assert not Violation.objects.exists()
