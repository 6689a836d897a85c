"""Promise 2 in the desk: arrival, repeats, restarts and ticks mean nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import time, timedelta

import pytest

from ringfence.desk.cases.actions import add_condition
from ringfence.desk.kit.clock import to_ms
from ringfence.desk.monitoring.detect import Detector
from ringfence.desk.monitoring.models import Checkpoint, Correction, Violation
from ringfence.engine import Absence, Kind, Signal, Source, Weekly
from tests.desk.monitoring.conftest import TEN, Sent, at, deliver, expected, stored

pytestmark = pytest.mark.django_db
HOURS = 10
SIGNALS = [Signal.STRAP_CUT, Signal.BATTERY_LOW, Signal.CHARGING, Signal.CASE_OPEN, Signal.STRAP_OK]
NIGHT = Weekly(("mon", "tue"), time(14), time(18))
MONDAY_NOON = Weekly(("mon",), time(12), time(12, 30))


@pytest.fixture
def rules(ola, licence, square):
    """Wes must keep out of the square, be at home in the afternoon, and report at noon."""
    home = {"type": "Point", "coordinates": [-0.08, 51.505]}
    disc = replace(square, geometry=home, radius_m=150.0, buffer_m=0.0)
    away = (Absence(at(290), at(310), "hospital"),)
    for rule in (
        square,
        replace(disc, id="c2", kind=Kind.CURFEW, when=(NIGHT,), absences=away),
        replace(disc, id="c3", kind=Kind.ATTENDANCE, when=(MONDAY_NOON,)),
    ):
        add_condition(by=ola, order=licence, rule=rule)


def life(rng: random.Random) -> list[Sent]:
    """Half a day of wandering about the square and home, with gaps, cell fixes and signals."""
    sent, east, north, minute = [], 0.0, 0.0, 0.0
    while minute < 60 * HOURS:
        minute += rng.choice([0.25, 1, 1, 1, 1, 5, 5, 45, 90])
        east, north = 0.9 * east + rng.gauss(0, 0.003), 0.9 * north + rng.gauss(0, 0.002)
        cell = rng.random() < 0.3
        wide = 0.002 if cell else 0.0001
        place = (51.505 + north + rng.gauss(0, wide), -0.088 + east + rng.gauss(0, wide))
        sent.append(
            Sent(
                at(minute),
                None if rng.random() < 0.05 else place,
                accuracy_m=rng.choice([4.0, 8.0, 30.0, None]) if not cell else 180.0,
                source=Source.CELL if cell else Source.GNSS,
                signals=int(rng.choice(SIGNALS)) if rng.random() < 0.04 else 0,
            )
        )
    return sent


def arrivals(rng: random.Random, sent: list[Sent]) -> list[list[Sent]]:
    """The same reports as they may come: held back, newest first, twice, in pieces of any size."""
    held = [(s, s.at + timedelta(minutes=rng.choice([0, 0, 0, 0, 70, 200]))) for s in sent]
    held += rng.sample(held, len(held) // 5)
    held.sort(key=lambda pair: (pair[1], -pair[0].at.timestamp()))
    pieces, n = [], 0
    while n < len(held):
        size = rng.choice([1, 1, 2, 5, 17])
        pieces.append([s for s, _ in held[n : n + size]])
        n += size
    return pieces


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_arrival_repeats_restarts_and_ticks_mean_nothing(seed, rules, tag, fitted):
    rng = random.Random(seed)
    sent = life(rng)
    end = TEN + timedelta(hours=HOURS + 6)
    detector = Detector()
    latest = TEN
    for piece in arrivals(rng, sent):
        if rng.random() < 0.3:
            detector = Detector(most_late=rng.choice([0, 1, 400]))
        deliver(tag, piece)
        latest = max(latest, *(s.at for s in piece))
        if rng.random() < 0.7:
            while detector.detect(rng.choice([3, 2000])):
                pass
        if rng.random() < 0.3:
            detector.wake_due(latest + timedelta(minutes=rng.choice([0, 30, 90])))
    detector = Detector()
    while detector.detect():
        pass
    detector.wake_due(end)
    assert stored() == expected(sent, until_ms=to_ms(end))
    assert Violation.objects.filter(withdrawn_at=None).count() > 3


def test_checkpoints_stay_bounded_and_are_not_needed(rules, tag, fitted):
    sent = life(random.Random(99))
    days = [replace(s, at=s.at + timedelta(days=d)) for d in range(5) for s in sent]
    detector = Detector()
    for n in range(0, len(days), 20):
        deliver(tag, days[n : n + 20])
        detector.detect()
    assert 5 < Checkpoint.objects.count() <= 96 + 5
    Checkpoint.objects.all().delete()
    late = Sent(at(3.33), (51.505, -0.095))
    deliver(tag, [late])
    detector.detect()
    assert stored() == expected([*days, late])
    assert Correction.objects.filter(what="found_late").count() < 5
