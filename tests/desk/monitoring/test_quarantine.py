"""What was set apart: decoded again it becomes reports of whoever sent it, and of nobody else."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta

import pytest
from django.db import connection

from ringfence.desk.accounts.models import User
from ringfence.desk.accounts.permission import NotPermittedError
from ringfence.desk.audit import actions as audit
from ringfence.desk.audit.actions import MissingReasonError
from ringfence.desk.audit.models import Entry
from ringfence.desk.cases.device_actions import add_device
from ringfence.desk.cases.feed_actions import add_feed, bind_tag, unbind_tag
from ringfence.desk.cases.models import Fitting, Tag
from ringfence.desk.cases.tag_actions import add_tag, make_owntracks_key
from ringfence.desk.kit.clock import now, to_ms
from ringfence.desk.monitoring.detect import detect
from ringfence.desk.monitoring.models import (
    Correction,
    Frame,
    Quarantine,
    Redecoding,
    Report,
    Violation,
    WearerState,
)
from ringfence.desk.monitoring.prospects import prospect
from ringfence.desk.monitoring.quarantine import items, tallies
from ringfence.desk.monitoring.quarantine_actions import (
    QuarantineError,
    Redecoded,
    redecode,
    redecode_all,
)
from ringfence.desk.monitoring.quarantine_keeping import keep_within
from ringfence.desk.monitoring.storing import store
from ringfence.engine.conditions import Condition
from ringfence.gateway.codecs.owntracks import box_of
from ringfence.gateway.report import KnownFeed, KnownTag, SetApart
from tests.desk.monitoring.conftest import INSIDE, TEN, VISIT, at, deliver
from tests.gateway.codecs import queclink_frames, tag_frames

pytestmark = pytest.mark.django_db(transaction=True)
RECEIVED_MS = to_ms(TEN) + 60_000
MENDED = "the codec is mended"


def body(*reports: object, tag: str = "T1") -> bytes:
    return json.dumps({"tag": tag, "reports": reports}).encode()


def fix(minutes: float, place: tuple[float, float] = INSIDE) -> dict[str, object]:
    time = at(minutes).isoformat()
    return {"time": time, "lat": place[0], "lon": place[1], "accuracy_m": 8, "source": "gnss"}


def set_apart(
    raw: bytes,
    *,
    door: str = "reports",
    reason: str = "malformed",
    tag: Tag | None = None,
    feed: KnownFeed | None = None,
    received_ms: int = RECEIVED_MS,
) -> Quarantine:
    known = KnownTag(tag.pk, tag.name) if tag else None
    item = SetApart(door, "192.0.2.7", raw, received_ms, reason, "as it was", bool(tag or feed))
    store([], [item._replace(tag=known, feed=feed)])
    return Quarantine.objects.latest("id")


def again(item: Quarantine, by: User | str = "system:test", tag: str = "") -> Redecoded:
    item.refresh_from_db()
    return redecode(by=by, item=item, why=MENDED, tag=tag)


def test_what_can_be_decoded_now_is_stored_as_if_it_had_come_through_its_door(
    eve: User, tag: Tag
) -> None:
    item = set_apart(body(fix(0), fix(1)), tag=tag)
    assert again(item, eve) == Redecoded(accepted=2)
    frame = Frame.objects.get()
    assert (frame.door, frame.peer, frame.received_ms) == ("reports", "192.0.2.7", RECEIVED_MS)
    assert bytes(frame.raw) == body(fix(0), fix(1))
    assert {r.received_ms for r in Report.objects.all()} == {RECEIVED_MS}
    item.refresh_from_db()
    assert item.resolved_at is not None
    row = Redecoding.objects.get()
    assert (row.item, row.by, row.why, row.frame_id) == (item.pk, "eve", MENDED, frame.pk)
    entry = Entry.objects.get(event="quarantine.decoded")
    assert (entry.actor, entry.subject, entry.reason) == ("eve", f"quarantine:{item.pk}", MENDED)
    assert entry.detail["accepted"] == 2


def test_it_is_done_once(tag: Tag) -> None:
    item = set_apart(body(fix(0)), tag=tag)
    again(item)
    with pytest.raises(QuarantineError, match="not in the quarantine any more"):
        again(item)
    assert Report.objects.count() == 1


def test_what_is_stored_already_is_counted_and_leaves_no_second_frame(tag: Tag) -> None:
    set_apart(body(fix(0)), tag=tag)
    set_apart(body(fix(0)), tag=tag)
    first, second = Quarantine.objects.order_by("id")
    assert again(first) == Redecoded(accepted=1)
    assert again(second) == Redecoded(duplicate=1)
    assert Frame.objects.count() == Report.objects.count() == 1
    assert not Quarantine.objects.filter(resolved_at=None).exists()


def test_it_is_judged_as_late_data_is(fitted: Fitting, zone: Condition) -> None:
    missing = VISIT[3:7]
    deliver(fitted.tag, [s for s in VISIT if s not in missing])
    while detect():
        pass
    assert not Violation.objects.exists()
    raw = body(*(fix(n) for n in range(3, 7)))
    again(set_apart(raw, tag=fitted.tag, received_ms=to_ms(at(7))))
    while detect():
        pass
    found = Violation.objects.get(state="confirmed")
    assert (found.late, found.begin_at) == (True, at(3))
    assert Correction.objects.exists()
    assert WearerState.objects.get().judged_ms >= to_ms(at(9))


def test_what_still_can_not_be_used_stays_with_the_reason_of_now(tag: Tag) -> None:
    item = set_apart(b"{}", reason="encrypted", tag=tag)
    done = again(item)
    item.refresh_from_db()
    assert (item.reason, item.resolved_at) == ("malformed", None)
    assert item.detail == done.detail != "as it was"
    assert (Redecoding.objects.get().reason_after, Report.objects.count()) == ("malformed", 0)
    again(item)
    assert Redecoding.objects.count() == 1, "nothing changed, so there is nothing to note"


def test_of_a_body_that_is_usable_in_part_that_part_is_stored_and_the_rest_stays(tag: Tag) -> None:
    item = set_apart(body(fix(0), fix(1) | {"lat": 91}), tag=tag)
    done = again(item)
    item.refresh_from_db()
    assert (done.accepted, done.reason) == (1, "refused_report")
    assert (item.reason, item.resolved_at) == ("refused_report", None)
    assert Redecoding.objects.get().frame_id == Frame.objects.get().pk


def test_a_message_opens_once_the_tag_has_the_key_that_it_was_sealed_with(tag: Tag) -> None:
    secret = make_owntracks_key(by="system:test", tag=tag)
    said = b'{"_type":"location","tst":1772359320,"lat":51.5,"lon":-0.1}'
    sealed = b64encode(box_of(secret).encrypt(said)).decode()
    raw = json.dumps({"_type": "encrypted", "data": sealed}).encode()
    assert again(set_apart(raw, door="owntracks", reason="encrypted", tag=tag)).accepted == 1


def test_a_parameter_without_a_time_keeps_the_instant_at_which_it_came(tag: Tag) -> None:
    again(set_apart(b"id=T1&lat=51.5&lon=-0.1", door="osmand", tag=tag))
    assert Report.objects.get().time_ms == RECEIVED_MS


def test_a_frame_without_its_log_in_is_read_as_its_tags_device(tag: Tag) -> None:
    add_device(
        by="system:test", tag=tag, device_id=tag_frames.IMEI, protocol="r16h", zone="Asia/Tokyo"
    )
    raw = b"@GPSD,,R,20260301,190200,48.654321,N,9.123456,W,3.6,271,12,81,L,$"
    assert again(set_apart(raw, door="r16h", tag=tag)).accepted == 1
    assert Report.objects.get().time_ms == tag_frames.AT_MS


def test_a_feeds_bytes_are_its_tags_and_no_others(tag: Tag) -> None:
    feed, _ = add_feed(by="system:test", name="F")
    bind_tag(by="system:test", feed=feed, tag=tag)
    position = {"valid": True, "fixTime": "2026-03-01T10:02:00.000+00:00"}
    position |= {"latitude": 51.5, "longitude": -0.1}
    raw = json.dumps({"position": position, "device": {"uniqueId": "T1"}}).encode()
    item = set_apart(raw, door="traccar", feed=KnownFeed(feed.pk, "F", {}))
    unbind_tag(by="system:test", tag=tag)
    assert again(item).reason == "unauthenticated"
    assert not Report.objects.exists()
    tag.refresh_from_db()
    bind_tag(by="system:test", feed=feed, tag=tag)
    assert again(item) == Redecoded(accepted=1)
    assert Report.objects.get().tag_id == tag.pk


@pytest.mark.parametrize("door", ["reports", "owntracks", "osmand", "traccar", "mqtt"])
def test_whoever_showed_no_token_never_becomes_a_tag(tag: Tag, door: str) -> None:
    raw = {
        "owntracks": b'{"_type":"location","tst":1772359320,"lat":51.5,"lon":-0.1}',
        "osmand": b"id=T1&lat=51.5&lon=-0.1",
    }.get(door, body(fix(0)))
    item = set_apart(raw, door=door, reason="unauthenticated")
    assert "no valid token" in again(item).detail
    with pytest.raises(QuarantineError, match="no valid token"):
        again(item, tag="T1")
    assert not Report.objects.exists()


def test_a_body_that_names_another_tag_is_not_its_senders(tag: Tag) -> None:
    add_tag(by="system:test", name="T2")
    assert again(set_apart(body(fix(0), tag="T2"), tag=tag)).reason == "unauthenticated"
    assert not Report.objects.exists()


def stranger(received_ms: int | None = None) -> Quarantine:
    """A frame of a device that nobody had registered when it came."""
    received_ms = to_ms(now() - timedelta(hours=1)) if received_ms is None else received_ms
    raw = queclink_frames.fri()
    return set_apart(raw, door="queclink", reason="unauthenticated", received_ms=received_ms)


def register(tag: Tag) -> None:
    add_device(by="system:test", tag=tag, device_id=queclink_frames.IMEI)


def test_a_device_registered_since_is_taken_in_only_if_a_person_names_its_tag(tag: Tag) -> None:
    item = stranger()
    assert "no tag has this device" in again(item).detail
    register(tag)
    assert "name the tag" in again(item).detail
    assert not Report.objects.exists()
    with pytest.raises(QuarantineError, match="T2"):
        again(item, tag="T2")
    assert again(item, tag="T1") == Redecoded(accepted=1)
    row = Redecoding.objects.latest("id")
    assert (row.tag_id, row.confirmed) == (tag.pk, True)
    assert Entry.objects.filter(event="quarantine.decoded").latest("id").detail["confirmed"] is True


def test_a_device_that_was_registered_when_it_was_turned_away_is_never_taken_in(tag: Tag) -> None:
    register(tag)
    item = stranger(to_ms(now()) + 1000)
    assert "turned away for something else" in prospect(item).detail
    with pytest.raises(QuarantineError):
        again(item, tag="T1")


def test_bytes_that_were_cut_or_changed_are_no_evidence(tag: Tag) -> None:
    cut = set_apart(body(fix(0)) + b" " * 70_000, tag=tag)
    assert "only its beginning" in again(cut).detail
    changed = set_apart(body(fix(0)), tag=tag)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE monitoring_quarantine SET raw = %s WHERE id = %s", [body(fix(5)), changed.pk]
        )
    assert again(changed).reason == "altered"
    assert not Report.objects.exists()


def test_it_takes_a_reason_and_the_equipment_teams_permission(
    ola: User, eve: User, tag: Tag
) -> None:
    item = set_apart(body(fix(0)), tag=tag)
    with pytest.raises(NotPermittedError):
        again(item, ola)
    with pytest.raises(MissingReasonError):
        redecode(by=eve, item=item, why=" ")
    assert not Report.objects.exists()


def test_without_its_audit_entry_nothing_happened(
    tag: Tag, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = set_apart(body(fix(0)), tag=tag)
    monkeypatch.setattr(audit.Entry, "save", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        again(item)
    item.refresh_from_db()
    assert (item.resolved_at, Report.objects.count(), Redecoding.objects.count()) == (None, 0, 0)


def test_many_at_once_name_a_tag_for_its_own_device_only(tag: Tag) -> None:
    own, other = (
        stranger(),
        set_apart(queclink_frames.fri(), door="reports", reason="unauthenticated"),
    )
    usable = set_apart(body(fix(0)), tag=tag)
    register(tag)
    dry = list(redecode_all(items(), by="system:test", why=MENDED, dry_run=True, tag="T1"))
    assert [d.accepted for d in dry] == [1, 0, 1]
    assert not Report.objects.exists()
    unnamed = list(redecode_all(items(), by="system:test", why=MENDED))
    assert [d.accepted for d in unnamed] == [0, 0, 1]
    named = list(redecode_all(items(), by="system:test", why=MENDED, tag="T1"))
    assert [d.accepted for d in named] == [1, 0]
    assert set(items().values_list("pk", flat=True)) == {other.pk}
    assert {own.pk, usable.pk} == set(items(state="resolved").values_list("pk", flat=True))
    assert Entry.objects.filter(event="quarantine.decoding").count() == 3


def test_counts_are_by_reason_and_age(tag: Tag) -> None:
    present_ms = to_ms(now())
    for hours in (0.5, 5, 50):
        set_apart(b"?", tag=tag, received_ms=present_ms - round(hours * 3_600_000))
    set_apart(b"?", reason="unauthenticated", received_ms=present_ms)
    malformed, strangers = tallies(now())
    assert (malformed.hour, malformed.day, malformed.all, malformed.open) == (1, 2, 3, 3)
    assert (strangers.reason, strangers.hour) == ("unauthenticated", 1)
    assert [i.reason for i in items(reason="malformed")] == ["malformed"] * 3
    assert items(door="osmand").count() == 0


def test_a_full_quarantine_drops_the_oldest_and_no_stranger_pushes_out_a_tag(tag: Tag) -> None:
    own = set_apart(b"x" * 500, tag=tag)
    strangers = [set_apart(b"y" * 500, reason="unauthenticated") for _ in range(4)]
    assert keep_within(2 * 1012) == 2
    kept = set(Quarantine.objects.values_list("pk", flat=True))
    assert kept == {own.pk, strangers[2].pk, strangers[3].pk}
    entry = Entry.objects.get(event="quarantine.dropped")
    assert entry.detail == {
        "items": 2, "reasons": {"unauthenticated": 2}, "last": strangers[1].pk,
    }  # fmt: skip
    assert keep_within(2 * 1012) == 0


def test_what_is_resolved_goes_before_what_is_not(tag: Tag) -> None:
    open_, done = set_apart(b"?", tag=tag), set_apart(body(fix(0)), tag=tag)
    again(done)
    assert keep_within(600) == 1
    assert Quarantine.objects.get().pk == open_.pk
    assert Redecoding.objects.get().item == done.pk
