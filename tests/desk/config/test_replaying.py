"""Old profiles replay old decisions; a change says what it would change, and of whom."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.desk.audit.actions import MissingReasonError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.actions import change_condition, end_condition
from ringfence.desk.cases.models import Condition as ConditionRow
from ringfence.desk.config import replaying
from ringfence.desk.config.replaying import replay_stored
from ringfence.desk.monitoring import detect as stage
from ringfence.desk.monitoring.detect import Detector, detect
from ringfence.desk.monitoring.models import Correction, Violation
from ringfence.engine.conditions import Condition
from ringfence.trail.replaying_files import Change
from tests.desk.monitoring.conftest import (  # noqa: F401 -- fixtures
    INSIDE,
    OUTSIDE,
    TEN,
    VISIT,
    at,
    deliver,
    fitted,
    fresh_caches,
    tag,
    walk,
    zone,
)
from tests.desk.monitoring.test_same_answer import HOURS, arrivals, life, rules  # noqa: F401

pytestmark = pytest.mark.django_db
NO_CHANGE = Change()
WHY = "would another profile have said so?"


def replayed(change: Change = NO_CHANGE):
    return replay_stored(change, by="shell:test", why=WHY)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("piece_h", [2, 24 * 14])
def test_an_archive_judged_again_is_the_archive(
    seed,
    piece_h,
    rules,  # noqa: F811
    tag,  # noqa: F811
    fitted,  # noqa: F811
    ola,
    monkeypatch,
):
    """Reports came late, twice and shuffled; conditions were edited; the monitor was restarted."""
    monkeypatch.setattr(replaying, "PIECE_MS", piece_h * 3_600_000)
    rng = random.Random(seed)
    days = [replace(s, at=s.at + timedelta(days=d)) for d in range(3) for s in life(rng)]
    pieces = arrivals(rng, days)
    detector = Detector()
    for n, piece in enumerate(pieces):
        deliver(tag, piece)
        detector = Detector() if n % 7 == 0 else detector
        detector.detect()
        if n == len(pieces) // 2:
            curfew = ConditionRow.objects.get(key="c2")
            end_condition(by=ola, condition=curfew, ended_at=at(200), reason="varied")
    while detector.detect():
        pass
    detector.wake_due(TEN + timedelta(days=3, hours=HOURS))
    done = replayed()
    assert done.differences == ()
    assert done.reports > 30
    assert sum(done.after.values()) == Violation.objects.filter(withdrawn_at=None).count() > 3
    assert Correction.objects.exists()


def test_another_profile_says_what_it_would_change_and_nothing_is_written(zone, tag, fitted):  # noqa: F811
    deliver(tag, VISIT)
    detect()
    before = list(Violation.objects.values())
    done = replayed(Change(profile="cautious"))
    moved = [d for d in done.differences if d.alerts]
    assert moved
    assert all("cautious/1" in d.why for d in moved)
    assert list(Violation.objects.values()) == before
    assert replayed(Change(profile="standard/1")).differences == ()


def test_a_zone_drawn_otherwise_says_what_it_would_have_meant(zone: Condition, tag, fitted):  # noqa: F811
    deliver(tag, VISIT)
    detect()
    far = {"type": "Point", "coordinates": [1.0, 50.0]}
    moved = replace(zone, geometry=far, radius_m=50.0, buffer_m=0.0)
    done = replayed(Change(conditions=(moved,)))
    assert {d.what for d in done.differences} == {"only_old"}
    assert done.before["confirmed"] >= 1
    assert not done.after
    added = replayed(Change(conditions=(replace(zone, id="c9"),)))
    assert {d.what for d in added.differences} == {"only_new"}
    left_out = replayed(Change(without=("c1",)))
    assert {d.what for d in left_out.differences} == {"only_old"}
    same = replayed(Change(conditions=(zone,)))
    assert same.differences == ()


def test_it_can_be_asked_of_a_time_and_of_a_wearer(zone, tag, fitted):  # noqa: F811
    deliver(tag, VISIT)
    detect()
    assert replayed(Change(without=("c1",), from_at=at(60))).differences == ()
    assert replayed(Change(without=("c1",), to_at=at(1))).differences == ()
    assert replayed(Change(without=("c1",), wearer="X000001")).differences
    with pytest.raises(ValueError, match="check the CRN"):
        replayed(Change(wearer="X999999"))


def test_what_was_recorded_otherwise_is_found(zone, tag, fitted):  # noqa: F811
    deliver(tag, VISIT)
    detect()
    Violation.objects.filter(how="entered").update(confirmed_at=at(99))
    (one,) = replayed().differences
    assert (one.what, one.alerts) == ("changed", True)


def test_a_look_at_the_archive_is_recorded_with_its_reason(zone, tag, fitted, wes):  # noqa: F811
    deliver(tag, VISIT)
    detect()
    with pytest.raises(MissingReasonError):
        replay_stored(NO_CHANGE, by="shell:test", why=" ")
    replayed(Change(wearer="X000001", profile="naive"))
    entry = Entry.objects.get(event="violations.replayed")
    assert (entry.subject, entry.reason) == (f"wearer:{wes.public_id}", WHY)
    assert entry.detail["profile"] == "naive"


def test_an_edited_condition_replays_with_its_versions(zone, tag, fitted, ola):  # noqa: F811
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
    stage.forget()
    deliver(tag, [*VISIT[6:], *VISIT[2:4]])
    detect()
    assert replayed().differences == ()
