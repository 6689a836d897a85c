"""The bytes under the reports are those that came, or it shows."""

from __future__ import annotations

from hashlib import sha256

import pytest
from django.db import connection

from ringfence.desk.cases.feed_actions import add_feed
from ringfence.desk.cases.models import Fitting, Tag, Wearer
from ringfence.desk.kit.acting import action
from ringfence.desk.monitoring.evidence import check_frames, check_some_frames
from ringfence.desk.monitoring.inspecting import note_inspection
from ringfence.desk.monitoring.models import Frame, Quarantine
from ringfence.desk.monitoring.storing import store
from ringfence.gateway.report import Delivery, KnownFeed, KnownTag, SetApart, seal
from tests.desk.monitoring.conftest import at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def frames(tag: Tag) -> list[int]:
    """Five frames, each with a report and bytes of its own."""
    nothing = (None, None, None, 0, None, None, None, None, None, None, 0)
    store(
        [
            Delivery(
                KnownTag(tag.pk, "T1"), "reports", "", b"frame %d" % n, 0, [seal((n, n, *nothing))]
            )
            for n in range(5)
        ]
    )
    return list(Frame.objects.order_by("id").values_list("id", flat=True))


def altered(sql: str, frame: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE monitoring_frame SET {sql} WHERE id = %s", [frame])  # noqa: S608
    return [*check_frames()][-1].altered


def test_every_frame_is_stored_with_the_hash_of_its_bytes(frames: list[int]) -> None:
    for frame in Frame.objects.all():
        assert bytes(frame.sha256) == sha256(bytes(frame.raw)).digest()
    *_, seen = check_frames()
    assert (seen.frames, seen.altered) == (5, [])


def test_an_inspection_at_the_desk_has_one_too(fitted: Fitting, wes: Wearer) -> None:
    action(note_inspection)(by="ola", wearer=wes, at=at(0))
    assert [*check_frames()][-1].frames == 1
    assert [*check_frames()][-1].altered == []


def test_a_byte_changed_in_the_database_shows(frames: list[int]) -> None:
    assert altered("raw = X'6672616d652039'", frames[2]) == [frames[2]]


def test_a_hash_taken_away_shows(frames: list[int]) -> None:
    assert altered("sha256 = X''", frames[4]) == [frames[4]]


def test_a_sample_spreads_over_all_and_holds_the_latest(frames: list[int]) -> None:
    assert check_some_frames().frames == 5
    assert check_some_frames(2).frames == 2
    altered("raw = X''", frames[4])
    assert check_some_frames(1).altered == [frames[4]]


def test_nothing_stored_is_nothing_changed(db: None) -> None:
    assert [*check_frames()][-1].frames == check_some_frames().frames == 0


def test_what_is_set_apart_is_kept_with_its_hash_its_tag_and_its_feed(tag: Tag) -> None:
    feed, _ = add_feed(by="system:test", name="F")
    apart = SetApart("traccar", "", b"{", 0, "malformed", "", sender_known=True)
    store([], [apart._replace(feed=KnownFeed(feed.pk, "F", {}), raw=b"x" * 70_000)])
    store([], [apart._replace(tag=KnownTag(tag.pk, "T1"))])
    brought, own = Quarantine.objects.order_by("id")
    assert (brought.feed_id, brought.tag_id, own.tag_id) == (feed.pk, None, tag.pk)
    assert bytes(brought.sha256) == sha256(b"x" * 65_536).digest()
