"""What is pressing does not wait behind a wave of silences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.desk.alerts.ahead import next_of
from ringfence.desk.alerts.models import Alert, Moment, PressingViolation
from ringfence.desk.alerts.opening import open_alerts
from ringfence.desk.cases.actions import add_wearer
from ringfence.desk.cases.models import Wearer
from ringfence.desk.monitoring.models import Violation
from tests.desk.alerts.conftest import Find, at

pytestmark = pytest.mark.django_db

Silence = Callable[[], Violation]
SILENT: dict[str, Any] = {"kind": "silence", "how": "silent", "condition_key": "", "depth_m": None}


@pytest.fixture
def others(ola) -> list[Wearer]:
    """A network's failure: six whose tags fall silent."""
    return [add_wearer(by=ola, crn=f"X50000{n}") for n in range(6)]


def silent(find: Find, others: list[Wearer]) -> list[Violation]:
    return [find(wearer=wearer, **SILENT) for wearer in others]


def kinds() -> list[str]:
    return list(Alert.objects.order_by("opened_at", "id").values_list("kind", flat=True))


def test_an_entry_is_told_at_the_next_reading_however_many_silences_wait(find, others, wes):
    silent(find, others)
    find()
    assert open_alerts(limit=4)
    assert kinds().count("exclusion") == 1


def test_what_waited_is_read_in_its_turn_and_nothing_twice(find, others, wes):
    silent(find, others)
    find()
    while open_alerts(limit=4):
        pass
    assert sorted(kinds()) == ["exclusion", *["silence"] * 6]
    assert Moment.objects.count() == 7


def test_what_was_read_early_is_forgotten_once_the_reading_has_passed_it(find, others, wes):
    silent(find, others)
    find()
    while open_alerts(limit=4):
        pass
    find(**SILENT)
    open_alerts(limit=4)
    assert not PressingViolation.objects.exists()


def test_a_wearers_own_are_read_in_their_order(find, others, wes):
    """The strap was cut after the silence began: both are read, the silence first."""
    silent(find, others)
    mine = find(**SILENT)
    cut = find(kind="tamper", how="strap_cut", condition_key="", begin_at=at(3), depth_m=None)
    assert next_of(0, limit=4)[0][-2:] == [mine, cut]


def test_what_changes_after_it_was_read_early_is_read_again(find, others, wes):
    silent(find, others)
    entry = find()
    open_alerts(limit=4)
    find(entry, end_at=at(9), ended_by="left")
    while open_alerts(limit=4):
        pass
    alert = Alert.objects.get(kind="exclusion")
    assert not alert.ongoing
    assert [m.what for m in Moment.objects.filter(alert=alert).order_by("id")] == [
        "opened",
        "ended",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "possible", "confirmed_at": None},
        {"withdrawn_at": at(5), "withdrawn_why": "a report arrived late"},
        {"late": True, "end_at": at(2), "ended_by": "left"},
        SILENT,
    ],
    ids=["only possible", "withdrawn", "long over", "not pressing"],
)
def test_what_is_not_pressing_waits_its_turn(find, others, wes, changes):
    silent(find, others)
    last = find(**changes)
    assert last not in next_of(0, limit=4)[0]


def test_a_wave_of_pressing_ones_stops_nothing(find, others, wes):
    silent(find, others[:3])
    for wearer in others:
        find(wearer=wearer, condition_key="c2")
    open_alerts(limit=4)
    assert kinds().count("silence") == 2
    assert kinds().count("exclusion") == 2
